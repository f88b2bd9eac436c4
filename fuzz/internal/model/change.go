package model

import "nbdconform/reference/wire"

// change notes what a write, a trim or zeroes left behind.
func (r *Request) change(a Answer) {
	c, d := r.c, r.c.disk
	if d.stranger {
		if !a.Failed || !r.faulty {
			c.m.Forget() // it may be any of those that are known
		}
		return
	}
	to := min(r.span.To, max(c.Size, c.most))
	after := run{from: r.span.From, to: to, kind: undefined, by: c.id, cause: r.Type, seq: c.m.clock}
	after.settled = r.Flags&wire.CmdFlagFUA != 0
	switch {
	case a.Failed && (r.faulty || a.Error == wire.ENOTSUP && r.Flags&wire.CmdFlagFastZero != 0):
		return // nothing was done
	case a.Failed, r.faulty: // a part of it may have been done
	case r.Type == wire.CmdTrim:
	case r.Type == wire.CmdWriteZeroes:
		after.kind = zeroed
	case uint64(len(r.payload)) == to-r.span.From:
		after.kind, after.data = known, r.payload
	}
	d.put(after)
	for _, o := range r.others {
		if o.overlaps(r.span) {
			d.put(run{from: max(o.From, r.span.From), to: min(o.To, to), kind: undefined, by: c.id, cause: r.Type})
		}
	}
}

// resize notes a new size. Other connections may see it or not.
func (r *Request) resize(a Answer) {
	c, d := r.c, r.c.disk
	if a.Failed {
		return
	}
	if r.faulty {
		c.m.Forget()
		c.unsure = true
		return
	}
	if len(r.others) > 0 { // which of two was the last?
		c.unsure = true
		d.forget()
		return
	}
	old := min(c.Size, d.least)
	d.resizer = c.id
	c.Size, c.most = r.Offset, max(c.most, r.Offset)
	d.put(run{from: min(old, c.Size), to: 1<<64 - 1, kind: undefined, by: nobody})
}

// disturbed reports whether something else was changing bytes of s meanwhile.
func (r *Request) disturbed(s Span) bool {
	for _, o := range r.others {
		if o.overlaps(s) {
			return true
		}
	}
	return false
}
