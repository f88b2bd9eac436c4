package campaign

import (
	"context"
	"errors"
	"net"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/quirk"
	"nbdconform/reference/server"
)

// A misbehaving is the reference server while a client visits it.
type misbehaving struct {
	ln    net.Listener
	srv   *server.Server
	conns sync.WaitGroup
}

// serve starts a server at a Unix socket.
func serve(socket string, disk export.Export, moves Moves) (*misbehaving, error) {
	d := &flawed{Export: disk, at: int64(moves.number(failing))}
	cfg := server.Config{Exports: []server.Export{{Name: "disk", Disk: d}}}
	for _, m := range moves.List {
		if q, ok := quirk.Get(m.kind); ok {
			q.Apply(&cfg)
		}
	}
	srv, err := server.New(cfg)
	if err != nil {
		return nil, err
	}
	_ = os.Remove(socket)
	ln, err := net.Listen("unix", socket)
	if err != nil {
		return nil, err
	}
	_ = os.Chmod(socket, 0o666) // #nosec: a program in a container may be another user
	h := &misbehaving{ln: ln, srv: srv}
	h.conns.Go(func() {
		for {
			nc, err := ln.Accept()
			if err != nil {
				return
			}
			h.conns.Go(func() {
				c := unsteady(nc, moves)
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
	segment int
	left    int // bytes until it ends; negative: no end
	timer   *time.Timer
}

func unsteady(nc net.Conn, moves Moves) *shaky {
	c := &shaky{Conn: nc, left: -1, segment: moves.number(segments)}
	for _, m := range moves.List {
		if m.kind == hangUp {
			c.left = m.n
		}
	}
	c.timer = time.AfterFunc(silence, func() { _ = nc.Close() })
	return c
}

func (c *shaky) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.timer.Reset(silence)
	return n, err
}

func (c *shaky) Write(b []byte) (n int, err error) {
	for len(b) > 0 {
		part := b
		if c.segment > 0 && len(b) <= 1<<16 { // a long one would take too many
			part = b[:min(c.segment, len(b))]
		}
		if c.left >= 0 {
			if part = part[:min(len(part), c.left)]; len(part) == 0 {
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
	return c.Conn.Close()
}
