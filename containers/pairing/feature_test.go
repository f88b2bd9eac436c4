package pairing

import (
	"strings"
	"testing"

	"nbdconform/conformance/subject"
	"nbdconform/reports/matrix"
)

// A client that copies without what it uses with the reference is degraded.
func TestLostFeaturesAreNamed(t *testing.T) {
	t.Parallel()
	c := own(t)
	alone := map[matrix.Operation]Observed{}
	for a, r := range outcomes(t, Pair{Client: c, Server: reference(t)}) {
		alone[a] = r.Observed
	}
	s, err := OpenServerAs(t.Context(), Reference, "", "bare")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	p := Pair{Client: c, Server: s, WithReference: alone}
	// What the server does not have can't be lost.
	if r, err := p.attempt(t.Context(), matrix.CopyIn); err != nil || r.Outcome != matrix.Works {
		t.Errorf("%s: %s, %v", r.Outcome, r.Detail, err)
	}
	// Were it there, it would be.
	s.features[featureZeroes], s.features[featureConns] = true, true
	r, err := p.attempt(t.Context(), matrix.CopyIn)
	want := "NBD_CMD_WRITE_ZEROES: writing zeroes as data instead; several connections: one instead"
	if err != nil || r.Outcome != matrix.Degraded || strings.Join(r.Lost, "; ") != want {
		t.Errorf("%s: %q, %v; want %q", r.Outcome, r.Lost, err, want)
	}
	if got, ok := p.taskFor(matrix.Connect); !ok || got != subject.Info {
		t.Errorf("connect is %s", got)
	}
}
