package containers

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"sync"

	"nbdconform/conformance/subject"
	"nbdconform/containers/internal/program"
)

// An instance is one run of a server, from its start to its end.
type instance interface {
	dial(context.Context) (net.Conn, error)
	health(context.Context) subject.Health
	// stop ends the run, forcibly if it must, and frees what it held.
	stop() error
	// exec runs a command where the server runs.
	exec(ctx context.Context, argv []string) error
}

// A server is a target whose instances follow one another.
type server struct {
	id      subject.Identity
	profile subject.Profile
	// start returns a fresh instance that has greeted, and leaves nothing behind on error.
	start func(context.Context) (instance, error)

	restarting sync.Mutex // is held by Restart and Close throughout

	mu      sync.Mutex // guards what follows
	running instance   // nil while there is none
	closed  bool
}

// open starts the first instance of s.
func open(ctx context.Context, s *server) (subject.Server, error) {
	if err := s.Restart(ctx); err != nil {
		return nil, err
	}
	return s, nil
}

func (s *server) Identity() subject.Identity {
	id := s.id
	id.Command = slices.Clone(id.Command)
	return id
}

func (s *server) Profile() subject.Profile {
	p := s.profile
	p.Exports, p.Features = slices.Clone(p.Exports), slices.Clone(p.Features)
	return p
}

func (s *server) Dial(ctx context.Context) (net.Conn, error) {
	i := s.current()
	if i == nil {
		return nil, fmt.Errorf("dialing %s: %w", s.id.Name, net.ErrClosed)
	}
	return i.dial(ctx)
}

func (s *server) Health(ctx context.Context) subject.Health {
	i := s.current()
	if i == nil {
		return subject.Health{State: subject.Exited, Exit: "stopped by us"}
	}
	return i.health(ctx)
}

func (s *server) Restart(ctx context.Context) error {
	s.restarting.Lock()
	defer s.restarting.Unlock()
	if err := s.stop(); err != nil {
		return err
	}
	if s.isClosed() {
		return fmt.Errorf("restarting %s: %w", s.id.Name, net.ErrClosed)
	}
	i, err := s.start(ctx)
	if err != nil {
		return fmt.Errorf("starting %s in profile %s: %w", s.id.Name, s.profile.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = i
	return nil
}

// Crash implements [target.Durable].
func (s *server) Crash(ctx context.Context) error {
	i := s.current()
	if i == nil || !s.profile.Durable {
		return subject.ErrNoRestart
	}
	if err := i.exec(ctx, program.CrashCommand); err != nil {
		return fmt.Errorf("killing %s: %w", s.id.Name, err)
	}
	return awaitGreeting(ctx, i.dial, func(ctx context.Context) error {
		if h := i.health(ctx); h.State == subject.Exited {
			return fmt.Errorf("the server did not restart: %s; stderr: %s", h.Exit, lastLine(h.Stderr))
		}
		return nil
	})
}

func (s *server) Close() error {
	s.restarting.Lock()
	defer s.restarting.Unlock()
	s.mu.Lock()
	s.closed = true
	s.mu.Unlock()
	return s.stop()
}

func (s *server) current() instance {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.running
}

func (s *server) isClosed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// stop ends the current instance, if any. An instance that could not be
// stopped is kept, for another try.
func (s *server) stop() error {
	i := s.current()
	if i == nil {
		return nil
	}
	if err := i.stop(); err != nil {
		return fmt.Errorf("stopping %s: %w", s.id.Name, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.running = nil
	return nil
}

// started waits until i greets. On error it stops i.
func started(ctx context.Context, i instance) (instance, error) {
	err := awaitGreeting(ctx, i.dial, func(ctx context.Context) error {
		h := i.health(ctx)
		if h.State != subject.Exited {
			return nil
		}
		return fmt.Errorf("the server ended with %s; stderr: %s", h.Exit, lastLine(h.Stderr))
	})
	if err != nil {
		return nil, errors.Join(err, i.stop())
	}
	return i, nil
}
