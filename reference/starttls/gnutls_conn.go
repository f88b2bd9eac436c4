//go:build (linux || freebsd || darwin) && (amd64 || arm64) && !nopsk

package starttls

import (
	"errors"
	"fmt"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"
)

// A gnutlsConn is a connection of GnuTLS. The library never sees the connection
// underneath: it takes what it reads from one buffer and puts what it writes
// into another, both in memory. So no call of it ever waits, one lock keeps
// its session to one goroutine at a time, and deadlines are those of nc.
type gnutlsConn struct {
	nc     net.Conn
	lib    *gnutls
	number uintptr
	free   func()

	protocol string

	reading sync.Mutex // is held by Read
	fetched [16 << 10]byte

	writing  sync.Mutex // is held by whoever sends what is in out
	writeErr error      // why nothing can be sent any more

	mu      sync.Mutex // guards what follows
	session uintptr    // 0: released
	in      []byte     // received and not pulled yet
	ended   bool       // nothing more will be received
	out     []byte     // pushed and not sent yet
	bye     bool       // close_notify was pushed

	closing  sync.Once
	notified atomic.Bool
}

const (
	recordSize = 16 << 10
	batchSize  = 8 * recordSize // what one write to the network is made of
)

// push takes what the library sends; mu is held.
func (c *gnutlsConn) push(b []byte) int {
	c.out = append(c.out, b...)
	return len(b)
}

// pull gives the library what was received; mu is held. -1: nothing now; 0: never again.
func (c *gnutlsConn) pull(b []byte) int {
	if len(c.in) == 0 {
		if c.ended {
			return 0
		}
		return -1
	}
	n := copy(b, c.in)
	if c.in = c.in[n:]; len(c.in) == 0 {
		c.in = nil
	}
	return n
}

// fetch receives more.
func (c *gnutlsConn) fetch() error {
	n, err := c.nc.Read(c.fetched[:])
	c.mu.Lock()
	defer c.mu.Unlock()
	c.in = append(c.in, c.fetched[:n]...)
	if errors.Is(err, io.EOF) {
		c.ended = true
		return nil
	}
	if n > 0 {
		return nil
	}
	return err
}

// flush sends what is in out, unless somebody else is at it, who will see to it.
func (c *gnutlsConn) flush() error {
	for c.pending() {
		if !c.writing.TryLock() {
			return nil
		}
		err := c.drain()
		c.writing.Unlock()
		if err != nil {
			return err
		}
	}
	return nil
}

func (c *gnutlsConn) pending() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.out) > 0
}

// drain sends what is in out; writing is held.
func (c *gnutlsConn) drain() error {
	c.mu.Lock()
	b := c.out
	c.out = nil
	c.mu.Unlock()
	if c.writeErr == nil && len(b) > 0 {
		_, c.writeErr = c.nc.Write(b) // a record cut short can't be mended
	}
	return c.writeErr
}

func (c *gnutlsConn) Read(b []byte) (int, error) {
	if len(b) == 0 {
		return 0, nil
	}
	c.reading.Lock()
	defer c.reading.Unlock()
	for {
		c.mu.Lock()
		if c.session == 0 {
			c.mu.Unlock()
			return 0, net.ErrClosed
		}
		n := c.lib.recv(c.session, &b[0], uintptr(len(b)))
		c.mu.Unlock()
		_ = c.flush() // an alert, or the answer to a change of keys
		switch {
		case n > 0:
			return n, nil
		case n == 0:
			c.notified.Store(true)
			return 0, io.EOF
		case n == gnutlsPremature:
			return 0, io.EOF
		case n == gnutlsAgain:
			if err := c.fetch(); err != nil {
				return 0, err
			}
		case c.lib.fatal(int32(n)) != 0:
			return 0, c.lib.check(int32(n), "reading from TLS")
		}
	}
}

func (c *gnutlsConn) Write(b []byte) (sent int, err error) {
	c.writing.Lock()
	for sent < len(b) && err == nil {
		part := b[sent:min(len(b), sent+batchSize)]
		if err = c.encrypt(part); err == nil {
			err = c.drain()
		}
		if err == nil {
			sent += len(part)
		}
	}
	c.writing.Unlock()
	if err == nil {
		err = c.flush()
	}
	return sent, err
}

// encrypt pushes the records of b; writing is held.
func (c *gnutlsConn) encrypt(b []byte) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	for len(b) > 0 {
		if c.session == 0 || c.bye {
			return net.ErrClosed
		}
		n := c.lib.send(c.session, &b[0], uintptr(min(len(b), recordSize)))
		if n < 0 {
			if c.lib.fatal(int32(n)) == 0 {
				continue
			}
			return c.lib.check(int32(n), "writing to TLS")
		}
		b = b[n:]
	}
	return nil
}

// sayBye pushes close_notify.
func (c *gnutlsConn) sayBye() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session == 0 || c.bye {
		return nil
	}
	c.bye = true
	return c.lib.check(c.lib.bye(c.session, gnutlsShutWR), "shutting TLS down")
}

// CloseWrite implements [Conn].
func (c *gnutlsConn) CloseWrite() error {
	c.writing.Lock()
	err := c.sayBye()
	if err == nil {
		err = c.drain()
	}
	c.writing.Unlock()
	if err != nil {
		return err
	}
	return endWriting(c.nc)
}

// Close implements [Conn]. It waits a moment for a Write that is under way.
func (c *gnutlsConn) Close() (err error) {
	err = fmt.Errorf("closing TLS: %w", net.ErrClosed)
	c.closing.Do(func() {
		if !c.writing.TryLock() {
			_ = c.nc.SetWriteDeadline(time.Now().Add(lastWrite))
			c.writing.Lock()
		}
		_ = c.nc.SetWriteDeadline(time.Now().Add(lastAlert))
		if c.sayBye() == nil {
			_ = c.drain()
		}
		c.writing.Unlock()
		err = c.nc.Close()
		c.release()
	})
	return err
}

// release frees what the library has.
func (c *gnutlsConn) release() {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.session != 0 {
		c.lib.deinit(c.session)
		c.session = 0
		sessions.Delete(c.number)
		c.free()
	}
}

func (c *gnutlsConn) Notified() bool { return c.notified.Load() }

func (c *gnutlsConn) NetConn() net.Conn { return c.nc }

func (c *gnutlsConn) Protocol() string { return c.protocol }

func (c *gnutlsConn) LocalAddr() net.Addr                { return c.nc.LocalAddr() }
func (c *gnutlsConn) RemoteAddr() net.Addr               { return c.nc.RemoteAddr() }
func (c *gnutlsConn) SetDeadline(t time.Time) error      { return c.nc.SetDeadline(t) }
func (c *gnutlsConn) SetReadDeadline(t time.Time) error  { return c.nc.SetReadDeadline(t) }
func (c *gnutlsConn) SetWriteDeadline(t time.Time) error { return c.nc.SetWriteDeadline(t) }
