package serve

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"nbdconform/reference/server"
	"nbdconform/reference/transport"
)

// Run serves until the service is over, or the context ends and what follows.
func (s *Options) Run(ctx context.Context, srv *server.Server, secure bool) error {
	listeners, conns, err := s.open(ctx)
	if err != nil {
		return err
	}
	removePID, err := writePID(s.PIDFile)
	if err != nil {
		closeAll(listeners)
		return err
	}
	defer removePID()
	if s.opensItself() { // who passed sockets on knows where they are, and may use stdout
		for _, l := range listeners {
			if _, err := fmt.Fprintln(s.Out, strings.TrimSuffix(transport.URI(l.Addr(), secure).String(), "/")); err != nil {
				closeAll(listeners)
				return fmt.Errorf("saying where it listens: %w", err)
			}
		}
	}
	over := make(chan struct{})
	var ended error // once it is over
	go func() {
		defer close(over)
		ended = serveAll(context.WithoutCancel(ctx), srv, listeners, conns)
	}()
	select {
	case <-over:
		if errors.Is(ended, server.ErrClosed) {
			return ErrClosedItself
		}
		return ended
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.Grace)
	defer cancel()
	down := make(chan struct{})
	go func() {
		defer close(down)
		_ = srv.Shutdown(grace) // cuts the connections that outlive the grace period
		<-over
	}()
	select {
	case <-down:
	case <-grace.Done(): // operations that take longer are not waited for
		select {
		case <-down:
		case <-time.After(200 * time.Millisecond):
		}
	}
	return nil
}

// opensItself reports whether the sockets are our own.
func (s *Options) opensItself() bool { return !s.Stdio && !s.Activation }

// open opens or takes over what clients come through.
func (s *Options) open(ctx context.Context) ([]net.Listener, []net.Conn, error) {
	if s.Stdio {
		c, err := transport.Stdio(os.Stdin, os.Stdout)
		if err != nil {
			return nil, nil, fmt.Errorf("--stdio: %w", err)
		}
		return nil, []net.Conn{c}, nil
	}
	if !s.placed && transport.IsActivated() {
		s.Activation = true
	}
	if s.Activation {
		return takeOver()
	}
	var places []transport.Address
	if s.listening || !s.placed {
		for _, a := range s.Listen {
			places = append(places, transport.Address{TCP: a})
		}
	}
	for _, a := range s.Unix {
		places = append(places, transport.Address{Unix: a})
	}
	for _, a := range s.Vsock {
		places = append(places, transport.Address{Vsock: a})
	}
	var list []net.Listener
	for _, p := range places {
		l, err := p.Listen(ctx)
		if err != nil {
			closeAll(list)
			return nil, nil, err
		}
		list = append(list, l)
	}
	return list, nil, nil
}

func takeOver() (listeners []net.Listener, conns []net.Conn, err error) {
	handed, err := transport.Activated()
	for _, h := range handed {
		if h.Listener != nil {
			listeners = append(listeners, h.Listener)
		} else {
			conns = append(conns, h.Conn)
		}
	}
	return listeners, conns, err
}

func closeAll(list []net.Listener) {
	for _, l := range list {
		_ = l.Close()
	}
}

// ErrClosedItself says that a server ended without being told to.
var ErrClosedItself = errors.New("the server closed itself")

// A ConnError is why the only connection ended early.
type ConnError struct{ err error }

func (e *ConnError) Error() string { return fmt.Sprintf("the connection ended: %v", e.err) }

func (e *ConnError) Unwrap() error { return e.err }

// serveAll returns when a listener is done; where there are none, with the
// last connection.
func serveAll(ctx context.Context, srv *server.Server, listeners []net.Listener, conns []net.Conn) error {
	listening, leaving := make(chan error, len(listeners)), make(chan error, len(conns))
	for _, l := range listeners {
		go func() { listening <- srv.Serve(ctx, l) }()
	}
	for _, c := range conns {
		go func() {
			err := srv.ServeConn(ctx, c)
			if errors.Is(err, io.EOF) { // the client just left
				err = nil
			}
			leaving <- err
		}()
	}
	if len(listeners) > 0 {
		return <-listening
	}
	var err error
	for range conns {
		if e := <-leaving; e != nil {
			err = &ConnError{e}
		}
	}
	return err
}

// writePID writes the number of this process to a file, if one is named; the
// function that it returns removes it.
func writePID(name string) (func(), error) {
	if name == "" {
		return func() {}, nil
	}
	if err := os.WriteFile(name, fmt.Appendln(nil, os.Getpid()), 0o644); err != nil {
		return nil, err
	}
	return func() { _ = os.Remove(name) }, nil
}
