// Package referenceclient has the reference client as a client program, in this
// process.
package referenceclient

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"sync"

	"nbdconform/conformance/subject"
	"nbdconform/reference/client"
	clientquirk "nbdconform/reference/quirk/client"
	"nbdconform/reference/starttls"
)

// A Client is the reference client.
type Client struct {
	quirk  clientquirk.Quirk
	dir    string
	memory memory
	once   sync.Once

	// Tolerates has clauses whose violation by the server is no failure of the
	// task. It is for reading once the client is in use.
	Tolerates []string
}

// memory is what the client keeps from one task to the next.
type memory struct {
	mu  sync.Mutex
	tls *bool // whether the last server had TLS
}

// Open returns the reference client, with a quirk if one is named.
func Open(quirkName string) (*Client, error) {
	q, ok := clientquirk.Get(quirkName)
	if !ok && quirkName != "" {
		return nil, fmt.Errorf("the reference client has no quirk %q (see nbdconform list --clients)", quirkName)
	}
	return OpenQuirk(q)
}

// OpenQuirk is Open with a quirk that need not be in the catalogue as it is.
func OpenQuirk(q clientquirk.Quirk) (*Client, error) {
	c := &Client{quirk: q}
	var err error
	c.dir, err = os.MkdirTemp("", "nbdc")
	return c, err
}

// Identity implements [subject.Client].
func (c *Client) Identity() subject.Identity {
	return subject.Identity{Name: "client:reference", Provider: subject.InProcess}
}

// Can implements [subject.Client].
func (c *Client) Can(_ subject.Operation, t subject.TLS) bool {
	return starttls.BuiltWithGnuTLS || t != subject.TLSKey && t != subject.TLSAnonymous
}

// Dir implements [subject.Client].
func (c *Client) Dir() string { return c.dir }

// Close implements [subject.Client].
func (c *Client) Close() (err error) {
	c.once.Do(func() { err = os.RemoveAll(c.dir) })
	return err
}

// Do implements [subject.Client].
func (c *Client) Do(ctx context.Context, t subject.Task) (subject.Report, error) {
	r := subject.Report{Argv: []string{"the reference client", string(t.Operation)}}
	if c.quirk.Name != "" {
		r.Argv = append(r.Argv, "with the quirk", c.quirk.Name)
	}
	a := action{caller: c, task: t, dial: func(ctx context.Context) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", t.Server.Socket)
	}}
	text, err := a.run(ctx)
	r.Stdout = text
	if err != nil && !c.tolerates(err) {
		r.Exit, r.Stderr = "error", err.Error()
		r.Hung = ctx.Err() != nil
	}
	return r, nil
}

// tolerates reports whether err is nothing but violations that the client
// accepts.
func (c *Client) tolerates(err error) bool {
	if list, ok := err.(interface{ Unwrap() []error }); ok {
		return !slices.ContainsFunc(list.Unwrap(), func(e error) bool { return !c.tolerates(e) })
	}
	v, ok := errors.AsType[*client.SessionError](err)
	return ok && v.Clause != "" && slices.Contains(c.Tolerates, v.Clause)
}
