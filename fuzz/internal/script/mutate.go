package script

import "slices"

// Mutate is a copy of s with a few changes: operations left out, doubled,
// moved, changed, made anew, or taken from other. What it does follows from seed.
func (s Script) Mutate(seed uint64, other Script, o Options) Script {
	d := newRandom(seed)
	s.Ops = slices.Clone(s.Ops)
	for range 1 + d.intn(3) {
		s.mutate(d, other, o)
	}
	return s
}

func (s *Script) mutate(d source, other Script, o Options) {
	n := len(s.Ops)
	if n == 0 {
		*s = build(d, o)
		return
	}
	at := d.intn(n)
	switch d.intn(9) {
	case 0:
		s.Ops = slices.Delete(s.Ops, at, at+1)
	case 1:
		s.Ops = slices.Insert(s.Ops, at, s.Ops[at])
	case 2:
		to := d.intn(n)
		s.Ops[at], s.Ops[to] = s.Ops[to], s.Ops[at]
	case 3: // the end of another script
		if m := len(other.Ops); m > 0 {
			s.Ops = append(s.Ops[:at], other.Ops[d.intn(m):]...)
		}
	case 4: // another connection
		s.Ops[at].Conn = d.intn(Connections)
	case 5:
		s.Ops[at].NoWait = !s.Ops[at].NoWait
	case 6:
		s.Ops[at].Split, s.Ops[at].Glue = pick(d, 0, 1, 2, 15, 27), oneIn(d, 3)
	case 7: // another operation of the same phase
		b := &builder{source: d, Options: o, temper: Nearly, conn: s.Ops[at].Conn, grain: 512, structured: true, extended: oneIn(d, 2), contexts: 2}
		if s.Ops[at].Kind == Request {
			b.request()
		} else {
			b.option()
		}
		s.Ops = slices.Insert(s.Ops, at, b.ops...)
	case 8:
		s.Ops[at].change(d)
	}
}

// change makes one thing about an operation another one.
func (o *Op) change(d source) {
	q := &o.Request
	switch {
	case len(o.Data) > 0 && d.intn(2) == 0: // some of its bytes, or its end
		o.Data = slices.Clone(o.Data)
		if oneIn(d, 4) {
			o.Data = o.Data[:d.intn(min(len(o.Data), 256))]
			return
		}
		o.Data[d.intn(256)*len(o.Data)/256] ^= byte(1 << d.intn(8))
	case o.Kind == Flags:
		o.ClientFlags ^= 1 << d.intn(32)
	case o.Kind != Request:
		o.Export = pick(d, "", "@0", "@1", "no such export")
	default:
		switch d.intn(4) {
		case 0:
			q.Offset += pick[uint64](d, 1, 512, 4096, 1<<32, 1<<63)
		case 1:
			q.Length = pick[uint64](d, 0, 1, 512, 4096, 65536, q.Length*2, q.Length/2)
		case 2:
			q.Flags ^= 1 << d.intn(16)
		case 3:
			o.Fill = Fill(d.intn(256))
		}
	}
}
