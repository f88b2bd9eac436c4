package server

import (
	"net"
	"sync"
)

// A writer sends replies. Workers add theirs to a queue, and as many go out at
// once as have come together while those before were sent: whoever finds the
// writer idle does the sending. The reading goroutine sends what it has
// itself, and waits, so that it does not go on reading from a client that does
// not read.
type writer struct {
	nc     net.Conn
	join   bool // one write for all, as TLS makes a record of each
	budget *budget
	failed func() // called once, when sending fails

	mu    sync.Mutex
	idle  sync.Cond // not busy
	queue []*buffer
	busy  bool
	err   error

	spare []*buffer   // queue's other half
	iov   net.Buffers // scratch of whoever sends
}

func (w *writer) init(nc net.Conn, join bool, b *budget, failed func()) {
	w.nc, w.join, w.budget, w.failed = nc, join, b, failed
	w.idle.L = &w.mu
}

// add puts a reply in the queue, for the next flush.
func (w *writer) add(b *buffer) {
	w.mu.Lock()
	w.queue = append(w.queue, b)
	w.mu.Unlock()
}

// flush sends what is in the queue, unless somebody else is at it already.
func (w *writer) flush() {
	w.mu.Lock()
	defer w.mu.Unlock()
	if !w.busy {
		w.drain()
	}
}

// send sends b, behind what is in the queue, and returns when that is done.
func (w *writer) send(b *buffer) {
	w.mu.Lock()
	defer w.mu.Unlock()
	for w.busy {
		w.idle.Wait()
	}
	w.queue = append(w.queue, b)
	w.drain()
}

// drain sends until the queue is empty. w.mu is held, but not while it sends.
func (w *writer) drain() {
	w.busy = true
	for len(w.queue) > 0 {
		batch, broken := w.queue, w.err != nil
		w.queue = w.spare[:0]
		w.mu.Unlock()
		var err error
		if !broken {
			err = w.write(batch)
		}
		cost := 0
		for i, b := range batch {
			cost += b.cost
			putBuffer(b)
			batch[i] = nil
		}
		w.budget.give(cost)
		w.mu.Lock()
		w.spare = batch
		if err != nil {
			w.err = err
			w.failed()
		}
	}
	w.busy = false
	w.idle.Signal()
}

func (w *writer) write(batch []*buffer) error {
	if len(batch) == 1 && batch[0].lent == 0 {
		_, err := w.nc.Write(batch[0].b)
		return err
	}
	if w.join {
		return w.writeJoined(batch)
	}
	all := w.iov[:0]
	for _, b := range batch {
		all = b.appendTo(all)
	}
	var err error
	if l, ok := w.nc.(*line); ok {
		err = l.writeAll(all)
	} else {
		w.iov = all // WriteTo moves the start of the slice
		_, err = w.iov.WriteTo(w.nc)
	}
	clear(all)
	w.iov = all[:0]
	return err
}

func (w *writer) writeJoined(batch []*buffer) error {
	n := 0
	for _, b := range batch {
		n += len(b.b)
	}
	all := getBuffer(n)
	defer putBuffer(all)
	for _, b := range batch {
		all.b = append(all.b, b.b...)
	}
	_, err := w.nc.Write(all.b)
	return err
}
