package campaign

import (
	"context"
	"time"

	"nbdconform/fuzz/internal/script"
	"nbdconform/fuzz/session"
)

// Care says how a script is run.
type Care struct {
	Patience time.Duration
	Record   bool // what goes over the wire is kept
	Trace    bool // how everything was answered is kept
	// Seen reports whether a finding is known by now; nil: none is.
	Seen func(signature string) bool
}

func (c Care) apply(t *session.Target) {
	t.Patience, t.Record, t.Trace, t.Seen = c.Patience, c.Record, c.Trace, c.Seen
}

// A Server is a server that scripts are run on.
type Server interface {
	// Run runs a script. The error is ours: the server can't be had.
	Run(ctx context.Context, s script.Script, c Care) (session.Result, error)
	// Fresh replaces the server by one that nothing was done to. One that is not
	// ours to start has to be there still.
	Fresh(ctx context.Context) error
	// Look looks at the server from outside, and returns what was not seen before.
	Look(ctx context.Context) []session.Finding
	Close() error
}

// The kinds of findings that a look from outside adds to those of package session.
const (
	Complaint session.Kind = "said" // stderr has what only a fault of the program writes
	Leak      session.Kind = "leak" // memory, descriptors or processes grow
)

// A Reference is the reference server in this process: a fresh one for every script.
type Reference struct{ Profile, Quirk string }

// Run implements [Server].
func (r Reference) Run(ctx context.Context, s script.Script, c Care) (session.Result, error) {
	t, err := session.Reference(r.Profile, r.Quirk)
	if err != nil {
		return session.Result{}, err
	}
	defer t.Close()
	c.apply(&t.Target)
	return session.Run(ctx, s, &t.Target), nil
}

// Fresh implements [Server].
func (Reference) Fresh(context.Context) error { return nil }

// Look implements [Server].
func (Reference) Look(context.Context) []session.Finding { return nil }

// Close implements [Server].
func (Reference) Close() error { return nil }
