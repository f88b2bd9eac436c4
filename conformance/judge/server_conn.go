package judge

import (
	"errors"
	"io"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"nbdconform/reference/starttls"
)

// A Watcher is told what happens on a connection, as a [Judge] is.
type Watcher interface {
	FromClient(b []byte) // b is only valid during the call
	FromServer(b []byte)
	// Decrypted says that what follows is the plain text from within TLS.
	Decrypted()
	ClientClosed(err error)
	ServerClosed(err error)
}

// A ServerConn is the server's end of a connection, and tells a watcher all that
// happens on it: what was read before the reader gets it, what is written
// before it goes out, and how either direction ended.
//
// Before a message of the server goes out, the watcher is told what the client
// has sent by then, as far as it has arrived: a judge shall know what the client
// said without having seen the answer.
type ServerConn struct {
	net.Conn
	told   Watcher
	read   sync.Mutex
	early  []byte // was read before anybody asked for it
	secure atomic.Bool
	inTLS  atomic.Pointer[tlsServerConn]

	mu  sync.Mutex
	end error // how the client ended its direction; nil: it did not
}

// NewServerConn wraps the server's end of a connection.
func NewServerConn(c net.Conn, w Watcher) *ServerConn { return &ServerConn{Conn: c, told: w} }

// NetConn returns the connection that is wrapped.
func (c *ServerConn) NetConn() net.Conn { return c.Conn }

// ClientEnd says how the client ended its direction: io.EOF if it did so in
// order, nil if it has not.
func (c *ServerConn) ClientEnd() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.end
}

// Notified reports whether TLS runs, and whether the client shut its side of it down.
func (c *ServerConn) Notified() (tls, notified bool) {
	t := c.inTLS.Load()
	return t != nil, t != nil && t.Notified()
}

func (c *ServerConn) Read(b []byte) (int, error) {
	c.read.Lock()
	defer c.read.Unlock()
	if len(c.early) > 0 {
		n := copy(b, c.early)
		c.early = c.early[n:]
		return n, nil
	}
	n, err := c.Conn.Read(b)
	c.received(b[:n], err)
	return n, err
}

func (c *ServerConn) received(b []byte, err error) {
	if c.secure.Load() {
		return
	}
	c.told.FromClient(b)
	c.over(err)
}

func (c *ServerConn) over(err error) {
	if err == nil || errors.Is(err, os.ErrDeadlineExceeded) || errors.Is(err, net.ErrClosed) {
		return
	}
	c.mu.Lock()
	c.end = err
	c.mu.Unlock()
	c.told.ClientClosed(err)
}

func (c *ServerConn) Write(b []byte) (int, error) {
	if !c.secure.Load() {
		c.lookAhead()
		c.told.FromServer(b)
	}
	n, err := c.Conn.Write(b)
	if err != nil {
		drain(c)
	}
	return n, err
}

// drain reads what the client had to say before it hung up on a write.
func drain(c net.Conn) {
	_ = c.SetReadDeadline(time.Now().Add(time.Second))
	_, _ = io.Copy(io.Discard, reader{c})
}

// A reader has no other methods for io.Copy to find.
type reader struct{ io.Reader }

// lookAhead reads what has arrived, unless somebody is reading.
func (c *ServerConn) lookAhead() {
	s, ok := c.Conn.(syscall.Conn)
	if !ok || !c.read.TryLock() {
		return
	}
	defer c.read.Unlock()
	raw, err := s.SyscallConn()
	if err != nil || len(c.early) > 1<<20 {
		return
	}
	b := make([]byte, 64<<10)
	n := 0
	err = raw.Read(func(fd uintptr) bool {
		n, _, _ = syscall.Recvfrom(int(fd), b, syscall.MSG_DONTWAIT)
		return true
	})
	if err == nil && n > 0 {
		c.early = append(c.early, b[:n]...)
		c.received(b[:n], nil)
	}
}

// Close tells the watcher that the server hangs up.
func (c *ServerConn) Close() error {
	if !c.secure.Load() {
		c.told.ServerClosed(nil)
	}
	return c.Conn.Close()
}

// CloseWrite ends the server's direction, if the connection can.
func (c *ServerConn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

// SetDeadline is that of the connection.
func (c *ServerConn) SetDeadline(t time.Time) error { return c.Conn.SetDeadline(t) }

// Secured tells that TLS, which was put on c, is up, and returns the connection
// within TLS that tells the watcher its plain text.
func (c *ServerConn) Secured(t starttls.Conn) starttls.Conn {
	c.secure.Store(true)
	c.told.Decrypted()
	s := &tlsServerConn{Conn: t, under: c}
	c.inTLS.Store(s)
	return s
}

type tlsServerConn struct {
	starttls.Conn
	under *ServerConn
}

func (c *tlsServerConn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.under.told.FromClient(b[:n])
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err2 := io.EOF // that TLS was not shut down is no business of NBD's in general
		c.under.over(err2)
	} else {
		c.under.over(err)
	}
	return n, err
}

func (c *tlsServerConn) Write(b []byte) (int, error) {
	c.under.told.FromServer(b)
	n, err := c.Conn.Write(b)
	if err != nil {
		drain(c)
	}
	return n, err
}

func (c *tlsServerConn) Close() error {
	c.under.told.ServerClosed(nil)
	return c.Conn.Close()
}

// NetConn is the connection underneath TLS.
func (c *tlsServerConn) NetConn() net.Conn { return c.under }
