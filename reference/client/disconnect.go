package client

import (
	"context"
	"errors"
	"fmt"
	"time"

	"nbdconform/reference/wire"
)

// Disconnect initiates a soft disconnect: it takes no more requests, waits for
// the replies to those in flight, sends NBD_CMD_DISC and waits for the server
// to end the connection. If ctx ends meanwhile, NBD_CMD_DISC is sent and the
// connection closed without more waiting. When Disconnect returns, the session
// is over; nil says that all went as it should.
func (c *Client) Disconnect(ctx context.Context) error {
	c.softDisconnect(&SessionError{Err: ErrDisconnected}, 0)
	hurried := false
	select {
	case <-c.done:
	case <-ctx.Done():
		hurried = true
		c.rush()
		<-c.done
	}
	switch {
	case !errors.Is(c.err, ErrDisconnected):
		return c.err
	case hurried:
		return fmt.Errorf("disconnecting: %w", context.Cause(ctx))
	}
	return nil
}

// Close is Disconnect within Config.Grace.
func (c *Client) Close() error {
	ctx, cancel := context.WithTimeout(context.Background(), c.cfg.Grace)
	defer cancel()
	return c.Disconnect(ctx)
}

// shutDown answers NBD_ESHUTDOWN with a soft disconnect.
func (c *Client) shutDown(err *RequestError) {
	c.softDisconnect(&SessionError{Err: fmt.Errorf("the server is shutting down: %w", err)}, c.cfg.Grace)
}

// softDisconnect starts a soft disconnect unless one is under way. why is what
// later requests fail with. patience limits the wait for pending replies; 0
// does not.
func (c *Client) softDisconnect(why *SessionError, patience time.Duration) {
	c.stop.Do(func() {
		c.mu.Lock()
		c.stopping = why
		if len(c.inflight) == 0 {
			closeOnce(c.drained)
		}
		c.mu.Unlock()
		go c.sayGoodbye(why, patience)
	})
}

func (c *Client) sayGoodbye(why *SessionError, patience time.Duration) {
	defer c.rush() // releases what c.hurry holds
	c.await(c.drained, patience)
	if !c.sendDisc() || c.await(c.done, c.cfg.Grace) {
		return
	}
	if c.hurry.Err() != nil {
		c.fail(why)
		return
	}
	c.fail(violation("cmd.disc.close", "the server does not end the connection within %v of NBD_CMD_DISC", c.cfg.Grace))
}

// await waits until ch is closed, the session is over, somebody is in a hurry
// or patience, if it is not 0, is at an end. It reports whether ch was closed.
func (c *Client) await(ch <-chan struct{}, patience time.Duration) bool {
	var timeout <-chan time.Time
	if patience > 0 {
		timer := time.NewTimer(patience)
		defer timer.Stop()
		timeout = timer.C
	}
	select {
	case <-ch:
		return true
	case <-c.done:
	case <-c.hurry.Done():
	case <-timeout:
	}
	return false
}

// sendDisc sends NBD_CMD_DISC. Nothing is sent after it: register refuses.
func (c *Client) sendDisc() bool {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.hurry), c.cfg.Grace)
	defer cancel()
	select {
	case <-c.done:
		return false
	default:
	}
	q := wire.Request{Type: wire.CmdDisc}
	if err := c.acquire(ctx, c.sending.turn, q); err != nil {
		c.fail(&SessionError{Err: err})
		return false
	}
	defer func() { <-c.sending.turn }()
	c.mu.Lock()
	c.cookie++
	q.Cookie = c.cookie
	c.discSent = true
	c.mu.Unlock()
	if err := c.write(ctx, q, nil); err != nil {
		c.fail(err)
		return false
	}
	return true
}
