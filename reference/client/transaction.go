package client

import (
	"context"
	"fmt"
	"sync"

	"nbdconform/reference/wire"
)

// A transaction is a request and all that came of it. Its owner is the
// goroutine that waits for it until it gives it up: then receive is, and
// puts it away once the final reply came.
type transaction struct {
	request wire.Request // of NBD_CMD_BLOCK_STATUS, with the effect length
	filter  []uint32     // metadata contexts that a block status is limited to; nil: all
	data    []byte       // where the data of a read goes
	// exclusive says that nobody will give up the transaction, so that receive
	// can read into data without asking.
	exclusive bool
	reply     reply // for receive alone
	done      chan struct{}

	mu       sync.Mutex
	finished bool
	given    bool // the owner gave it up: data is not to be touched
	err      error
}

// register takes a request into the list of those in flight and gives it its
// cookie. It fails when the session is over or about to be.
func (c *Client) register(q wire.Request, p []byte, exclusive bool) (*transaction, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err != nil {
		return nil, c.err
	}
	if c.stopping != nil {
		return nil, c.stopping
	}
	var t *transaction
	if n := len(c.free); n > 0 {
		t, c.free = c.free[n-1], c.free[:n-1]
	} else {
		t = &transaction{done: make(chan struct{}, 1)}
	}
	if len(c.inflight) == 0 && c.cfg.breaks("trans.cookie.fresh") {
		c.cookie = 0
	}
	c.cookie++
	q.Cookie = c.cookie
	t.request, t.exclusive = q, exclusive
	switch {
	case q.Type == wire.CmdRead:
		t.data = p
	case q.Type == wire.CmdBlockStatus && p != nil:
		f, err := wire.ParseStatusFilter(p)
		if err != nil {
			return nil, usageOf(err)
		}
		t.filter = f.ContextIDs
	}
	c.inflight[q.Cookie] = t
	return t, nil
}

// finish ends a transaction: its final reply came, or the session is over.
func (c *Client) finish(t *transaction, err error) {
	c.mu.Lock()
	delete(c.inflight, t.request.Cookie)
	if c.stopping != nil && len(c.inflight) == 0 {
		closeOnce(c.drained)
	}
	c.mu.Unlock()
	<-c.slots

	t.mu.Lock()
	t.finished, t.err = true, err
	given := t.given
	t.mu.Unlock()
	if given {
		c.recycle(t)
		return
	}
	t.done <- struct{}{}
}

// wait waits for the end of t and puts it away. If got is not nil, it gets
// what came. If ctx ends first, t is given up: the reply is still
// read and checked, but goes nowhere.
func (c *Client) wait(ctx context.Context, t *transaction, got *reply) error {
	if ctx.Done() == nil {
		<-t.done
	} else {
		select {
		case <-t.done:
		case <-ctx.Done():
			q := t.request
			if t.giveUp() {
				return fmt.Errorf("waiting for the reply to %v at offset %d, length %d: %w", q.Type, q.Offset, q.Length, context.Cause(ctx))
			}
			<-t.done
		}
	}
	err := t.err
	if got != nil {
		*got = t.reply
	}
	c.recycle(t)
	return err
}

// giveUp leaves t to receive, unless it finished.
func (t *transaction) giveUp() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.finished {
		return false
	}
	t.given, t.data = true, nil
	return true
}

func (c *Client) recycle(t *transaction) {
	t.data, t.filter, t.err, t.finished, t.given = nil, nil, nil, false, false
	t.reply.reset()
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.free) < 64 {
		c.free = append(c.free, t)
	}
}

// closeOnce closes ch if it is open. Callers hold one lock.
func closeOnce(ch chan struct{}) {
	select {
	case <-ch:
	default:
		close(ch)
	}
}
