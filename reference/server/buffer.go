package server

import (
	"math/bits"
	"net"
	"sync"
	"sync/atomic"

	"nbdconform/reference/export"
)

// A buffer holds an encoded reply or the payload of a request.
type buffer struct {
	b     []byte
	class int // index in pools, or -1
	cost  int // what is given back to the budget when the buffer is done with

	// What is sent between the bytes of b, from where it is stored.
	loan export.Loan
	cuts []cut
	lent int // bytes
}

// A cut is a place in a buffer, and how many parts of the loan come before it.
type cut struct{ at, parts int }

// borrow appends n bytes of m from off.
func (p *buffer) borrow(m *export.Memory, off, n uint64) {
	p.loan.Borrow(m, off, n)
	p.cuts = append(p.cuts, cut{len(p.b), len(p.loan.Parts)})
	p.lent += int(n)
}

// size is what there is to send, in bytes.
func (p *buffer) size() int { return len(p.b) + p.lent }

// appendTo appends what there is to send.
func (p *buffer) appendTo(all net.Buffers) net.Buffers {
	at, parts := 0, 0
	for _, c := range p.cuts {
		if c.at > at {
			all = append(all, p.b[at:c.at])
		}
		all = append(all, p.loan.Parts[parts:c.parts]...)
		at, parts = c.at, c.parts
	}
	if at < len(p.b) {
		all = append(all, p.b[at:])
	}
	return all
}

// Buffers of class i have room for 1<<(i+minClass) bytes and the headers
// around them.
const (
	minClass   = 9
	maxClass   = 26
	headerRoom = 64
)

var pools [maxClass - minClass + 1]sync.Pool

// getBuffer returns an empty buffer with a capacity of at least n bytes.
func getBuffer(n int) *buffer {
	class := max(bits.Len(uint(max(n-headerRoom, 1)-1))-minClass, 0)
	if class >= len(pools) {
		return &buffer{b: make([]byte, 0, n), class: -1}
	}
	if p, ok := pools[class].Get().(*buffer); ok {
		p.b = p.b[:0]
		return p
	}
	return &buffer{b: make([]byte, 0, 1<<(class+minClass)+headerRoom), class: class}
}

// putBuffer takes p back. Nobody may use it any more. One that has outgrown
// its class is dropped.
func putBuffer(p *buffer) {
	if len(p.cuts) > 0 {
		p.loan.Return()
		p.cuts, p.lent = p.cuts[:0], 0
	}
	if p.cost = 0; p.class >= 0 && cap(p.b) < 1<<(p.class+minClass+1)+headerRoom {
		pools[p.class].Put(p)
	}
}

// A reserve bounds the bytes that all connections of a server work on.
type reserve struct{ left atomic.Int64 }

// take takes n bytes if they are there. It never waits: nobody waits for
// another client.
func (r *reserve) take(n int) bool {
	if r.left.Add(-int64(n)) < 0 {
		r.left.Add(int64(n))
		return false
	}
	return true
}

// A budget bounds the bytes that a connection works on. They are part of the
// reserve of its server.
type budget struct {
	reserve *reserve
	mu      sync.Mutex
	cond    sync.Cond
	left    int
	all     int
}

func (b *budget) init(n int, r *reserve) {
	b.cond.L = &b.mu
	b.reserve = r
	b.left, b.all = n, n
}

// try takes n bytes if they are there, up to all.
func (b *budget) try(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < n {
		return false
	}
	b.left -= n
	return true
}

// take waits until n bytes are there.
func (b *budget) take(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.left < n {
		b.cond.Wait()
	}
	b.left -= n
}

// give gives back n bytes, those of the reserve too.
func (b *budget) give(n int) {
	if n == 0 {
		return
	}
	b.reserve.left.Add(int64(n))
	b.untake(n)
}

// close gives back what a request took that never came to its end.
func (b *budget) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.reserve.left.Add(int64(b.all - b.left))
	b.left = b.all
}

// untake gives back n bytes that were not taken from the reserve.
func (b *budget) untake(n int) {
	b.mu.Lock()
	b.left += n
	b.mu.Unlock()
	b.cond.Signal()
}
