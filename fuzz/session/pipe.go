package session

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"time"
)

// Pipe returns the two ends of a connection in memory. Unlike those of
// net.Pipe they have buffers without a limit, so that writing never waits; a
// direction can be closed by itself; and what one Write wrote is a segment:
// no Read returns more than one.
func Pipe() (near, far net.Conn) {
	a, b := newQueue(), newQueue()
	return &end{in: a, out: b}, &end{in: b, out: a}
}

// A queue is one direction.
type queue struct {
	mu       sync.Mutex
	ready    sync.Cond
	segments [][]byte
	free     [][]byte // spent segments
	closed   bool     // the writer is done
	err      error    // why, if not in order
	gone     bool     // nobody reads any more
	deadline time.Time
	timer    *time.Timer
}

func newQueue() *queue {
	q := &queue{}
	q.ready.L = &q.mu
	return q
}

func (q *queue) write(b []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	switch {
	case q.closed:
		return 0, net.ErrClosed
	case q.gone:
		return 0, io.ErrClosedPipe
	case len(b) == 0:
		return 0, nil
	}
	var s []byte
	if n := len(q.free); n > 0 && cap(q.free[n-1]) >= len(b) {
		s, q.free = q.free[n-1][:0], q.free[:n-1]
	}
	q.segments = append(q.segments, append(s, b...))
	q.ready.Signal()
	return len(b), nil
}

func (q *queue) read(b []byte) (int, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	for {
		switch {
		case q.gone:
			return 0, net.ErrClosed
		case len(q.segments) > 0:
			n := copy(b, q.segments[0])
			if rest := q.segments[0][n:]; len(rest) > 0 {
				q.segments[0] = rest
			} else {
				if len(q.free) < 2 && cap(q.segments[0]) <= 64<<10 {
					q.free = append(q.free, q.segments[0])
				}
				q.segments = q.segments[1:]
			}
			return n, nil
		case q.closed && q.err != nil:
			return 0, q.err
		case q.closed:
			return 0, io.EOF
		case !q.deadline.IsZero() && !time.Now().Before(q.deadline):
			return 0, os.ErrDeadlineExceeded
		}
		q.arm()
		q.ready.Wait()
	}
}

// arm has the reader woken at its deadline. q.mu is held.
func (q *queue) arm() {
	if q.deadline.IsZero() {
		return
	}
	d := time.Until(q.deadline)
	if q.timer == nil {
		q.timer = time.AfterFunc(d, q.wake)
		return
	}
	q.timer.Reset(d)
}

func (q *queue) wake() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ready.Broadcast()
}

func (q *queue) set(deadline time.Time) {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.deadline = deadline
	q.ready.Broadcast()
}

// finish ends the direction: the reader gets what is left, and then io.EOF.
func (q *queue) finish() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.closed = true
	q.ready.Broadcast()
}

// leave throws away what is left: nobody reads any more.
func (q *queue) leave() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.gone, q.segments, q.free = true, nil, nil
	if q.timer != nil {
		q.timer.Stop()
	}
	q.ready.Broadcast()
}

// An end is one side of a Pipe.
type end struct{ in, out *queue }

func (e *end) Read(b []byte) (int, error)  { return e.in.read(b) }
func (e *end) Write(b []byte) (int, error) { return e.out.write(b) }

func (e *end) CloseWrite() error {
	e.out.finish()
	return nil
}

func (e *end) Close() error {
	e.out.finish()
	e.in.leave()
	return nil
}

type address struct{}

func (address) Network() string { return "memory" }
func (address) String() string  { return "memory" }

func (e *end) LocalAddr() net.Addr  { return address{} }
func (e *end) RemoteAddr() net.Addr { return address{} }

func (e *end) SetDeadline(t time.Time) error     { return e.SetReadDeadline(t) }
func (e *end) SetWriteDeadline(time.Time) error  { return nil } // writing never waits
func (e *end) SetReadDeadline(t time.Time) error { e.in.set(t); return nil }

// A pumped connection reads ahead, without a limit: a peer that waits until
// its replies are taken never stops a client that is still sending.
type pumped struct {
	net.Conn
	in *queue
}

func pump(nc net.Conn) net.Conn {
	if _, ok := nc.(*end); ok {
		return nc
	}
	p := &pumped{Conn: nc, in: newQueue()}
	go func() {
		b := make([]byte, 64<<10)
		for {
			n, err := nc.Read(b)
			if n > 0 {
				if _, err := p.in.write(b[:n]); err != nil {
					return
				}
			}
			if err != nil {
				p.in.fail(err)
				return
			}
		}
	}()
	return p
}

// fail ends the direction for a reason.
func (q *queue) fail(err error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if q.closed = true; !errors.Is(err, io.EOF) {
		q.err = err
	}
	q.ready.Broadcast()
}

func (p *pumped) Read(b []byte) (int, error)        { return p.in.read(b) }
func (p *pumped) SetReadDeadline(t time.Time) error { p.in.set(t); return nil }

func (p *pumped) SetDeadline(t time.Time) error {
	p.in.set(t)
	return p.Conn.SetWriteDeadline(t)
}

func (p *pumped) Close() error {
	err := p.Conn.Close()
	p.in.leave()
	return err
}

func (p *pumped) CloseWrite() error {
	if h, ok := p.Conn.(interface{ CloseWrite() error }); ok {
		return h.CloseWrite()
	}
	return os.ErrInvalid
}
