package encounter

import (
	"context"
	"testing"
	"time"

	"go.uber.org/goleak"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/runner"
	"nbdconform/conformance/internal/spec"
	"nbdconform/conformance/subject"
	"nbdconform/reports/result"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// fake is a program that ends in some way and never connects.
type fake struct {
	dir    string
	report subject.Report
}

func (f fake) Identity() subject.Identity                  { return subject.Identity{Name: "fake"} }
func (f fake) Can(a subject.Operation, _ subject.TLS) bool { return a == subject.Visit }
func (f fake) Dir() string                                 { return f.dir }
func (f fake) Close() error                                { return nil }
func (f fake) Do(context.Context, subject.Task) (subject.Report, error) {
	return f.report, nil
}

func TestWhatNeverConnectsIsNoSuccess(t *testing.T) {
	b, err := Discover(t.Context(), fake{dir: t.TempDir()}, Options{Timeout: time.Second})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Facts.Trouble[subject.Visit]; got.Name != "client.never-connected" {
		t.Errorf("trouble %+v", got)
	}
	s := &spec.Spec{ID: "other", Level: clause.Must, Asks: []subject.Operation{subject.Visit}, Body: func(context.Context) {}}
	if o := runner.Try(t.Context(), b, s); o.Verdict != result.Blocked || o.BlockedBy != "client.baseline.visit" {
		t.Errorf("%s by %q", o.Verdict, o.BlockedBy)
	}
}

func TestHowProgramsEndDecides(t *testing.T) {
	for name, c := range map[string]struct {
		report subject.Report
		want   result.Verdict
	}{
		"a crash":    {subject.Report{Exit: "signal", Killed: "segmentation fault"}, result.Crash},
		"a hang":     {subject.Report{Exit: "killed", Hung: true}, result.Hang},
		"no contact": {subject.Report{Exit: "exit status 1"}, result.Fail},
	} {
		t.Run(name, func(t *testing.T) {
			b := Trusting(fake{dir: t.TempDir(), report: c.report}, time.Second)
			s := &spec.Spec{
				ID: "other", Level: clause.Must, Clauses: []clause.ID{"baseline.client.read"}, Asks: []subject.Operation{subject.Visit},
				Body: func(ctx context.Context) { Ask(ctx) },
			}
			if o := runner.Try(t.Context(), b, s); o.Verdict != c.want {
				t.Errorf("%s: %s", o.Verdict, o.Message())
			}
		})
	}
}

func TestWhatAProgramCannotDoIsUnsupported(t *testing.T) {
	b := Trusting(fake{dir: t.TempDir()}, time.Second)
	s := &spec.Spec{ID: "other", Level: clause.Must, Asks: []subject.Operation{subject.Resize}, Body: func(context.Context) { t.Error("it was tried") }}
	if o := runner.Try(t.Context(), b, s); o.Verdict != result.Unsupported {
		t.Errorf("%s: %s", o.Verdict, o.Message())
	}
}
