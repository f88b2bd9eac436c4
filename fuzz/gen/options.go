package gen

import (
	"strings"

	fuzz "github.com/google/gofuzz"

	"nbdconform/reference/wire"
)

func (g *Gen) infoRequest(v *wire.InfoRequest, c fuzz.Continue) {
	v.Export, v.Infos = text(c), nil
	for t := range wire.InfoType(5) { // the last is unknown
		if c.RandBool() {
			v.Infos = append(v.Infos, t)
		}
	}
	g.spoil(c,
		func() { v.Export = badText(c) },
		func() { v.Infos = append(v.Infos, 3, 3) },
	)
	if g.kind == Hostile {
		v.Export, v.Infos = wild(c), make([]wire.InfoType, c.Intn(1<<c.Intn(10)))
		for i := range v.Infos {
			v.Infos[i] = wire.InfoType(c.Uint32())
		}
	}
}

func (g *Gen) metaContextRequest(v *wire.MetaContextRequest, c fuzz.Continue) {
	v.Export, v.Queries = text(c), make([]string, c.Intn(5))
	for i := range v.Queries {
		v.Queries[i] = contextName(c)
	}
	g.spoil(c,
		func() { v.Export = badText(c) },
		func() { v.Queries = append(v.Queries, badContextName(c)) },
	)
	if g.kind == Hostile {
		v.Export, v.Queries = wild(c), make([]string, c.Intn(1<<c.Intn(8)))
		for i := range v.Queries {
			v.Queries[i] = strings.Repeat(":", c.Intn(3)) + string(bytes(c, 40))
		}
	}
}

// optionRequest is nearly valid only with an option that has rules.
func (g *Gen) optionRequest(v *wire.OptionRequest, c fuzz.Continue) {
	*v = wire.OptionRequest{Option: wire.Option(1 + c.Intn(11))}
	if g.kind == Hostile && c.Intn(4) == 0 {
		*v = wire.OptionRequest{Option: wire.Option(number(c)), Data: bytes(c, 100)}
		return
	}
	if g.kind == Nearly && (v.Option == wire.OptAbort || v.Option == wire.OptPeekExport) {
		v.Option = wire.OptList
	}
	switch v.Option {
	case wire.OptExportName:
		v.Data = []byte(g.string(c))
	case wire.OptInfo, wire.OptGo:
		var q wire.InfoRequest
		c.Fuzz(&q)
		v.Data = q.Append(nil)
		g.truncate(c, v)
	case wire.OptListMetaContext, wire.OptSetMetaContext:
		var q wire.MetaContextRequest
		c.Fuzz(&q)
		v.Data = q.Append(nil)
		g.truncate(c, v)
	default:
		g.spoil(c, func() { v.Data = append(bytes(c, 20), 0) })
		if g.kind == Hostile {
			v.Data = bytes(c, 20)
		}
	}
}

// truncate takes some bytes off data that say how long they are.
func (g *Gen) truncate(c fuzz.Continue, v *wire.OptionRequest) {
	if g.kind != Valid && c.Intn(4) == 0 {
		v.Data = v.Data[:c.Intn(len(v.Data))]
	}
}

func (g *Gen) serverReply(v *wire.ServerReply, c fuzz.Continue) {
	v.Name, v.Details = text(c), text(c)
	g.spoil(c,
		func() { v.Name = badText(c) },
		func() { v.Details = badText(c) },
	)
	if g.kind == Hostile {
		v.Name, v.Details = wild(c), wild(c)
	}
}

func (g *Gen) metaContext(v *wire.MetaContext, c fuzz.Continue) {
	v.ID, v.Name = c.Uint32(), contextName(c)
	g.spoil(c, func() { v.Name = badContextName(c) })
	if g.kind == Hostile {
		v.Name = wild(c)
	}
}

func (g *Gen) optionReply(v *wire.OptionReply, c fuzz.Continue) {
	*v = wire.OptionReply{Option: wire.Option(1 + c.Intn(11)), Type: wire.ReplyType(1 + c.Intn(4))}
	if c.Intn(3) == 0 {
		v.Type = 1<<31 + wire.ReplyType(1+c.Intn(10))
	}
	if g.kind == Hostile && c.Intn(4) == 0 {
		*v = wire.OptionReply{Option: wire.Option(number(c)), Type: wire.ReplyType(number(c)), Data: bytes(c, 100)}
		return
	}
	switch v.Type {
	case wire.RepAck:
		g.spoil(c, func() { v.Data = append(bytes(c, 20), 0) })
		if g.kind == Hostile {
			v.Data = bytes(c, 20)
		}
	case wire.RepServer:
		var s wire.ServerReply
		c.Fuzz(&s)
		v.Data = s.Append(nil)
	case wire.RepInfo:
		var i wire.Info
		c.Fuzz(&i)
		v.Data = i.Append(nil)
	case wire.RepMetaContext:
		var m wire.MetaContext
		c.Fuzz(&m)
		v.Data = m.Append(nil)
	default:
		v.Data = []byte(g.string(c))
	}
}
