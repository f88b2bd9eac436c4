package script

import "slices"

// Mutate is a copy of s with a few changes: operations left out, doubled,
// moved, made anew, or taken from other. What it does follows from seed.
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
	switch d.intn(8) {
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
	}
}
