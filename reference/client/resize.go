package client

import (
	"context"
	"fmt"

	"nbdconform/reference/wire"
)

// Resize changes the size of the export. It waits until no request is in
// flight, and others wait for it, as the extension demands for those beyond
// the smaller size. If the context ends before the reply, the size is unknown
// and the session over.
func (c *Client) Resize(ctx context.Context, size uint64) error {
	q := wire.Request{Type: wire.CmdResize, Offset: size}
	if err := c.check(q); err != nil {
		return err
	}
	if err := c.acquire(ctx, c.resizing, q); err != nil {
		return err
	}
	defer func() { <-c.resizing }()
	held := 0
	defer func() {
		for range held {
			<-c.slots
		}
	}()
	for held < cap(c.slots)-1 { // the last one is for the request itself
		if err := c.acquire(ctx, c.slots, q); err != nil {
			return err
		}
		held++
	}
	t, err := c.start(ctx, q, nil)
	if err != nil {
		return err
	}
	err = c.wait(ctx, t, nil)
	switch {
	case err == nil:
		c.size.Store(size)
	case ctx.Err() != nil:
		c.fail(&SessionError{Err: fmt.Errorf("the size of the export is unknown: %w", err)})
	}
	return err
}
