package campaign

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"nbdconform/conformance/caller"
	"nbdconform/reference/export"
	"nbdconform/reference/quirk"
	"nbdconform/reference/server"
)

var unsafeName = regexp.MustCompile(`[^A-Za-z0-9._-]+`)

// A move is one thing that a server does to a client.
type move struct {
	kind string // one of those below, or the name of a quirk
	n    int
}

// The moves that are no quirks. None of them changes contents.
const (
	segments = "segments"      // everything is sent in segments of n bytes
	hangUp   = "hang-up-after" // the connection ends after n bytes
	failing  = "fail"          // reading or writing contents fails, the nth time
)

func (m move) String() string {
	switch m.kind {
	case segments, hangUp, failing:
		return fmt.Sprintf("%s %d", m.kind, m.n)
	}
	return "quirk " + m.kind
}

func text(a caller.Activity, moves []move) string {
	var b strings.Builder
	fmt.Fprintf(&b, "activity %s\n", a)
	for _, m := range moves {
		fmt.Fprintln(&b, m)
	}
	return b.String()
}

// lies reports whether one of the moves may be a lie about contents, so that a
// client can't know better.
func lies(moves []move) bool {
	for _, m := range moves {
		if q, ok := quirk.Get(m.kind); ok && !q.Allowed {
			return true
		}
	}
	return false
}

func randomMoves(r *rand.Rand) (list []move) {
	if r.IntN(3) == 0 {
		list = append(list, move{segments, []int{1, 3, 16, 27, 100, 4097}[r.IntN(6)]})
	}
	switch r.IntN(4) {
	case 0: // in the handshake as often as in the data
		list = append(list, move{hangUp, r.IntN([]int{40, 400, 4000, copied}[r.IntN(4)])})
	case 1:
		list = append(list, move{failing, 1 + r.IntN(16)})
	}
	if r.IntN(4) > 0 {
		all := quirk.All()
		if q := all[r.IntN(len(all))]; q.Side == quirk.Server {
			list = append(list, move{kind: q.Name})
		}
	}
	return list
}

// A misbehaving is the reference server while a client visits it.
type misbehaving struct {
	ln    net.Listener
	srv   *server.Server
	conns sync.WaitGroup
}

// serve starts a server at a Unix socket.
func serve(socket string, disk export.Export, moves []move) (*misbehaving, error) {
	cfg := server.Config{}
	var list []move
	d := &flawed{Export: disk}
	for _, m := range moves {
		if m.kind == failing {
			d.at = int64(m.n)
		}
	}
	cfg.Exports = []server.Export{{Name: "disk", Disk: d}}
	for _, m := range moves {
		if q, ok := quirk.Get(m.kind); ok {
			q.Apply(&cfg)
		} else {
			list = append(list, m)
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
				c := unsteady(nc, list)
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

func unsteady(nc net.Conn, moves []move) *shaky {
	c := &shaky{Conn: nc, left: -1}
	for _, m := range moves {
		switch m.kind {
		case segments:
			c.segment = m.n
		case hangUp:
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
