package library

import (
	"context"
	"net"
	"path/filepath"
	"testing"

	"nbdconform/conformance"
	"nbdconform/conformance/subject"
)

// start serves a fresh disk and returns it as a target.
func start(t *testing.T, size int) *subject.Dialer {
	t.Helper()
	l, err := net.Listen("unix", filepath.Join(t.TempDir(), "s"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go NewDisk(size).Serve(l)
	return &subject.Dialer{
		Name: "example",
		Connect: func(ctx context.Context) (net.Conn, error) {
			var d net.Dialer
			return d.DialContext(ctx, "unix", l.Addr().String())
		},
	}
}

func TestServerConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, start(t, 64<<20), conformance.Destructive())
}

// Another target in the same process.
func TestSmallServerConforms(t *testing.T) {
	t.Parallel()
	conformance.Run(t, start(t, 511), conformance.Destructive(), conformance.Filter("level: containsAny MUST"))
}
