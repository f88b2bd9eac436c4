package server

import (
	"context"
	"errors"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"nbdconform/reference/server/internal/engine"
)

// ErrClosed is what Serve returns after Shutdown or Close, and ServeConn for
// a connection that is handed over later.
var ErrClosed = errors.New("server is closed")

// A Server serves the exports of its Config. All methods may be called from
// several goroutines.
type Server struct {
	cfg      Config
	stopping atomic.Bool // Shutdown was called
	lastID   atomic.Uint64
	shared   *engine.Shared

	mu        sync.Mutex
	closed    bool // no more connections
	conns     map[*conn]struct{}
	listeners map[net.Listener]struct{}
	served    sync.WaitGroup // connections, and what they started
}

// New returns a server. It fails if the exports can't be offered as they are:
// no disk, a name twice, constraints that the specification rules out.
func New(cfg Config) (*Server, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	s := &Server{cfg: cfg, shared: engine.NewShared(cfg.AllInFlight), conns: make(map[*conn]struct{}), listeners: make(map[net.Listener]struct{})}
	return s, nil
}

// Serve accepts connections from ln until ctx is done, ln fails, or the
// server is shut down; then it closes ln. If ctx is done it also closes the
// connections that it accepted, and waits for them. The error is ctx.Err(),
// [ErrClosed] or that of ln.
func (s *Server) Serve(ctx context.Context, ln net.Listener) error {
	if !s.addListener(ln) {
		_ = ln.Close()
		return ErrClosed
	}
	defer s.removeListener(ln)
	stop := context.AfterFunc(ctx, func() { _ = ln.Close() })
	defer stop()
	var accepted sync.WaitGroup
	for {
		nc, err := ln.Accept()
		switch {
		case err == nil:
			accepted.Go(func() { _ = s.serveConn(ctx, nc, true) })
		case ctx.Err() != nil:
			accepted.Wait()
			return ctx.Err()
		case s.isClosed() || s.stopping.Load():
			return ErrClosed
		case temporary(err):
			s.log("accepting a connection", "error", err)
			select {
			case <-ctx.Done():
			case <-time.After(50 * time.Millisecond):
			}
		default:
			return err
		}
	}
}

// temporary reports whether Accept may work again: the process ran out of
// file descriptors, or the peer had closed the connection already.
func temporary(err error) bool {
	var ne interface{ Temporary() bool }
	return errors.As(err, &ne) && ne.Temporary()
}

// ServeConn serves one connection and closes it. It returns nil after
// NBD_OPT_ABORT and NBD_CMD_DISC; otherwise the error says how the session
// ended: io.EOF where the client closed the connection without either, a
// *[wire.FormatError] where the server ended it because the client broke a rule.
func (s *Server) ServeConn(ctx context.Context, nc net.Conn) error {
	return s.serveConn(ctx, nc, false)
}

// serveConn is ServeConn. An owned connection is one that nothing else has.
func (s *Server) serveConn(ctx context.Context, nc net.Conn, owned bool) error {
	c, err := s.addConn(nc)
	if err != nil {
		_ = nc.Close()
		s.log("turned away", "remote", nc.RemoteAddr(), "error", err)
		return err
	}
	defer s.removeConn(c)
	c.owned = owned
	stop := context.AfterFunc(ctx, c.transport.Close)
	defer stop()
	c.logBegin(nc)
	err = c.serve()
	c.logEnd(err)
	return err
}

// Shutdown ends the service in the way that the specification asks for: listeners
// close, requests that are being worked on finish, later ones fail with
// NBD_ESHUTDOWN and options with NBD_REP_ERR_SHUTDOWN. It returns nil as soon
// as the clients have disconnected; when ctx is done first, it closes the
// remaining connections and returns ctx.Err().
func (s *Server) Shutdown(ctx context.Context) error {
	s.stopping.Store(true)
	s.closeListeners()
	done := make(chan struct{})
	go func() {
		s.served.Wait()
		close(done)
	}()
	select {
	case <-done:
		return s.Close()
	case <-ctx.Done():
		_ = s.Close()
		<-done
		return ctx.Err()
	}
}

// Close closes listeners and connections at once, and waits until all goroutines
// of the server have ended. Operations on exports are not interrupted. It may be
// called more than once.
func (s *Server) Close() error {
	s.crash()
	s.served.Wait()
	return nil
}

// crash is Close without waiting.
func (s *Server) crash() {
	s.mu.Lock()
	s.closed = true
	for c := range s.conns {
		go c.transport.Close() // which may wait for a peer that does not read, to shut TLS down
	}
	s.mu.Unlock()
	s.closeListeners()
}

func (s *Server) closeListeners() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for ln := range s.listeners {
		_ = ln.Close()
	}
}

func (s *Server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

func (s *Server) addListener(ln net.Listener) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed || s.stopping.Load() {
		return false
	}
	s.listeners[ln] = struct{}{}
	return true
}

func (s *Server) removeListener(ln net.Listener) {
	_ = ln.Close()
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.listeners, ln)
}

func (s *Server) addConn(nc net.Conn) (*conn, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return nil, ErrClosed
	}
	if m := s.cfg.MaxConnections; m > 0 && len(s.conns) >= m {
		return nil, errors.New("too many connections")
	}
	c := newConn(s, nc)
	s.conns[c] = struct{}{}
	s.served.Add(1)
	return c, nil
}

func (s *Server) removeConn(c *conn) {
	c.transport.Close()
	s.mu.Lock()
	delete(s.conns, c)
	s.mu.Unlock()
	s.served.Done()
}
