package gen

import (
	fuzz "github.com/google/gofuzz"

	"nbdconform/reference/wire"
)

const allTransmissionFlags = wire.TransmissionFlags(1<<13 - 1)

func (g *Gen) greeting(v *wire.Greeting, c fuzz.Continue) {
	v.Flags = wire.HandshakeFlags(c.Intn(4))
	g.spoil(c, func() { v.Flags |= 4 << c.Intn(14) })
	if g.kind == Hostile {
		v.Flags = wire.HandshakeFlags(number(c))
	}
}

// clientFlags are valid where the server offered all of its flags.
func (g *Gen) clientFlags(v *wire.ClientFlags, c fuzz.Continue) {
	*v = wire.ClientFlags(c.Intn(4))
	g.spoil(c, func() { *v |= 4 << c.Intn(30) })
	if g.kind == Hostile {
		*v = wire.ClientFlags(number(c))
	}
}

func (g *Gen) exportNameReply(v *wire.ExportNameReply, c fuzz.Continue) {
	var e wire.ExportInfo
	c.Fuzz(&e)
	*v = wire.ExportNameReply{Size: e.Size, Flags: e.Flags, Zeroes: c.RandBool()}
}

func (g *Gen) exportInfo(v *wire.ExportInfo, c fuzz.Continue) {
	v.Size, v.Flags = size(c), wire.TransmissionFlags(c.RandUint64())&allTransmissionFlags|wire.FlagHasFlags
	if v.Flags&wire.FlagSendWriteZeroes == 0 {
		v.Flags &^= wire.FlagSendFastZero
	}
	g.spoil(c,
		func() { v.Flags &^= wire.FlagHasFlags },
		func() { v.Flags = v.Flags&^wire.FlagSendWriteZeroes | wire.FlagSendFastZero },
	)
	if g.kind == Hostile {
		v.Size, v.Flags = number(c), wire.TransmissionFlags(number(c))
	}
}

func (g *Gen) sizeConstraints(v *wire.SizeConstraints, c fuzz.Continue) {
	v.Minimum = 1 << c.Intn(17)
	v.Preferred = max(512, v.Minimum) << c.Intn(4)
	v.MaxPayload = pick(c, v.Preferred, max(1<<25, v.Preferred), wire.UnlimitedMaxPayload)
	g.spoil(c,
		func() { v.Minimum = pick[uint32](c, 0, 3, 513, 1<<17) },
		func() { v.Preferred = pick[uint32](c, 0, 1, 511, v.Preferred+1) },
		func() { v.MaxPayload = v.Preferred - 1 },
	)
	if g.kind == Hostile {
		v.Minimum, v.Preferred, v.MaxPayload = uint32(number(c)), uint32(number(c)), uint32(number(c))
	}
}

// info is nearly valid only with a type that has rules.
func (g *Gen) info(v *wire.Info, c fuzz.Continue) {
	switch t := wire.InfoType(c.Intn(4)); t {
	case wire.InfoExport:
		var e wire.ExportInfo
		c.Fuzz(&e)
		*v = e.Info()
	case wire.InfoBlockSize:
		var s wire.SizeConstraints
		c.Fuzz(&s)
		*v = s.Info()
	default:
		*v = wire.Info{Type: t, Payload: []byte(g.string(c))}
	}
	if g.kind == Hostile && c.RandBool() {
		*v = wire.Info{Type: wire.InfoType(number(c)), Payload: bytes(c, 40)}
	}
}

// string is text as good as the value that is being made.
func (g *Gen) string(c fuzz.Continue) string {
	switch g.kind {
	case Valid:
		return text(c)
	case Nearly:
		return badText(c)
	}
	return wild(c)
}
