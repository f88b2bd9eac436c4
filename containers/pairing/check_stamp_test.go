package pairing

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/conformance/subject"
	"nbdconform/reports/matrix"
)

// A stamper is the reference client as a program that stamps and verifies.
type stamper struct {
	subject.Client
	spoil  func(image []byte)
	always bool // report success
}

func (s stamper) Can(a subject.Operation, _ subject.TLS) bool {
	return a == subject.Stamp || a == subject.Verify
}

func (s stamper) Do(ctx context.Context, t subject.Task) (subject.Report, error) {
	image := stamped()
	if s.spoil != nil {
		s.spoil(image)
	}
	t.File = filepath.Join(s.Dir(), "image")
	if err := os.WriteFile(t.File, image, 0o600); err != nil {
		return subject.Report{}, err
	}
	as := map[subject.Operation]subject.Operation{subject.Stamp: subject.CopyIn, subject.Verify: subject.Compare}
	t.Operation = as[t.Operation]
	r, err := s.Client.Do(ctx, t)
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
			c.program.Client = client.Client
			client.Client = c.program
			p := Pair{Client: client, Server: reference(t)}
			r, err := p.attempt(t.Context(), c.operation)
			if err != nil || r.Outcome != c.outcome || !strings.Contains(r.Detail, c.detail) {
				t.Errorf("%s: %s, %v; want %s: %s", r.Outcome, r.Detail, err, c.outcome, c.detail)
			}
		})
	}
}
