package main

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

// run serves until the service is over, or the context ends and what follows.
func (s *serveFlags) run(ctx context.Context, srv *server.Server, secure bool) error {
	listeners, conns, err := s.open(ctx)
	if err != nil {
		return err
	}
	removePID, err := writePID(s.pidFile)
	if err != nil {
		closeAll(listeners)
		return err
	}
	defer removePID()
	if s.opensItself() { // whoever passed sockets on knows where they are, and may use stdout
		for _, l := range listeners {
			if _, err := fmt.Println(strings.TrimSuffix(transport.URI(l.Addr(), secure).String(), "/")); err != nil {
				closeAll(listeners)
				return fmt.Errorf("saying where it listens: %w", err)
			}
		}
	}
	over := make(chan error, 1)
	go func() { over <- serveAll(context.WithoutCancel(ctx), srv, listeners, conns) }()
	select {
	case err := <-over:
		if errors.Is(err, server.ErrClosed) {
			return &exitError{status: exitViolates, text: "the server closed itself"}
		}
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.grace)
	defer cancel()
	down := make(chan struct{})
	go func() {
		defer close(down)
		_ = srv.Shutdown(grace) // cuts the connections that outlive the grace period
		_ = waitFor(over)       // it was closed, and says so
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
func (s *serveFlags) opensItself() bool { return !s.stdio && !s.activation }

// open opens or takes over what clients come through.
func (s *serveFlags) open(ctx context.Context) ([]net.Listener, []net.Conn, error) {
	if s.stdio {
		c, err := transport.Stdio(os.Stdin, os.Stdout)
		if err != nil {
			return nil, nil, fmt.Errorf("--stdio: %w", err)
		}
		return nil, []net.Conn{c}, nil
	}
	if !s.placed && transport.IsActivated() {
		s.activation = true
	}
	if s.activation {
		return takeOver()
	}
	var places []transport.Address
	if s.listening || !s.placed {
		for _, a := range s.listen {
			places = append(places, transport.Address{TCP: a})
		}
	}
	for _, a := range s.unix {
		places = append(places, transport.Address{Unix: a})
	}
	for _, a := range s.vsock {
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
			err = &exitError{status: exitViolates, text: fmt.Sprintf("the connection ended: %v", e)}
		}
	}
	return err
}

// waitFor is what comes over a channel.
func waitFor(over <-chan error) error { return <-over }
