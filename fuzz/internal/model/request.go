package model

import (
	"time"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// A Request is a request that was sent.
type Request struct {
	wire.Request
	c         *Conn
	span      Span
	payload   []byte
	filter    []uint32 // ids that a payload names, with filtered
	filters   bool
	announced uint64 // length in the header
	faulty    bool
	sent      uint64
	others    []Span // what was being changed at the same time
}

// changes reports whether contents may differ afterwards.
func (r *Request) changes() bool {
	switch r.Type {
	case wire.CmdWrite, wire.CmdTrim, wire.CmdWriteZeroes, wire.CmdResize:
		return true
	}
	return !r.Type.Known()
}

// Send tells that a request was sent, with its payload. filter, if it is not
// nil, is what a payload of NBD_CMD_BLOCK_STATUS says.
func (c *Conn) Send(q wire.Request, payload []byte, filter *wire.StatusFilter) *Request {
	c.m.clock++
	r := &Request{Request: q, c: c, payload: payload, sent: c.m.clock, announced: q.Length}
	length := q.Length
	if filter != nil {
		r.filters, r.filter, length = true, filter.ContextIDs, filter.Length
		r.Length = length
	}
	r.faulty = c.faulty(r)
	if c.astray(r) {
		c.m.loose++
	}
	r.span = Span{q.Offset, q.Offset + length}
	if q.Type == wire.CmdResize || !q.Type.Known() || r.span.To < r.span.From {
		r.span.To = 1<<64 - 1
		if q.Type == wire.CmdResize || !q.Type.Known() {
			r.span.From = 0
		}
	}
	c.waiting = append(c.waiting, r)
	d := c.disk
	if c.m.wild || c.m.loose > 0 {
		r.others = append(r.others, everything)
	}
	for _, o := range d.inflight {
		if o.changes() && !o.harmless() {
			r.others = append(r.others, o.span)
		}
		if r.changes() && !r.harmless() {
			o.others = append(o.others, r.span)
		}
	}
	d.inflight = append(d.inflight, r)
	switch q.Type {
	case wire.CmdWrite, wire.CmdTrim, wire.CmdWriteZeroes:
		if to := min(r.span.To, max(c.Size, c.most)); r.span.From < to {
			d.want(Span{r.span.From, to})
		}
	case wire.CmdResize:
		if d.changed = true; !d.resized {
			d.resized, d.least = true, c.Size
		}
		d.least = min(d.least, q.Offset)
		d.resizer = nobody // until the answer is there
	}
	return r
}

// harmless reports whether a server has no business to do what is asked for:
// it refuses, and changes nothing.
func (r *Request) harmless() bool {
	return r.faulty && r.Type.Known() && r.Type != wire.CmdResize && !r.c.disk.resized
}

// faulty reports whether a request breaks a rule, so that it need not succeed.
func (c *Conn) faulty(r *Request) bool {
	q, f := r.Request, c.Flags
	if !q.Type.Known() || q.Flags&^q.Type.AllowedFlags() != 0 {
		return true
	}
	announced := q.Flags&wire.CmdFlagPayloadLen != 0
	switch {
	case announced && !c.Extended,
		q.Flags&wire.CmdFlagFUA != 0 && f&wire.FlagSendFUA == 0,
		q.Flags&wire.CmdFlagDF != 0 && f&wire.FlagSendDF == 0,
		q.Flags&wire.CmdFlagFastZero != 0 && f&wire.FlagSendFastZero == 0:
		return true
	}
	switch q.Type {
	case wire.CmdFlush:
		return f&wire.FlagSendFlush == 0 || q.Offset != 0 || q.Length != 0
	case wire.CmdResize:
		return f&wire.FlagSendResize == 0
	case wire.CmdTrim:
		if f&wire.FlagSendTrim == 0 {
			return true
		}
	case wire.CmdCache:
		if f&wire.FlagSendCache == 0 {
			return true
		}
	case wire.CmdWriteZeroes:
		if f&wire.FlagSendWriteZeroes == 0 {
			return true
		}
	case wire.CmdBlockStatus:
		if len(c.Contexts) == 0 || r.badFilter() {
			return true
		}
	case wire.CmdWrite:
		if c.Extended && !announced {
			return true
		}
	case wire.CmdDisc:
		return true
	}
	if f&wire.FlagReadOnly != 0 && r.changes() {
		return true
	}
	if (q.Type == wire.CmdRead || q.Type == wire.CmdWrite) && q.Length > c.Limit() {
		return true
	}
	minimum, _ := c.Minimum()
	return r.Length == 0 || q.Offset > c.Size || r.Length > c.Size-q.Offset || (q.Offset|r.Length)%minimum != 0
}

func (r *Request) badFilter() bool {
	if !r.filters {
		return false
	}
	if r.c.Flags&wire.FlagBlockStatusPayload == 0 || len(r.filter) == 0 {
		return true
	}
	seen := make(map[uint32]bool)
	for _, id := range r.filter {
		found := false
		for _, m := range r.c.Contexts {
			found = found || m.ID == id
		}
		if !found || seen[id] {
			return true
		}
		seen[id] = true
	}
	return false
}

// astray reports whether a request may change a disk of which it is unknown
// which one it is: then, and while it is not answered, contents are anything.
func (c *Conn) astray(r *Request) bool {
	if !c.disk.stranger || !r.changes() {
		return false
	}
	c.m.disturb()
	return true
}

// Reply tells the whole answer to a request of the connection.
func (r *Request) Reply(a Answer) (list []Violation) {
	c, d := r.c, r.c.disk
	if c.astray(r) {
		c.m.loose--
	}
	c.m.clock++
	d.remove(r)
	for i, q := range c.waiting {
		if q == r {
			c.waiting = append(c.waiting[:i], c.waiting[i+1:]...)
			break
		}
	}
	if c.unsure {
		if r.changes() {
			d.put(run{from: r.span.From, to: r.span.To, kind: undefined, by: nobody})
		}
		return nil
	}
	if a.Failed {
		list = r.failed(a)
	}
	if c.Extended && r.Flags&wire.CmdFlagPayloadLen != 0 && c.asked && r.announced > max(c.Limit(), wire.DefaultMaxPayload) {
		list = violate(list, "trans.extended.payload-too-long", "a payload of %d bytes is answered by %v, the maximum payload size is %d: the end of the connection is due",
			r.announced, a.Error, c.Limit())
	}
	if r.Type == wire.CmdWrite {
		c.m.slow = max(c.m.slow, a.Took)
	}
	switch r.Type {
	case wire.CmdRead:
		if !a.Failed {
			list = append(list, r.read(a.Pieces)...)
		}
	case wire.CmdBlockStatus:
		if !a.Failed {
			list = append(list, r.status(a.Statuses)...)
		}
	case wire.CmdFlush:
		if !a.Failed && !r.faulty {
			for _, d := range c.m.disks {
				d.settle(r.sent)
			}
		}
	case wire.CmdResize:
		r.resize(a)
	case wire.CmdWrite, wire.CmdTrim, wire.CmdWriteZeroes:
		r.change(a)
		if r.Flags&wire.CmdFlagFastZero != 0 && !a.Failed && a.Took > time.Second && a.Took > 10*c.m.slow {
			list = violate(list, "cmd.write-zeroes.fast-zero.enotsup",
				"NBD_CMD_WRITE_ZEROES with NBD_CMD_FLAG_FAST_ZERO took %v, no write took longer than %v", a.Took, c.m.slow)
		}
	default:
		if !r.Type.Known() && !a.Failed {
			c.m.Forget() // nobody knows what it did
		}
	}
	return list
}

// failed judges that a request failed.
func (r *Request) failed(a Answer) (list []Violation) {
	c := r.c
	if r.faulty || !c.m.opts.Healthy || r.Type == wire.CmdResize || r.uncertain() {
		return nil
	}
	switch {
	case a.Error == wire.EINVAL && r.Type == wire.CmdCache, // which may be advertised and always fail
		a.Error == wire.EOVERFLOW && r.Type == wire.CmdRead && r.Flags&wire.CmdFlagDF != 0 && r.Length > wire.UnfragmentedRead,
		a.Error == wire.ENOTSUP && r.Flags&wire.CmdFlagFastZero != 0,
		(a.Error == wire.EOVERFLOW || a.Error == wire.EINVAL) && r.Length > c.Limit():
		return nil
	}
	list = violate(list, r.due(), "%v fails with %v, it keeps all rules: success is due", r.Request, a.Error)
	switch a.Error {
	case wire.EPERM, wire.EIO, wire.ENOMEM, wire.ENOSPC, wire.ESHUTDOWN:
		list[len(list)-1].Mishap = true
	}
	return list
}

// uncertain reports whether the size of the export is in doubt where r is
// about, or whether the server takes requests of its shape.
func (r *Request) uncertain() bool {
	for _, o := range r.others {
		if o.To == 1<<64-1 { // a resize, perhaps
			return true
		}
	}
	c, d := r.c, r.c.disk
	if d.resized && d.resizer != c.id && r.span.To > d.least {
		return true
	}
	// Constraints that nobody asked for may be there all the same.
	const most = wire.MaxMinimumBlock
	return !c.asked && (r.Type != wire.CmdFlush && (r.Offset|r.Length)%most != 0 || r.Length > most)
}

// due is the clause that a request without faults rests on.
func (r *Request) due() clause.ID {
	minimum, _ := r.c.Minimum()
	switch {
	case r.Flags&wire.CmdFlagFUA != 0:
		return "cmdflag.fua.accept"
	case r.Flags&wire.CmdFlagFastZero != 0:
		return "cmd.write-zeroes.fast-zero.enotsup"
	case r.Flags&wire.CmdFlagNoHole != 0:
		return "cmdflag.no-hole.support"
	case r.Flags&wire.CmdFlagDF != 0:
		return "cmdflag.df.data"
	case r.Type == wire.CmdBlockStatus:
		return "chunk.block-status.per-context"
	case minimum == 1 && (r.Offset|r.Length)%512 != 0:
		return "size.default.minimum"
	case (r.Type == wire.CmdRead || r.Type == wire.CmdWrite) && r.Length >= wire.UnfragmentedRead:
		return "size.default.max-payload"
	case r.Type == wire.CmdRead:
		return clauseRead
	case r.Type == wire.CmdWrite:
		return clauseWrite
	}
	return "flag.transmission.unsupported"
}

// Ended judges that the server hung up while r alone was without its answer,
// and nothing else of the client's was out of order. Most of it is the
// judge's business: these are requests that a server need not grant, and
// should not hang up on either.
func (r *Request) Ended() []Violation {
	c := r.c
	stray := c.Extended && r.Flags&wire.CmdFlagPayloadLen != 0 && r.Type != wire.CmdWrite && r.Type != wire.CmdDisc && r.Type.Known()
	long := c.sizes != nil && r.announced > c.Limit() && r.announced <= wire.DefaultMaxPayload
	switch {
	case c.unsure || len(c.waiting) != 1:
	case stray && r.announced <= min(c.Limit(), wire.DefaultMaxPayload):
		return violate(nil, "trans.extended.consume", "the server hangs up on %v with a payload that it should read and refuse", r.Request)
	case !c.Extended && long && (r.Type == wire.CmdRead || r.Type == wire.CmdWrite), c.Extended && long && r.Type == wire.CmdRead:
		return violate(nil, "size.dos.limit.server", "the server hangs up on %v, no longer than 2^25 bytes; its maximum payload size is %d", r.Request, c.Limit())
	}
	return nil
}
