package judge

import (
	"errors"
	"net"
	"os"
	"sync"
)

// Conn returns a connection that behaves as c, the client's end, and tells j
// all that happens on it: what is written before it goes out, what was read
// before the reader gets it, and how either direction ended. So an answer never
// reaches the judge before its question.
//
// What the server sends and nobody reads, the judge does not see.
func Conn(c net.Conn, j *Judge) net.Conn { return &conn{Conn: c, judge: j} }

type conn struct {
	net.Conn
	judge *Judge
	write sync.Mutex // keeps the judge's order that of the wire
	read  sync.Mutex
}

// NetConn returns the connection that is wrapped. TLS is put on that one, and
// the TLS connection wrapped anew with the same judge.
func (c *conn) NetConn() net.Conn { return c.Conn }

func (c *conn) Write(b []byte) (int, error) {
	c.write.Lock()
	defer c.write.Unlock()
	c.judge.FromClient(b)
	return c.Conn.Write(b)
}

func (c *conn) Read(b []byte) (int, error) {
	c.read.Lock()
	defer c.read.Unlock()
	n, err := c.Conn.Read(b)
	c.judge.FromServer(b[:n])
	if err != nil && !errors.Is(err, os.ErrDeadlineExceeded) && !errors.Is(err, net.ErrClosed) {
		c.judge.ServerClosed(err)
	}
	return n, err
}

func (c *conn) Close() error {
	c.judge.ClientClosed(nil)
	return c.Conn.Close()
}

// CloseWrite ends the client's direction, if the connection can.
func (c *conn) CloseWrite() error {
	half, ok := c.Conn.(interface{ CloseWrite() error })
	if !ok {
		return errors.ErrUnsupported
	}
	c.judge.ClientClosed(nil)
	return half.CloseWrite()
}
