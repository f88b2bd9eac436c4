package engine

import (
	"net"
	"sync"

	"nbdconform/reference/server/internal/socket"
)

// A sender sends replies. Several goroutines add theirs to a queue, and all that
// were added while earlier ones were sent are sent together: the goroutine that
// finds the sender idle sends. The goroutine that reads sends its batch itself,
// and waits, so that it does not go on reading from a client that does not read.
type sender struct {
	transport *Transport
	nc        net.Conn
	blocking  *socket.Socket // nc, or nil
	single    bool           // one write for all
	budget    *budget

	mu    sync.Mutex
	idle  sync.Cond // not busy
	queue []*Reply
	busy  bool
	err   error

	spare []*Reply    // the queue's other half
	parts net.Buffers // scratch of the goroutine that sends
}

func (s *sender) init(t *Transport, b *socket.Socket, single bool, budget *budget) {
	s.transport, s.nc, s.blocking, s.single, s.budget = t, t.Conn(), b, single, budget
	s.idle.L = &s.mu
}

// add puts a reply in the queue, for the next flush.
func (s *sender) add(r *Reply) {
	s.mu.Lock()
	s.queue = append(s.queue, r)
	s.mu.Unlock()
}

// flush sends what is in the queue, unless another goroutine does already.
func (s *sender) flush() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.busy {
		s.drain()
	}
}

// send sends r, after what is in the queue, and returns when that is done.
func (s *sender) send(r *Reply) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for s.busy {
		s.idle.Wait()
	}
	s.queue = append(s.queue, r)
	s.drain()
}

// drain sends until the queue is empty. s.mu is held, but not while it sends.
func (s *sender) drain() {
	s.busy = true
	for len(s.queue) > 0 {
		list, broken := s.queue, s.err != nil
		s.queue = s.spare[:0]
		s.mu.Unlock()
		var err error
		if !broken {
			err = s.write(list)
		}
		held := 0
		for i, r := range list {
			held += r.held
			r.Release()
			list[i] = nil
		}
		s.budget.release(held)
		s.mu.Lock()
		s.spare = list
		if err != nil {
			s.err = err
			s.transport.Close()
		}
	}
	s.busy = false
	s.idle.Signal()
}

func (s *sender) write(list []*Reply) error {
	if len(list) == 1 && list[0].borrowed == 0 {
		_, err := s.nc.Write(list[0].Bytes)
		return err
	}
	if s.single {
		return s.writeSingle(list)
	}
	all := s.parts[:0]
	for _, r := range list {
		all = r.appendTo(all)
	}
	var err error
	if s.blocking != nil {
		err = s.blocking.WriteAll(all)
	} else {
		s.parts = all // WriteTo moves the start of the slice
		_, err = s.parts.WriteTo(s.nc)
	}
	clear(all)
	s.parts = all[:0]
	return err
}

// writeSingle copies the replies together. Nothing is borrowed for them.
func (s *sender) writeSingle(list []*Reply) error {
	n := 0
	for _, r := range list {
		n += len(r.Bytes)
	}
	all := newBuffer(n)
	defer all.release()
	for _, r := range list {
		all.b = append(all.b, r.Bytes...)
	}
	_, err := s.nc.Write(all.b)
	return err
}
