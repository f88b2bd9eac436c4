package library

import (
	"context"
	"testing"

	"nbdconform/conformance"
	"nbdconform/conformance/subject"
)

// fetcher lets the suite ask [Fetch] for what it can do: one operation.
type fetcher struct{ dir string }

func (f fetcher) Identity() subject.Identity {
	return subject.Identity{Name: "fetch", Provider: "in-process"}
}
func (f fetcher) Dir() string  { return f.dir }
func (f fetcher) Close() error { return nil }
func (f fetcher) Can(a subject.Operation, tls subject.TLS) bool {
	return a == subject.CopyOut && tls == subject.NoTLS
}

func (f fetcher) Do(ctx context.Context, t subject.Task) (subject.Report, error) {
	done := make(chan error, 1)
	go func() { done <- Fetch(t.Server.Socket, t.Server.Export, t.File) }()
	select {
	case err := <-done:
		if err != nil {
			return subject.Report{Exit: "failure", Stderr: err.Error()}, nil
		}
		return subject.Report{}, nil
	case <-ctx.Done():
		return subject.Report{Exit: "killed", Hung: true}, nil
	}
}

func TestClientConforms(t *testing.T) {
	t.Parallel()
	conformance.RunClient(t, fetcher{t.TempDir()})
}
