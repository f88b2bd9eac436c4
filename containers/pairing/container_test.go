package pairing

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/containers/containertest"
	"nbdconform/containers/internal/program"
	"nbdconform/reports/matrix"
)

func TestProgramsOfTwoReleasesMeet(t *testing.T) {
	t.Parallel()
	containertest.NeedImage(t, "bookworm")
	containertest.NeedImage(t, "trixie")
	s, err := OpenServer(t.Context(), "nbd-server", "bookworm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	c, err := OpenClient(t.Context(), "qemu-img", "trixie")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	alone := map[matrix.Operation]Observed{}
	for a, r := range outcomes(t, Pair{Client: c, Server: reference(t)}) {
		alone[a] = r.Observed
	}
	got := outcomes(t, Pair{Client: c, Server: s, WithReference: alone})
	for a, want := range map[matrix.Operation]matrix.Outcome{
		matrix.Connect: matrix.Works, matrix.CopyOut: matrix.Works, matrix.CopyIn: matrix.Works,
		matrix.Compare: matrix.Works, matrix.TLS: matrix.Works, matrix.List: matrix.Unable,
		matrix.TLSKey: matrix.Unable,
	} {
		if r := got[a]; r.Outcome != want {
			t.Errorf("%s: %s: %s, want %s", a, r.Outcome, r.Detail, want)
		}
	}
	for a, r := range got {
		t.Logf("%-9s %-9s %.2f s %s", a, r.Outcome, r.Seconds, r.Detail)
	}
}

// The proxy has no TLS: client and server do, whatever this program can.
func TestKeysOpenServers(t *testing.T) {
	t.Parallel()
	containertest.NeedImage(t, "bookworm")
	s, err := OpenServer(t.Context(), "nbdkit", "bookworm")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	for _, name := range []string{"nbdinfo", "nbdcopy", "qemu-img", "qemu-io", "nbdkit-nbd"} {
		c, err := OpenClient(t.Context(), name, "bookworm")
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = c.Close() })
		p := Pair{Client: c, Server: s}
		r, err := p.attempt(t.Context(), matrix.TLSKey)
		if err != nil || r.Outcome != matrix.Works {
			t.Errorf("%s: %s, %v: %s", name, r.Outcome, err, r.Detail)
		}
		dir, err := c.credentials()
		if err != nil {
			t.Fatal(err)
		}
		other := strings.Replace(program.Keys, "00", "ff", 1)
		if err := os.WriteFile(filepath.Join(dir, program.PSK), []byte(other), 0o600); err != nil {
			t.Fatal(err)
		}
		if r, err = p.attempt(t.Context(), matrix.TLSKey); err != nil || r.Outcome != matrix.Broken {
			t.Errorf("%s with another key: %s, %v: %s", name, r.Outcome, err, r.Detail)
		}
	}
}
