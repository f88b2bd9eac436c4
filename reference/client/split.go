package client

import (
	"context"

	"nbdconform/reference/wire"
)

// window is how many parts of one large request are in flight at once.
const window = 8

// do checks q, sends it, in parts if need be, and waits for the replies. p is
// the data of a write and where that of a read goes.
func (c *Client) do(ctx context.Context, q wire.Request, p []byte) error {
	if err := c.check(q); err != nil {
		return err
	}
	most := c.maxEffect
	if q.Type == wire.CmdRead || q.Type == wire.CmdWrite {
		most = c.maxPayload
	}
	switch {
	case q.Length == 0 && q.Type != wire.CmdFlush:
		return nil // a client should not ask for nothing
	case q.Length <= most:
		t, err := c.start(ctx, q, p)
		if err != nil {
			return err
		}
		return c.wait(ctx, t, nil)
	}
	return c.split(ctx, q, p, most)
}

// split is do for what is longer than most.
func (c *Client) split(ctx context.Context, q wire.Request, p []byte, most uint64) (first error) {
	var parts [window]*transaction
	sent, answered := 0, 0
	for q.Length > 0 && first == nil || answered < sent {
		if q.Length > 0 && first == nil && sent-answered < window {
			part := q
			part.Length = min(q.Length, c.cut(q.Offset, most))
			var data []byte
			if p != nil {
				data, p = p[:part.Length], p[part.Length:]
			}
			q.Offset, q.Length = q.Offset+part.Length, q.Length-part.Length
			t, err := c.start(ctx, part, data)
			if err == nil {
				parts[sent%window] = t
				sent++
			}
			first = err
			continue
		}
		t := parts[answered%window]
		answered++
		if err := c.wait(ctx, t, nil); first == nil {
			first = err
		}
	}
	return first
}

// cut is the length of a part at offset that makes the next begin at a
// multiple of the preferred block size, where possible.
func (c *Client) cut(offset, most uint64) uint64 {
	over := (offset + most) % uint64(c.export.Constraints.Preferred)
	if over < most {
		return most - over
	}
	return most
}
