// Package inprocess has the reference client as a client program, in this
// process.
package inprocess

import (
	"context"
	"fmt"
	"net"
	"os"
	"sync"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/target"
	clientquirk "nbdconform/reference/quirk/client"
	"nbdconform/reference/starttls"
)

// A Caller is the reference client.
type Caller struct {
	quirk  clientquirk.Quirk
	dir    string
	memory memory
	once   sync.Once
}

// memory is what the client keeps from one task to the next.
type memory struct {
	mu  sync.Mutex
	tls *bool // whether the last server had TLS
}

// Open returns the reference client, with a quirk if one is named.
func Open(quirkName string) (*Caller, error) {
	q, ok := clientquirk.Get(quirkName)
	if !ok && quirkName != "" {
		return nil, fmt.Errorf("the reference client has no quirk %q (see nbdconform list --clients)", quirkName)
	}
	return OpenQuirk(q)
}

// OpenQuirk is Open with a quirk that need not be in the catalogue as it is.
func OpenQuirk(q clientquirk.Quirk) (*Caller, error) {
	c := &Caller{quirk: q}
	var err error
	c.dir, err = os.MkdirTemp("", "nbdc")
	return c, err
}

// Identity implements [caller.Caller].
func (c *Caller) Identity() target.Identity {
	return target.Identity{Name: "client:reference", Provider: "in-process"}
}

// Can implements [caller.Caller].
func (c *Caller) Can(_ caller.Activity, t caller.TLS) bool {
	return starttls.BuiltWithGnuTLS || t != caller.TLSKey && t != caller.TLSAnonymous
}

// Dir implements [caller.Caller].
func (c *Caller) Dir() string { return c.dir }

// Close implements [caller.Caller].
func (c *Caller) Close() (err error) {
	c.once.Do(func() { err = os.RemoveAll(c.dir) })
	return err
}

// Do implements [caller.Caller].
func (c *Caller) Do(ctx context.Context, t caller.Task) (caller.Report, error) {
	r := caller.Report{Argv: []string{"the reference client", string(t.Activity)}}
	if c.quirk.Name != "" {
		r.Argv = append(r.Argv, "with the quirk", c.quirk.Name)
	}
	a := action{caller: c, task: t, dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", t.Server.Socket)
	}}
	text, err := a.run(ctx)
	r.Stdout = text
	if err != nil {
		r.Exit, r.Stderr = "error", err.Error()
		r.Hung = ctx.Err() != nil
	}
	return r, nil
}
