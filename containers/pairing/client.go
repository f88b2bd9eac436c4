package pairing

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"sync"

	"nbdconform/conformance/subject"
	"nbdconform/containers/clients"
	"nbdconform/containers/internal/program"
	"nbdconform/reference/starttls/pki"
	"nbdconform/reports/matrix"
)

// A Client is a client program, ready to run.
type Client struct {
	Peer matrix.Peer
	subject.Client
	program     clients.Program
	credentials func() (string, error) // the directory of certificates and keys
}

// Offers lists those of the named client programs that a release has. It builds
// their images first if need be. An error says which are not available.
func Offers(ctx context.Context, release string, names []string, progress func(string)) ([]matrix.Peer, error) {
	var list []matrix.Peer
	var missing error
	for _, p := range clients.Programs {
		if !slices.Contains(names, p.Name) {
			continue
		}
		o, err := p.Offer(ctx, release, progress)
		if err != nil {
			missing = errors.Join(missing, fmt.Errorf("%s: %w", p.Name, err))
			continue
		}
		if o.Version != "" {
			list = append(list, matrix.Peer{Name: p.Name, Release: release, Version: o.Version, Image: o.Image})
		}
	}
	return list, missing
}

// OpenClient gets a program of a release, or the reference client, ready.
func OpenClient(ctx context.Context, name, release string) (*Client, error) {
	if name == Reference {
		return openReference()
	}
	p, err := clients.Find(name)
	if err != nil {
		return nil, err
	}
	c, err := clients.Open(ctx, clients.Request{Program: name, Release: release})
	if err != nil {
		return nil, err
	}
	return newClient(c, p), nil
}

// newClient takes a caller that runs p, and closes it in the end.
func newClient(c subject.Client, p clients.Program) *Client {
	id := c.Identity()
	return &Client{
		Peer:    matrix.Peer{Name: p.Name, Release: id.Release, Version: id.Version, Image: id.Image},
		Client:  c,
		program: p,
		credentials: sync.OnceValues(func() (string, error) {
			dir := filepath.Join(c.Dir(), "pki")
			err := errors.Join(os.MkdirAll(dir, 0o755), pki.Shared().Write(dir)) // #nosec: a program in a container may be another user
			if err == nil {
				err = os.WriteFile(filepath.Join(dir, program.PSK), []byte(program.Keys), 0o644) // #nosec: as above
			}
			return dir, err
		}),
	}
}
