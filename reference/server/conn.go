package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"time"

	"nbdconform/reference/server/internal/engine"
	"nbdconform/reference/wire"
)

// A conn is one connection. In the handshake it has one goroutine and a buffer
// of handshakeBuffer bytes.
type conn struct {
	Session
	srv       *Server
	hooks     Hooks
	transport *engine.Transport
	br        *bufio.Reader
	fixed     bool // NBD_FLAG_FIXED_NEWSTYLE was offered

	requests uint64 // that were read
	owned    bool   // nothing else has the net.Conn
}

// handshakeBuffer is how much is read at once during the handshake, in bytes.
const handshakeBuffer = 512

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{srv: s}
	if s.cfg.ConnHooks != nil {
		c.hooks = s.cfg.ConnHooks()
	} else if s.cfg.Hooks != nil {
		c.hooks = *s.cfg.Hooks
	}
	c.Session = Session{ID: s.lastID.Add(1), skip: c.hooks.Skip, conn: c}
	if c.hooks.Conn != nil {
		nc = c.hooks.Conn(&c.Session, nc)
	}
	c.transport = engine.NewTransport(nc)
	c.br = bufio.NewReaderSize(nc, handshakeBuffer)
	return c
}

// serve runs both phases of the protocol.
func (c *conn) serve() error {
	if t := c.srv.cfg.HandshakeTimeout; t > 0 {
		if err := c.transport.SetDeadline(time.Now().Add(t)); err != nil {
			return fmt.Errorf("setting the deadline of the handshake: %w", err)
		}
	}
	enter, err := c.handshake()
	if err != nil || !enter {
		return err
	}
	if err := c.transport.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("clearing the deadline of the handshake: %w", err)
	}
	return c.transmission()
}

// discard reads n bytes and drops them, so that the stream stays in sync.
func (c *conn) discard(what string, n uint64) error {
	if err := c.checkDiscard(what, n); err != nil {
		return err
	}
	if _, err := c.br.Discard(int(n)); err != nil {
		return fmt.Errorf("discarding %d bytes of %s: %w", n, what, err)
	}
	return nil
}

// checkDiscard ends the session instead of dropping more than Config.DiscardLimit
// bytes: to read on would only help an attacker.
func (c *conn) checkDiscard(what string, n uint64) error {
	if limit := uint64(c.srv.cfg.DiscardLimit); n > limit {
		return &wire.TooLongError{What: what, Length: n, Limit: limit}
	}
	return nil
}

// stall reads and drops everything, until the client or the server closes the
// connection.
func (c *conn) stall() error {
	if err := c.transport.SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("clearing the deadline: %w", err)
	}
	_, err := io.Copy(io.Discard, c.br)
	return err
}

// rebuffer has the handshake read from the transport as it is now, TLS. What was
// buffered comes first: nothing, unless hooks accept plaintext.
func (c *conn) rebuffer() {
	rest, _ := c.br.Peek(c.br.Buffered())
	c.br = bufio.NewReaderSize(&prefixed{prefix: rest, Reader: c.transport.Conn()}, handshakeBuffer)
}

// prefixed reads prefix first.
type prefixed struct {
	prefix []byte
	io.Reader
}

func (p *prefixed) Read(b []byte) (int, error) {
	if len(p.prefix) > 0 {
		n := copy(b, p.prefix)
		p.prefix = p.prefix[n:]
		return n, nil
	}
	return p.Reader.Read(b)
}
