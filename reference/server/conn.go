package server

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"sync"
	"time"

	"nbdconform/reference/wire"
)

// A conn is one connection. While it haggles, it has one goroutine and a
// buffer of haggleBuffer bytes.
type conn struct {
	Session
	srv   *Server
	hooks Hooks
	br    *bufio.Reader
	fixed bool // NBD_FLAG_FIXED_NEWSTYLE was offered

	requests uint64 // that were read
	owned    bool   // nobody else holds nc

	ncMu sync.Mutex
	nc   net.Conn // replaced where TLS starts, see transport

	sendMu sync.Mutex // of bytes that hooks had their hands on
	once   sync.Once
	gone   chan struct{} // closed with nc
}

// Sizes of read buffers, in bytes; see also readAhead.
const (
	haggleBuffer   = 512
	transmitBuffer = 32 << 10 // without a line
)

func newConn(s *Server, nc net.Conn) *conn {
	c := &conn{srv: s, nc: nc, gone: make(chan struct{})}
	if s.cfg.ConnHooks != nil {
		c.hooks = s.cfg.ConnHooks()
	} else if s.cfg.Hooks != nil {
		c.hooks = *s.cfg.Hooks
	}
	c.Session = Session{ID: s.lastID.Add(1), skip: c.hooks.Skip, conn: c}
	if c.hooks.Conn != nil {
		c.nc = c.hooks.Conn(&c.Session, nc)
	}
	c.br = bufio.NewReaderSize(c.nc, haggleBuffer)
	return c
}

func (c *conn) close() {
	c.once.Do(func() {
		c.ncMu.Lock()
		nc := c.nc
		close(c.gone)
		c.ncMu.Unlock()
		_ = nc.Close() // shuts TLS down first
	})
}

// serve runs both phases of the protocol.
func (c *conn) serve() error {
	if t := c.srv.cfg.HandshakeTimeout; t > 0 {
		if err := c.nc.SetDeadline(time.Now().Add(t)); err != nil {
			return fmt.Errorf("setting the deadline of the handshake: %w", err)
		}
	}
	enter, err := c.handshake()
	if err != nil || !enter {
		return err
	}
	if err := c.transport().SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("clearing the deadline of the handshake: %w", err)
	}
	return c.transmission()
}

// takeLine has the connection run over a line, if it can and one is free.
func (c *conn) takeLine() error {
	if !c.owned || c.hooks.Reply != nil {
		return nil
	}
	if c.srv.lines.Add(1) > maxLines {
		c.srv.lines.Add(-1)
		return nil
	}
	l := newLine(c.transport(), func() { c.srv.lines.Add(-1) })
	if l == nil {
		c.srv.lines.Add(-1)
		return nil
	}
	if !c.replace(l) {
		_ = l.Close()
		return net.ErrClosed
	}
	return nil
}

// discard reads n bytes that nobody wants, so that the stream stays in step.
// Beyond the limit it gives up: reading on would only help an attacker.
func (c *conn) discard(what string, n uint64) error {
	if n > uint64(c.srv.cfg.DiscardLimit) {
		return &wire.TooLongError{What: what, Length: n, Limit: uint64(c.srv.cfg.DiscardLimit)}
	}
	if _, err := c.br.Discard(int(n)); err != nil {
		return fmt.Errorf("discarding %d bytes of %s: %w", n, what, err)
	}
	return nil
}

// stall reads on, and throws away what it reads, until the client or the
// server closes the connection.
func (c *conn) stall() error {
	if err := c.transport().SetDeadline(time.Time{}); err != nil {
		return fmt.Errorf("clearing the deadline: %w", err)
	}
	_, err := io.Copy(io.Discard, c.br)
	return err
}
