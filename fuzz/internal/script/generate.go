package script

import (
	"nbdconform/reference/wire"
)

// A Temper is how well-behaved a client is.
type Temper uint8

// The tempers.
const (
	Valid   Temper = 0 // keeps the rules
	Nearly  Temper = 1 // breaks one now and then, in a way that a server can answer
	Hostile Temper = 2 // also leaves the layout of messages, and the server without notice
)

// Options say what scripts are to be like. The zero value is fine.
type Options struct {
	Profiles []string // to choose from; empty: the script names none
	Tempers  []Temper // to choose from; empty: all
	Length   int      // roughly how many requests a connection makes at most; 0: 12
}

// Generate makes a script of the random numbers that follow from seed.
func Generate(seed uint64, o Options) Script { return build(newRandom(seed), o) }

// Decode makes a script of any bytes; no bytes at all make an empty one.
// Similar bytes make similar scripts.
func Decode(b []byte, o Options) Script {
	if len(b) == 0 {
		return Script{}
	}
	return build(&fuzzBytes{b: b}, o)
}

// A builder makes the operations of one connection.
type builder struct {
	source
	Options
	temper Temper
	conn   int
	grain  uint64 // what offsets and lengths are multiples of
	ops    []Op

	entered    bool
	structured bool
	extended   bool
	contexts   int
}

func build(d source, o Options) Script {
	if len(o.Tempers) == 0 {
		o.Tempers = []Temper{Valid, Valid, Nearly, Nearly, Nearly, Hostile}
	}
	if o.Length == 0 {
		o.Length = 12
	}
	var s Script
	temper := pick(d, o.Tempers...)
	if len(o.Profiles) > 0 {
		s.Profile = o.Profiles[0]
		if d.intn(4) > 0 {
			s.Profile = pick(d, o.Profiles...)
		}
	}
	grain := pick[uint64](d, 4096, 512, 4096, 1)
	conns := pick(d, 1, 1, 1, 2, 2, 3)
	var lists [][]Op
	for i := range conns {
		b := &builder{source: d, Options: o, temper: temper, conn: i, grain: grain}
		b.connection()
		lists = append(lists, b.ops)
	}
	s.Ops = interleave(d, lists)
	return s
}

// interleave lets connections take turns: the first one starts, and each goes
// on for a while.
func interleave(d source, lists [][]Op) []Op {
	if len(lists) == 1 {
		return lists[0]
	}
	var ops []Op
	for len(lists) > 0 {
		i := d.intn(len(lists))
		n := min(1+d.intn(8), len(lists[i]))
		ops = append(ops, lists[i][:n]...)
		if lists[i] = lists[i][n:]; len(lists[i]) == 0 {
			lists = append(lists[:i], lists[i+1:]...)
		}
	}
	return ops
}

// connection makes all that one client does.
func (b *builder) connection() {
	b.flags()
	b.haggle()
	if b.entered {
		n := 1 + b.intn(b.Length)
		for i := 0; i < n && !(i > 0 && b.done()); i++ {
			if b.temper == Hostile && oneIn(b, 8) {
				b.disturb()
				continue
			}
			b.request()
		}
	}
	switch b.intn(8) {
	case 6:
		b.add(Op{Kind: Close})
	case 7:
		if b.temper == Hostile {
			b.add(Op{Kind: Half})
		}
	default:
		if b.entered {
			b.disconnect()
		}
	}
}

func (b *builder) add(o Op) {
	o.Conn = b.conn
	if b.temper == Hostile || oneIn(b, 8) {
		switch b.intn(16) {
		case 1:
			o.Split = pick(b, 1, 2, 7, 15, 27, 29)
		case 2:
			o.Glue = true
		}
	}
	b.ops = append(b.ops, o)
}

func (b *builder) flags() {
	f := wire.FlagCFixedNewstyle | wire.FlagCNoZeroes
	switch b.intn(8) {
	case 1:
		f = wire.FlagCFixedNewstyle
	case 2:
		if b.temper != Valid && oneIn(b, 3) {
			f = pick[wire.ClientFlags](b, 0, 2, 4, 7, 1<<31|3)
		}
	}
	// The flags and the first option often come in one segment.
	b.add(Op{Kind: Flags, ClientFlags: f, Glue: oneIn(b, 4)})
}

// disturb is something that ends the conversation, sooner or later.
func (b *builder) disturb() {
	switch b.intn(6) {
	case 0:
		data := make([]byte, 1+b.intn(40))
		for i := range data {
			data[i] = byte(b.intn(256))
		}
		b.add(Op{Kind: Raw, Data: data})
	case 1: // the head of a message, and no more
		q := wire.Request{Type: wire.CmdWrite, Length: 4096}
		head := q.Append(nil)
		if b.extended {
			q.Flags = wire.CmdFlagPayloadLen
			head = q.AppendExtended(nil)
		}
		if !b.entered {
			head = wire.OptionRequest{Option: wire.OptGo, Data: make([]byte, 6)}.Append(nil)
		}
		b.add(Op{Kind: Raw, Data: head[:1+b.intn(len(head))]})
	case 2:
		n := pick[uint64](b, 0, 1, 5, 4097, 1<<20, 1<<32-1)
		if b.entered {
			b.add(Op{Kind: Request, Request: wire.Request{Type: wire.CmdWrite, Length: b.grain}, Fill: 3, Announce: &n})
		} else {
			b.add(Op{Kind: Option, Option: pick(b, wire.OptGo, wire.OptList, wire.OptInfo, wire.OptAbort), Announce: &n})
		}
	case 3:
		b.add(Op{Kind: Half})
	case 4:
		b.add(Op{Kind: Close})
	case 5: // what belongs to the other phase
		if b.entered {
			b.add(Op{Kind: Option, Option: wire.OptList, Anyway: true})
		} else {
			b.add(Op{Kind: Request, Anyway: true, Request: wire.Request{Type: wire.CmdRead, Length: 512}})
		}
	}
}
