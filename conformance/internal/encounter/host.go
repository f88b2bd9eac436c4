package encounter

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"
	"time"

	"nbdconform/conformance/judge"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
	"nbdconform/reports/recording"
)

// A host is the reference server during one visit.
type host struct {
	setup  *setup
	disk   export.Export
	export string // the name of it
	socket string
	rec    *recording.Recorder // nil: nothing is recorded
	srv    *server.Server
	ln     net.Listener
	served sync.WaitGroup

	mu     sync.Mutex
	conns  []*Conn
	slow   bool                 // writes take a while, so that they can be counted
	writes map[wire.Request]int // that have no reply, in all connections
	// Of the last flush: the writes that came behind it or had no reply by then.
	flushes, uncovered int
}

// newHost starts a server that listens at a socket.
func newHost(s *setup, disk export.Export, socket string, rec *recording.Recorder) (*host, error) {
	h := &host{setup: s, disk: disk, socket: socket, rec: rec, slow: s.slow, writes: map[wire.Request]int{}}
	cfg := server.Config{Exports: []server.Export{{Name: "disk", Description: "the disk under test", Disk: disk}}}
	for _, f := range s.config {
		f(&cfg)
	}
	h.export = cfg.Exports[0].Name
	if cfg.TLS.Server != nil {
		cfg.TLS.Server = judgedTLS{cfg.TLS.Server, h}
	}
	// The hooks of a connection are made where its first bytes are, so that they
	// know which one it is.
	pending := make(chan *Conn, 1)
	cfg.ConnHooks = func() server.Hooks {
		c := <-pending
		var list []server.Hooks
		for _, f := range s.hooks {
			list = append(list, f())
		}
		return c.hooks(list, h)
	}
	srv, err := server.New(cfg)
	if err != nil {
		return nil, fmt.Errorf("starting the reference server: %w", err)
	}
	_ = os.Remove(socket)
	if h.ln, err = net.Listen("unix", socket); err != nil {
		return nil, fmt.Errorf("starting the reference server: %w", err)
	}
	h.srv = srv
	_ = os.Chmod(socket, 0o666) // #nosec: a program in a container may be another user
	h.served.Go(func() {
		for {
			nc, err := h.ln.Accept()
			if err != nil {
				return
			}
			w := &watched{Judge: judge.New(judge.Options{}), rec: rec, conn: rec.Connect()}
			c := &Conn{Judge: w.Judge, watched: w, end: judge.NewServerConn(nc, w)}
			h.mu.Lock()
			h.conns = append(h.conns, c)
			h.mu.Unlock()
			pending <- c // ServeConn takes it at once
			h.served.Go(func() {
				_ = srv.ServeConn(context.Background(), c.end)
				h.mu.Lock()
				defer h.mu.Unlock()
				c.over = true
			})
		}
	})
	return h, nil
}

// patience is how long connections may take to end once the client has.
const patience = 2 * time.Second

// close waits for the connections to end, for a moment, and stops the server.
func (h *host) close() {
	_ = h.ln.Close()
	over := make(chan struct{})
	go func() {
		h.served.Wait()
		close(over)
	}()
	select {
	case <-over:
	case <-time.After(patience):
		h.each(func(c *Conn) { c.Stayed = !c.over })
	}
	_ = h.srv.Close()
	<-over
	h.each(func(c *Conn) {
		c.TLS, c.Notified = c.end.Notified()
		c.End = c.end.ClientEnd()
	})
	_ = os.Remove(h.socket)
}

func (h *host) each(f func(*Conn)) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.conns {
		f(c)
	}
}

// arrived counts writes, and notes those that a flush finds without a reply.
func (h *host) arrived(q wire.Request) {
	if !h.slow {
		return
	}
	h.mu.Lock()
	defer h.mu.Unlock()
	switch q.Type {
	case wire.CmdWrite, wire.CmdWriteZeroes, wire.CmdTrim:
		h.writes[q]++
		h.uncovered++
	case wire.CmdFlush:
		h.flushes++
		h.uncovered = len(h.writes)
	}
}

func (h *host) answered(q wire.Request) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if q.Type == wire.CmdFlush || h.writes[q] == 0 {
		return
	}
	if h.writes[q]--; h.writes[q] <= 0 {
		delete(h.writes, q)
	}
}

func path(dir, name string) string { return filepath.Join(dir, name) }
