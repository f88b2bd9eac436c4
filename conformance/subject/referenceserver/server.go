// Package referenceserver has the reference server as a target, in this process.
package referenceserver

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"sync"
	"syscall"

	"nbdconform/conformance/subject"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
)

// A Server is the reference server in this process, reached over socket
// pairs: it needs no network and no engine.
type Server struct {
	profile subject.Profile
	make    func() server.Config
	disks   []export.Export // of the server that runs

	mu     sync.Mutex
	srv    *server.Server
	ctx    context.Context
	cancel context.CancelFunc
	wg     sync.WaitGroup
	died   bool // the server closed itself
}

// New starts a server. makeConfig is called for every start, so
// that each has pristine contents.
func New(p subject.Profile, makeConfig func() server.Config) (*Server, error) {
	r := &Server{profile: p, make: makeConfig}
	if err := r.start(r.make()); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Server) start(c server.Config) error {
	r.disks = nil
	for _, e := range c.Exports {
		r.disks = append(r.disks, e.Disk)
	}
	srv, err := server.New(c)
	if err != nil {
		return fmt.Errorf("starting the reference server: %w", err)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.srv, r.died = srv, false
	r.ctx, r.cancel = context.WithCancel(context.Background())
	return nil
}

// Identity implements [subject.Server].
func (r *Server) Identity() subject.Identity {
	return subject.Identity{Name: "reference", Provider: subject.InProcess}
}

// Profile implements [subject.Server].
func (r *Server) Profile() subject.Profile { return r.profile }

// Dial implements [subject.Server].
func (r *Server) Dial(context.Context) (net.Conn, error) {
	r.mu.Lock()
	srv, ctx, died := r.srv, r.ctx, r.died
	r.mu.Unlock()
	if died {
		return nil, &net.OpError{Op: "dial", Net: "in-process", Err: syscall.ECONNREFUSED}
	}
	near, far, err := socketPair()
	if err != nil {
		return nil, err
	}
	r.wg.Go(func() {
		if errors.Is(srv.ServeConn(ctx, far), server.ErrClosed) {
			r.mu.Lock()
			defer r.mu.Unlock()
			if r.srv == srv {
				r.died = true
			}
		}
	})
	return near, nil
}

// Health implements [subject.Server].
func (r *Server) Health(context.Context) subject.Health {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.died {
		return subject.Health{State: subject.Exited, Exit: "the server closed itself"}
	}
	return subject.Health{State: subject.Running}
}

// Restart implements [subject.Server].
func (r *Server) Restart(context.Context) error {
	r.stop()
	return r.start(r.make())
}

// Crash implements [target.Durable]: what was not flushed is lost.
func (r *Server) Crash(context.Context) error {
	r.stop()
	c := r.make()
	for i, d := range r.disks {
		if v, ok := d.(*export.Volatile); ok {
			c.Exports[i].Disk = v.Crash()
		}
	}
	return r.start(c)
}

// Close implements [subject.Server].
func (r *Server) Close() error {
	r.stop()
	return nil
}

func (r *Server) stop() {
	r.mu.Lock()
	srv, cancel := r.srv, r.cancel
	r.mu.Unlock()
	cancel()
	_ = srv.Close()
	r.wg.Wait()
}

// socketPair makes two connected Unix sockets.
func socketPair() (near, far net.Conn, err error) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("making a socket pair: %w", err)
	}
	if near, err = fileConn(fds[0]); err != nil {
		_ = syscall.Close(fds[1])
		return nil, nil, err
	}
	if far, err = fileConn(fds[1]); err != nil {
		_ = near.Close()
		return nil, nil, err
	}
	return near, far, nil
}

func fileConn(fd int) (net.Conn, error) {
	f := os.NewFile(uintptr(fd), "socket pair")
	defer func() { _ = f.Close() }()
	return net.FileConn(f)
}
