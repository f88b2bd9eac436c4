package server

import (
	"net"
	"sync"
)

// A writer sends replies, as many at once as have come together while it sent
// the ones before. Whoever finds it idle does the sending.
type writer struct {
	nc     net.Conn
	join   bool // one write for all, as TLS makes a record of each
	budget *budget
	failed func() // called once, when sending fails

	mu    sync.Mutex
	queue []*buffer
	bytes int // in queue
	busy  bool
	err   error

	spare []*buffer   // queue's other half
	iov   net.Buffers // scratch of whoever sends
}

// add puts a reply in the queue, for the next flush, and returns the bytes in it.
func (w *writer) add(b *buffer) int {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.queue = append(w.queue, b)
	w.bytes += len(b.b)
	return w.bytes
}

// flush sends what is in the queue, unless somebody else is at it already.
func (w *writer) flush() {
	w.mu.Lock()
	if w.busy {
		w.mu.Unlock()
		return
	}
	w.busy = true
	for len(w.queue) > 0 {
		batch, broken := w.queue, w.err != nil
		w.queue, w.bytes = w.spare[:0], 0
		w.mu.Unlock()
		var err error
		if !broken {
			err = w.send(batch)
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
	w.mu.Unlock()
}

func (w *writer) send(batch []*buffer) error {
	if len(batch) == 1 {
		_, err := w.nc.Write(batch[0].b)
		return err
	}
	if w.join {
		return w.sendJoined(batch)
	}
	all := w.iov[:0]
	for _, b := range batch {
		all = append(all, b.b)
	}
	w.iov = all // WriteTo moves the start of the slice
	_, err := w.iov.WriteTo(w.nc)
	clear(all)
	w.iov = all[:0]
	return err
}

func (w *writer) sendJoined(batch []*buffer) error {
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
