package engine

import (
	"net"
	"sync"
	"sync/atomic"
	"time"

	"nbdconform/reference/server/internal/socket"
)

// maxBlocking is how many connections of a server are blocking sockets at the
// same time: each keeps a thread of the system, and has larger buffers than
// others.
const maxBlocking = 64

// Shared is what all connections of a server share: memory for requests that
// are worked on, and the number of blocking sockets. All methods may be called
// from several goroutines.
type Shared struct {
	left     atomic.Int64
	blocking atomic.Int32
}

// NewShared returns limits of n bytes of memory and 64 blocking sockets.
func NewShared(n int) *Shared {
	s := new(Shared)
	s.left.Store(int64(n))
	return s
}

// Left is how many bytes are not acquired.
func (s *Shared) Left() int { return int(s.left.Load()) }

// Blocking is how many blocking sockets there are.
func (s *Shared) Blocking() int { return int(s.blocking.Load()) }

// take makes a blocking socket of nc, or returns nil if it can be none, or there
// are as many as may be.
func (s *Shared) take(nc net.Conn, spin time.Duration) *socket.Socket {
	released := func() { s.blocking.Add(-1) }
	if s.blocking.Add(1) > maxBlocking {
		released()
		return nil
	}
	b := socket.Take(nc, spin, released)
	if b == nil {
		released()
	}
	return b
}

// acquire takes n bytes if they are left. It never waits: no client waits for
// another one.
func (s *Shared) acquire(n int) bool {
	if s.left.Add(-int64(n)) < 0 {
		s.left.Add(int64(n))
		return false
	}
	return true
}

// A budget bounds the bytes that a connection works on. They are part of what
// the server's connections share.
type budget struct {
	shared *Shared
	mu     sync.Mutex
	cond   sync.Cond
	left   int
	all    int
}

func (b *budget) init(n int, s *Shared) {
	b.cond.L = &b.mu
	b.shared = s
	b.left, b.all = n, n
}

// Acquire takes n bytes from the limits of the connection and of the server, at
// most all of the connection's, and returns how many it took. While the
// connection has too few left it sends the batch and waits for replies to be
// sent. It reports false if the server has too few left.
//
// For the goroutine that reads.
func (c *Conn) Acquire(n int) (held int, ok bool) {
	b := &c.budget
	n = min(n, b.all)
	if !b.try(n) {
		c.Flush() // the batch may hold what is missing
		b.take(n)
	}
	if !b.shared.acquire(n) {
		b.put(n)
		return 0, false
	}
	return n, true
}

// Release gives back held bytes that were acquired.
func (c *Conn) Release(held int) { c.budget.release(held) }

// try takes n bytes if they are left.
func (b *budget) try(n int) bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.left < n {
		return false
	}
	b.left -= n
	return true
}

// take waits until n bytes are left, and takes them.
func (b *budget) take(n int) {
	b.mu.Lock()
	defer b.mu.Unlock()
	for b.left < n {
		b.cond.Wait()
	}
	b.left -= n
}

// release gives back n bytes, to the server too.
func (b *budget) release(n int) {
	if n == 0 {
		return
	}
	b.shared.left.Add(int64(n))
	b.put(n)
}

// put gives back n bytes that were not taken from the server.
func (b *budget) put(n int) {
	b.mu.Lock()
	b.left += n
	b.mu.Unlock()
	b.cond.Signal()
}

// close gives back what was taken for requests that did not get to a reply.
func (b *budget) close() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.shared.left.Add(int64(b.all - b.left))
	b.left = b.all
}
