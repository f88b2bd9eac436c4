package subject

import (
	"context"
	"net"

	"nbdconform/reference/nbduri"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// An RemoteServer is a server that somebody else runs.
type RemoteServer struct {
	uri         nbduri.URI
	text        string
	tls         starttls.Client
	destructive bool
	dialect     wire.Dialect
}

// NewRemoteServer is the server at an NBD URI, whose export name is the export
// under test. destructive allows the specs to write to it. The warnings are
// about parts of the URI that have no effect.
func NewRemoteServer(text string, destructive bool) (*RemoteServer, []nbduri.Warning, error) {
	uri, warnings, err := nbduri.Parse(text)
	if err != nil {
		return nil, nil, err
	}
	how, err := uri.StartTLS()
	if err != nil {
		return nil, nil, err
	}
	return &RemoteServer{uri: uri, text: text, tls: how, destructive: destructive}, warnings, nil
}

// SetDialect says what the server speaks, which can't be asked.
func (a *RemoteServer) SetDialect(d wire.Dialect) { a.dialect = d }

// Identity implements [Server].
func (a *RemoteServer) Identity() Identity { return Identity{Name: a.text, Provider: URI} }

// Profile implements [Server].
func (a *RemoteServer) Profile() Profile {
	return Profile{
		Name: "as found", Export: a.uri.Export, Destructive: a.destructive,
		TLS: a.tls, TLSAlways: a.uri.TLS, Dialect: a.dialect,
	}
}

// Dial implements [Server].
func (a *RemoteServer) Dial(ctx context.Context) (net.Conn, error) { return a.uri.Dial(ctx) }

// Health implements [Server]. The program is not ours to watch.
func (a *RemoteServer) Health(context.Context) Health { return Health{} }

// Restart implements [Server] and always returns ErrNoRestart.
func (a *RemoteServer) Restart(context.Context) error { return ErrNoRestart }

// Close implements [Server].
func (a *RemoteServer) Close() error { return nil }
