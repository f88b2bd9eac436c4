package library

import (
	"context"
	"testing"

	"nbdconform/conformance"
	"nbdconform/conformance/caller"
	"nbdconform/conformance/target"
)

// fetcher lets the suite ask [Fetch] for what it can do: one operation.
type fetcher struct{ dir string }

func (f fetcher) Identity() target.Identity { return target.Identity{Name: "fetch", Provider: "in-process"} }
func (f fetcher) Dir() string               { return f.dir }
func (f fetcher) Close() error              { return nil }
func (f fetcher) Can(a caller.Activity, tls caller.TLS) bool {
	return a == caller.CopyOut && tls == caller.NoTLS
}

func (f fetcher) Do(ctx context.Context, t caller.Task) (caller.Report, error) {
	done := make(chan error, 1)
	go func() { done <- Fetch(t.Server.Socket, t.Server.Export, t.File) }()
	select {
	case err := <-done:
		if err != nil {
			return caller.Report{Exit: "failure", Stderr: err.Error()}, nil
		}
		return caller.Report{}, nil
	case <-ctx.Done():
		return caller.Report{Exit: "killed", Hung: true}, nil
	}
}

func TestClientConforms(t *testing.T) {
	t.Parallel()
	conformance.RunClient(t, fetcher{t.TempDir()})
}
