package client

import (
	"context"
	"fmt"
	"net"
	"sync"
	"time"

	"nbdconform/reference/wire"
)

// copyBelow is the length of a payload, in bytes, up to which copying it behind
// its header beats a second buffer for the kernel.
const copyBelow = 16 << 10

// sending is what goes with writing to the connection.
type sending struct {
	turn    chan struct{} // holds one entry while a goroutine writes
	header  []byte        // scratch of whose turn it is
	vector  [2][]byte
	buffers net.Buffers

	mu     sync.Mutex
	cookie uint64 // of the request that is being written, or 0
}

// start sends a request, which has been checked and fits into one. p is its
// payload, or where the data of a read goes. The transaction that it returns
// has to be waited for.
func (c *Client) start(ctx context.Context, q wire.Request, p []byte) (*transaction, error) {
	if err := c.acquire(ctx, c.slots, q); err != nil {
		return nil, err
	}
	if err := c.acquire(ctx, c.sending.turn, q); err != nil {
		<-c.slots
		return nil, err
	}
	defer func() { <-c.sending.turn }()
	if c.extended && q.Type == wire.CmdWrite {
		q.Flags |= wire.CmdFlagPayloadLen
	}
	t, err := c.register(q, p, ctx.Done() == nil)
	if err != nil {
		<-c.slots
		return nil, err
	}
	if q.Type == wire.CmdRead {
		p = nil
	}
	if err := c.write(ctx, t.request, p); err != nil {
		c.fail(err) // receive wakes up and finishes all transactions
	}
	return t, nil
}

// acquire puts an entry into ch as soon as there is room.
func (c *Client) acquire(ctx context.Context, ch chan struct{}, q wire.Request) error {
	if ctx.Err() == nil {
		select {
		case ch <- struct{}{}:
			return nil
		default:
		}
		select {
		case ch <- struct{}{}:
			return nil
		case <-c.done:
			return c.err
		case <-ctx.Done():
		}
	}
	return fmt.Errorf("waiting to send %v at offset %d, length %d: %w", q.Type, q.Offset, q.Length, context.Cause(ctx))
}

// write writes a request. If ctx ends meanwhile, there is Config.Grace left to
// complete it: half a request can't be taken back.
func (c *Client) write(ctx context.Context, q wire.Request, p []byte) *SessionError {
	if ctx.Done() != nil {
		defer c.guard(ctx, q.Cookie)()
	}
	s := &c.sending
	s.header = c.header(s.header[:0], q, p)
	var err error
	if h := c.cfg.Hooks; h != nil && h.Request != nil {
		err = c.sendHooked(q, p)
	} else if len(p) <= copyBelow {
		s.header = append(s.header, p...)
		_, err = c.conn.Write(s.header)
	} else {
		s.vector = [2][]byte{s.header, p}
		s.buffers = s.vector[:]
		_, err = s.buffers.WriteTo(c.conn)
		s.vector, s.buffers = [2][]byte{}, nil
	}
	if err == nil {
		return nil
	}
	if ctx.Err() != nil {
		err = fmt.Errorf("%w: %w", context.Cause(ctx), err)
	}
	return &SessionError{Err: fmt.Errorf("sending %v: %w", q.Type, err)}
}

// header appends the header of a request with payload p to b.
func (c *Client) header(b []byte, q wire.Request, p []byte) []byte {
	if !c.extended {
		return q.Append(b)
	}
	if q.Flags&wire.CmdFlagPayloadLen != 0 {
		q.Length = uint64(len(p))
	}
	return q.AppendExtended(b)
}

// guard limits the time for the write of the request with that cookie from the
// moment when ctx ends. The function that it returns undoes that.
func (c *Client) guard(ctx context.Context, cookie uint64) (undo func()) {
	s := &c.sending
	s.mu.Lock()
	s.cookie = cookie
	s.mu.Unlock()
	stop := context.AfterFunc(ctx, func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		if s.cookie == cookie {
			_ = c.conn.SetWriteDeadline(time.Now().Add(c.cfg.Grace))
		}
	})
	return func() {
		stopped := stop()
		s.mu.Lock()
		defer s.mu.Unlock()
		s.cookie = 0
		if !stopped {
			_ = c.conn.SetWriteDeadline(time.Time{})
		}
	}
}

// fail ends the session with a hard disconnect. receive does the rest.
func (c *Client) fail(err *SessionError) {
	c.mu.Lock()
	if c.err == nil {
		c.err = err
	}
	c.mu.Unlock()
	if t := c.TLS(); t != nil && err.Violation && c.cfg.breaks("trans.end.hard.tls-shutdown.client") {
		_ = t.NetConn().Close()
		return
	}
	_ = c.conn.Close()
}
