package target

import (
	"context"
	"net"

	"nbdconform/reference/nbduri"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// An Address is a server that somebody else runs.
type Address struct {
	uri         nbduri.URI
	text        string
	tls         starttls.Client
	destructive bool
	dialect     wire.Dialect
}

// NewAddress is the server at an NBD URI, whose export name is the export
// under test. destructive allows the specs to write to it. The warnings are
// about parts of the URI that have no effect.
func NewAddress(text string, destructive bool) (*Address, []nbduri.Warning, error) {
	uri, warnings, err := nbduri.Parse(text)
	if err != nil {
		return nil, nil, err
	}
	how, err := uri.StartTLS()
	if err != nil {
		return nil, nil, err
	}
	return &Address{uri: uri, text: text, tls: how, destructive: destructive}, warnings, nil
}

// SetDialect says what the server speaks, which can't be asked.
func (a *Address) SetDialect(d wire.Dialect) { a.dialect = d }

// Identity implements [Target].
func (a *Address) Identity() Identity { return Identity{Name: a.text, Provider: "uri"} }

// Profile implements [Target].
func (a *Address) Profile() Profile {
	return Profile{
		Name: "as found", Export: a.uri.Export, Destructive: a.destructive,
		TLS: a.tls, TLSAlways: a.uri.TLS, Dialect: a.dialect,
	}
}

// Dial implements [Target].
func (a *Address) Dial(ctx context.Context) (net.Conn, error) { return a.uri.Dial(ctx) }

// Health implements [Target]. The program is not ours to watch.
func (a *Address) Health(context.Context) Health { return Health{} }

// Restart implements [Target] and always returns ErrNoRestart.
func (a *Address) Restart(context.Context) error { return ErrNoRestart }

// Close implements [Target].
func (a *Address) Close() error { return nil }
