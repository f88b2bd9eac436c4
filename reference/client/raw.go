package client

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"net"
	"time"

	"nbdconform/reference/wire"
)

// A Raw speaks single messages over a connection and keeps no rules: it sends
// what it is told, in any order, and returns what comes. It is the door for
// specs and fuzzers; [Client] is the polite one.
//
// Methods must not be called from several goroutines at once, except that one
// may send while another receives. A context that ends wakes a blocked method,
// which then returns the context's error; the connection is of no use after that.
type Raw struct {
	conn net.Conn
	r    *bufio.Reader
	buf  []byte
	lim  wire.Limits
}

// NewRaw starts a raw conversation on conn. The caller still owns conn.
func NewRaw(conn net.Conn) *Raw {
	return &Raw{conn: conn, r: bufio.NewReaderSize(conn, 64<<10), lim: wire.DefaultLimits}
}

// Conn is the connection underneath.
func (c *Raw) Conn() net.Conn { return c.conn }

// SetLimits replaces the limits on what the server may make c allocate.
func (c *Raw) SetLimits(lim wire.Limits) { c.lim = lim }

// Buffered is how many received bytes no method has returned yet.
func (c *Raw) Buffered() int { return c.r.Buffered() }

// within runs f and interrupts its I/O with setDeadline when ctx ends.
func within(ctx context.Context, setDeadline func(time.Time) error, f func() error) error {
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	if ctx.Done() == nil {
		return f()
	}
	interrupted := make(chan struct{})
	stop := context.AfterFunc(ctx, func() {
		defer close(interrupted)
		_ = setDeadline(time.Unix(1, 0))
	})
	err := f()
	if stop() {
		return err
	}
	<-interrupted
	if err == nil {
		return setDeadline(time.Time{}) // the context ended too late to matter
	}
	return fmt.Errorf("%w: %w", context.Cause(ctx), err)
}

func (c *Raw) within(ctx context.Context, f func() error) error {
	return within(ctx, c.conn.SetReadDeadline, f)
}

// Send sends bytes as they are.
func (c *Raw) Send(ctx context.Context, b []byte) error {
	return within(ctx, c.conn.SetWriteDeadline, func() error {
		if _, err := c.conn.Write(b); err != nil {
			return fmt.Errorf("sending %d bytes: %w", len(b), err)
		}
		return nil
	})
}

// Greeting reads the greeting of newstyle negotiation.
func (c *Raw) Greeting(ctx context.Context) (g wire.Greeting, err error) {
	err = c.within(ctx, func() (err error) {
		g, err = wire.ReadGreeting(c.r)
		return wrap("reading the greeting", err)
	})
	return g, err
}

// OldGreeting reads the greeting of oldstyle negotiation, also after
// [Raw.Greeting] has failed because that is what came.
func (c *Raw) OldGreeting(ctx context.Context) (g wire.OldGreeting, err error) {
	err = c.within(ctx, func() (err error) {
		g, err = wire.ReadOldGreeting(c.r)
		return wrap("reading the oldstyle greeting", err)
	})
	return g, err
}

// GreetsOldstyle reports whether what came when [Raw.Greeting] failed opens
// oldstyle negotiation.
func (c *Raw) GreetsOldstyle() bool {
	b, _ := c.r.Peek(min(c.r.Buffered(), wire.GreetingSize))
	_, _, err := wire.ParseOldGreeting(b)
	return len(b) == wire.GreetingSize && !isFormat(err)
}

// Unread is what came and was not read, such as the bytes over which
// [Raw.Greeting] failed. It is valid until the next read.
func (c *Raw) Unread() []byte {
	b, _ := c.r.Peek(c.r.Buffered())
	return b
}

// SendFlags sends the client's flags.
func (c *Raw) SendFlags(ctx context.Context, f wire.ClientFlags) error {
	return c.Send(ctx, f.Append(nil))
}

// SendOption sends an option with its data.
func (c *Raw) SendOption(ctx context.Context, o wire.OptionRequest) error {
	return c.Send(ctx, o.Append(nil))
}

// OptionReply reads one reply to an option.
func (c *Raw) OptionReply(ctx context.Context) (p wire.OptionReply, err error) {
	err = c.within(ctx, func() (err error) {
		p, err = wire.ReadOptionReply(c.r, c.lim)
		return wrap("reading an option reply", err)
	})
	return p, err
}

// OptionReplies reads replies up to the final one. On an error it returns those that came before.
func (c *Raw) OptionReplies(ctx context.Context) ([]wire.OptionReply, error) {
	var all []wire.OptionReply
	for {
		p, err := c.OptionReply(ctx)
		if err != nil {
			return all, err
		}
		if all = append(all, p); p.Type.IsFinal() {
			return all, nil
		}
		if len(all) > maxOptionReplies {
			return all, fmt.Errorf("reading option replies: more than %d without a final one", maxOptionReplies)
		}
	}
}

// Option sends an option and reads its replies up to the final one.
func (c *Raw) Option(ctx context.Context, o wire.OptionRequest) ([]wire.OptionReply, error) {
	if err := c.SendOption(ctx, o); err != nil {
		return nil, err
	}
	return c.OptionReplies(ctx)
}

// ExportNameReply reads the answer to NBD_OPT_EXPORT_NAME, with the reserved
// zeroes if zeroes is true.
func (c *Raw) ExportNameReply(ctx context.Context, zeroes bool) (e wire.ExportNameReply, err error) {
	err = c.within(ctx, func() (err error) {
		e, err = wire.ReadExportNameReply(c.r, zeroes)
		return wrap("reading the answer to NBD_OPT_EXPORT_NAME", err)
	})
	return e, err
}

// SendRequest sends a compact request header and a payload, which may be nil.
// That the payload has the announced length is up to the caller.
func (c *Raw) SendRequest(ctx context.Context, q wire.Request, payload []byte) error {
	c.buf = append(q.Append(c.buf[:0]), payload...)
	return c.Send(ctx, c.buf)
}

// SendExtendedRequest sends an extended request header and a payload, which may be nil.
func (c *Raw) SendExtendedRequest(ctx context.Context, q wire.Request, payload []byte) error {
	c.buf = append(q.AppendExtended(c.buf[:0]), payload...)
	return c.Send(ctx, c.buf)
}

// ReplyHeader reads the header of the next simple reply or chunk.
func (c *Raw) ReplyHeader(ctx context.Context) (p wire.Reply, err error) {
	err = c.within(ctx, func() (err error) {
		p, err = wire.ReadReply(c.r)
		return wrap("reading a reply", err)
	})
	return p, err
}

// Chunk reads the payload that h announces.
func (c *Raw) Chunk(ctx context.Context, h wire.ChunkHeader) (k wire.Chunk, err error) {
	err = c.within(ctx, func() (err error) {
		k, err = wire.ReadChunkPayload(c.r, h, c.lim)
		return err
	})
	return k, err
}

// Data reads the n bytes behind a simple reply to NBD_CMD_READ.
func (c *Raw) Data(ctx context.Context, n uint64) (b []byte, err error) {
	err = c.within(ctx, func() (err error) {
		b, err = wire.ReadPayload(c.r, n, c.lim)
		return err
	})
	return b, err
}

// LBAData reads what is behind a simple reply to NBD_CMD_GET_LBA_STATUS.
func (c *Raw) LBAData(ctx context.Context) (d wire.LBAData, err error) {
	err = c.within(ctx, func() (err error) {
		d, err = wire.ReadLBAData(c.r, c.lim)
		return err
	})
	return d, err
}

// EOF waits for the server to end the connection. It returns the bytes that
// came first, at most 64 KiB of them, and nil for an orderly end or a reset.
func (c *Raw) EOF(ctx context.Context) (rest []byte, err error) {
	err = c.within(ctx, func() error {
		for {
			b, err := c.r.ReadByte()
			if err != nil {
				if ended(err) {
					return nil
				}
				return err
			}
			if rest = append(rest, b); len(rest) >= 64<<10 {
				return errors.New("waiting for the end of the connection: the server keeps sending")
			}
		}
	})
	return rest, err
}

func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s: %w", doing, err)
}
