package pairing

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/conformance/caller"
	"nbdconform/reports/matrix"
)

// A stamper is the reference client as a program that stamps and verifies.
type stamper struct {
	caller.Caller
	spoil  func(image []byte)
	always bool // report success
}

func (s stamper) Can(a caller.Activity, _ caller.TLS) bool {
	return a == caller.Stamp || a == caller.Verify
}

func (s stamper) Do(ctx context.Context, t caller.Task) (caller.Report, error) {
	image := stamped()
	if s.spoil != nil {
		s.spoil(image)
	}
	t.File = filepath.Join(s.Dir(), "image")
	if err := os.WriteFile(t.File, image, 0o600); err != nil {
		return caller.Report{}, err
	}
	as := map[caller.Activity]caller.Activity{caller.Stamp: caller.CopyIn, caller.Verify: caller.Compare}
	t.Activity = as[t.Activity]
	r, err := s.Caller.Do(ctx, t)
	if s.always {
		r.Exit = ""
	}
	return r, err
}

func TestWhatIsStampedIsChecked(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		operation matrix.Operation
		outcome   matrix.Outcome
		detail    string
		program   stamper
	}{
		"a good stamp":                           {matrix.CopyIn, matrix.Works, "", stamper{}},
		"a good comparison":                      {matrix.Compare, matrix.Works, "", stamper{}},
		"a wrong byte":                           {matrix.CopyIn, matrix.Corrupt, "differs first at byte 70000", stamper{spoil: func(b []byte) { b[70000]++ }}},
		"finds no difference":                    {matrix.Compare, matrix.Corrupt, "no difference where one was planted", stamper{always: true}},
		"finds a difference where there is none": {matrix.Compare, matrix.Broken, "", stamper{spoil: func(b []byte) { b[70000]++ }}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := own(t)
			c.program.Caller = client.Caller
			client.Caller = c.program
			p := Pair{Client: client, Server: reference(t)}
			r, err := p.attempt(t.Context(), c.operation)
			if err != nil || r.Outcome != c.outcome || !strings.Contains(r.Detail, c.detail) {
				t.Errorf("%s: %s, %v; want %s: %s", r.Outcome, r.Detail, err, c.outcome, c.detail)
			}
		})
	}
}
