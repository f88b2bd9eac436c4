package campaign

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"nbdconform/conformance/judge"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// A misbehaving is the reference server while a client runs against it.
type misbehaving struct {
	disk  export.Export
	ln    net.Listener
	srv   *server.Server
	conns sync.WaitGroup

	mu          sync.Mutex
	connections []*connection // in the order in which the client came
}

// profiles are those of the reference server that fault scripts can name: the export is
// as large as ever, and a client needs to know no secret.
var profiles = sync.OnceValue(func() (list []string) {
	for _, p := range referenceserver.Profiles() {
		c, about, err := referenceserver.Config(p, copied, "")
		if err == nil && about.Size == copied && about.Dialect == wire.Current && c.TLS.Mode == server.NoTLS {
			list = append(list, p)
		}
	}
	return list
})

// errSetup is of faults that can't be combined.
var errSetup = errors.New("there is no such server")

// setup is the server that makes the faults, and its disk.
func (m FaultScript) setup() (*server.Server, export.Export, error) {
	p, _ := m.get(profiled)
	q, _ := m.get(quirky)
	cfg, _, err := referenceserver.Config(p.name, copied, q.name)
	if err != nil {
		return nil, nil, err
	}
	e := &cfg.Exports[0]
	disk := e.Disk
	if f, ok := m.get(failing); ok {
		e.Disk, e.Resizable = &flawed{Export: disk, at: int64(f.n)}, false
	}
	srv, err := server.New(cfg)
	if err != nil {
		return nil, nil, fmt.Errorf("%w: %w", errSetup, err)
	}
	return srv, disk, nil
}

// serve starts a server at a Unix socket, whose export has the contents.
func serve(socket string, contents []byte, faults FaultScript) (*misbehaving, error) {
	srv, disk, err := faults.setup()
	if err != nil {
		return nil, err
	}
	if err := disk.WriteAt(contents, 0); err != nil {
		return nil, err
	}
	_ = os.Remove(socket)
	ln, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	_ = os.Chmod(socket, 0o666) // #nosec: a program in a container may be another user
	h := &misbehaving{disk: disk, ln: ln, srv: srv}
	h.conns.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			t := newConnection()
			h.mu.Lock()
			h.connections = append(h.connections, t)
			h.mu.Unlock()
			h.conns.Go(func() {
				c := unsteady(nc, faults, t)
				_ = srv.ServeConn(context.Background(), c)
				_ = c.Close()
			})
		}
	})
	return h, nil
}

func (h *misbehaving) close() {
	_ = h.ln.Close()
	_ = h.srv.Close()
	h.conns.Wait()
}

// A flawed disk fails once.
type flawed struct {
	export.Export
	at, n int64
}

var errFlaw = errors.New("input/output error, on purpose")

func (d *flawed) fails() bool { return d.at > 0 && atomic.AddInt64(&d.n, 1) == d.at }

func (d *flawed) ReadAt(b []byte, off uint64) error {
	if d.fails() {
		return errFlaw
	}
	return d.Export.ReadAt(b, off)
}

func (d *flawed) WriteAt(b []byte, off uint64) error {
	if d.fails() {
		return errFlaw
	}
	return d.Export.WriteAt(b, off)
}

// silence is after how long without a byte in either direction the server hangs up.
const silence = 1500 * time.Millisecond

// A shaky connection sends in segments, ends early, and ends when nothing happens.
type shaky struct {
	net.Conn
	connection *connection
	segment    int
	left       int // bytes until it ends; negative: no end
	timer      *time.Timer
}

func unsteady(nc net.Conn, faults FaultScript, t *connection) *shaky {
	c := &shaky{Conn: judge.NewServerConn(nc, t.judge), connection: t, left: -1}
	if m, ok := faults.get(segments); ok {
		c.segment = m.n
	}
	if m, ok := faults.get(hangUp); ok {
		c.left = m.n
	}
	c.timer = time.AfterFunc(silence, func() {
		t.note(silent, nil)
		_ = nc.Close()
	})
	return c
}

func (c *shaky) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.timer.Reset(silence)
	if n > 0 {
		c.connection.note(heard, b[:n])
	}
	if err != nil {
		c.connection.note(left, nil)
	}
	return n, err
}

func (c *shaky) Write(b []byte) (n int, err error) {
	if c.left < 0 { // noted before the client can answer
		c.connection.note(said, b)
	} else if c.left > 0 {
		c.connection.note(said, b[:min(len(b), c.left)])
	}
	for len(b) > 0 {
		part := b
		if c.segment > 0 && len(b) <= 1<<16 { // a long one would take too many
			part = b[:min(c.segment, len(b))]
		}
		if c.left >= 0 {
			if part = part[:min(len(part), c.left)]; len(part) == 0 {
				c.connection.note(closed, nil)
				_ = c.Conn.Close()
				return n, net.ErrClosed
			}
			c.left -= len(part)
		}
		k, err := c.Conn.Write(part)
		c.timer.Reset(silence)
		if n += k; err != nil {
			return n, err
		}
		b = b[k:]
	}
	return n, nil
}

func (c *shaky) Close() error {
	c.timer.Stop()
	c.connection.note(closed, nil)
	return c.Conn.Close()
}
