package engine

import (
	"net"
	"sync"

	"nbdconform/reference/export"
)

// A Reply is an encoded reply. A batched one follows others in the same memory.
type Reply struct {
	// Bytes is what was encoded, earlier replies of the batch included. It may
	// only be appended to; there is room for as much as was asked for.
	Bytes []byte

	buf     *buffer
	batched bool
	start   int // in Bytes, where the last reply begins
	held    int // of the budget, until the reply is sent

	// What is sent between the Bytes, from where it is stored.
	loan     export.Loan
	cuts     []cut
	borrowed int // bytes
}

// A cut is a place in Bytes, and how many parts of the loan come before it.
type cut struct{ at, parts int }

var replies = sync.Pool{New: func() any { return new(Reply) }}

func newReply(n int) *Reply {
	r := replies.Get().(*Reply)
	r.buf = newBuffer(n)
	r.Bytes = r.buf.b
	return r
}

// Extend appends n bytes, for which there is room, and returns them to be filled.
func (r *Reply) Extend(n int) []byte {
	at := len(r.Bytes)
	r.Bytes = r.Bytes[:at+n]
	return r.Bytes[at:]
}

// Borrow appends n bytes of m from off without a copy. They are sent as they are
// now. It needs [Conn.Direct].
func (r *Reply) Borrow(m *export.Memory, off, n uint64) {
	r.loan.Borrow(m, off, n)
	r.cuts = append(r.cuts, cut{len(r.Bytes), len(r.loan.Parts)})
	r.borrowed += int(n)
}

// Release gives back the memory of a reply that is not batched and was not sent.
func (r *Reply) Release() {
	if len(r.cuts) > 0 {
		r.loan.Return()
	}
	r.buf.b = r.Bytes
	r.buf.release()
	*r = Reply{loan: r.loan, cuts: r.cuts[:0]}
	replies.Put(r)
}

// size is what there is to send, in bytes.
func (r *Reply) size() int { return len(r.Bytes) + r.borrowed }

// appendTo appends what there is to send.
func (r *Reply) appendTo(all net.Buffers) net.Buffers {
	at, parts := 0, 0
	for _, c := range r.cuts {
		if c.at > at {
			all = append(all, r.Bytes[at:c.at])
		}
		all = append(all, r.loan.Parts[parts:c.parts]...)
		at, parts = c.at, c.parts
	}
	if at < len(r.Bytes) {
		all = append(all, r.Bytes[at:])
	}
	return all
}
