package pairing

import (
	"testing"

	"nbdconform/containers/containertest"
	"nbdconform/reports/matrix"
)

func TestProgramsOfTwoSuitesMeet(t *testing.T) {
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
	alone := map[matrix.Activity]Heard{}
	for a, r := range outcomes(t, Pair{Client: c, Server: reference(t)}) {
		alone[a] = r.Heard
	}
	got := outcomes(t, Pair{Client: c, Server: s, Alone: alone})
	for a, want := range map[matrix.Activity]matrix.Outcome{
		matrix.Connect: matrix.Works, matrix.CopyOut: matrix.Works, matrix.CopyIn: matrix.Works,
		matrix.Compare: matrix.Works, matrix.TLS: matrix.Works, matrix.List: matrix.Unable,
	} {
		if r := got[a]; r.Outcome != want {
			t.Errorf("%s: %s: %s, want %s", a, r.Outcome, r.Detail, want)
		}
	}
	for a, r := range got {
		t.Logf("%-9s %-9s %.2f s %s", a, r.Outcome, r.Seconds, r.Detail)
	}
}
