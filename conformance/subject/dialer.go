package subject

import (
	"context"
	"net"
)

// A Dialer is a server that is reached by a function: one in this process, or
// any other that the caller has started.
type Dialer struct {
	Name    string // in reports
	Version string
	Connect func(context.Context) (net.Conn, error)
	// Again starts the server again, with its first contents, after it crashed
	// or hung. It may be nil: then the first crash is the last.
	Again func(context.Context) error
	Setup Profile
}

// Identity implements [Server].
func (d *Dialer) Identity() Identity {
	return Identity{Name: d.Name, Version: d.Version, Provider: InProcess}
}

// Profile implements [Server].
func (d *Dialer) Profile() Profile { return d.Setup }

// Dial implements [Server].
func (d *Dialer) Dial(ctx context.Context) (net.Conn, error) { return d.Connect(ctx) }

// Health implements [Server]. A server in this process can't die alone, and
// another is the caller's to watch.
func (d *Dialer) Health(context.Context) Health { return Health{} }

// Restart implements [Server].
func (d *Dialer) Restart(ctx context.Context) error {
	if d.Again == nil {
		return ErrNoRestart
	}
	return d.Again(ctx)
}

// Close implements [Server] and does nothing: who started the server ends it.
func (d *Dialer) Close() error { return nil }
