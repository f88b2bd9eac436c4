package campaign

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"nbdconform/fuzz/session"
	"nbdconform/reports/fuzzing"
)

// onReference is a campaign on the reference server.
func onReference(quirk, dir string, goal time.Duration) Options {
	return Options{
		Subject: fuzzing.Subject{Kind: "server", Name: "reference", Profile: "default", Quirk: quirk},
		Server:  Reference{Profile: "default", Quirk: quirk}, Guide: Reference{},
		Dir: dir, Goal: goal, Seed: 1, Patience: 200 * time.Millisecond,
	}
}

func run(t *testing.T, ctx context.Context, o Options) fuzzing.Record {
	t.Helper()
	r, err := Run(ctx, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestTheGoodServerHasNoFindings(t *testing.T) {
	t.Parallel()
	r := run(t, t.Context(), onReference("", t.TempDir(), 2*time.Second))
	if r.Exit() != 0 || r.Execs < 50 || r.Corpus < 10 || len(r.Points) < 50 {
		t.Errorf("exit %d: %s: %+v", r.Exit(), r.Conclusion(), r.Findings)
	}
}

// A planted quirk is found, shrunk, saved, and shows again from the file.
func TestAPlantedQuirkIsFound(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	o := onReference("write-misplaced", dir, 10*time.Second)
	o.Progress = func(r fuzzing.Record, _ time.Duration) {
		if len(r.Broken()) > 0 {
			stop()
		}
	}
	r := run(t, ctx, o)
	if r.Exit() != 1 || len(r.Broken()) == 0 {
		t.Fatalf("exit %d: %s", r.Exit(), r.Conclusion())
	}
	f := r.Broken()[0]
	if f.Ops > 6 || f.File == "" {
		t.Errorf("%d operations in %q:\n%s", f.Ops, f.File, f.Script)
	}
	saved, err := session.Load(filepath.Join(dir, f.File))
	if err != nil {
		t.Fatal(err)
	}
	for quirk, want := range map[string]bool{"write-misplaced": true, "": false} {
		got, err := Reference{Quirk: quirk}.Run(t.Context(), saved.Script, Care{Patience: time.Second})
		if _, ok := got.Has(f.Signature); err != nil || ok != want {
			t.Errorf("quirk %q: again %v, want %v (%v)", quirk, ok, want, err)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, f.File[:len(f.File)-len(session.Extension)]+".py")); err != nil {
		t.Error(err)
	}
}

// A campaign that is stopped goes on where it was.
func TestResume(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	o := onReference("", dir, 3*time.Second)
	o.Progress = func(r fuzzing.Record, _ time.Duration) {
		if r.Execs > 10 {
			stop()
		}
	}
	first := run(t, ctx, o)
	if first.Left <= 0 || first.Left >= 3 || first.Execs == 0 {
		t.Fatalf("left %.1f s after %d scripts", first.Left, first.Execs)
	}
	o.Progress = nil
	start := time.Now()
	second := run(t, t.Context(), o)
	if took := time.Since(start).Seconds(); took > first.Left+1.5 {
		t.Errorf("%.1f s were left, it took %.1f", first.Left, took)
	}
	if second.Execs <= first.Execs || second.Next < first.Next || second.Left != 0 || len(second.Points) < len(first.Points) {
		t.Errorf("first %s, then %s", first.Conclusion(), second.Conclusion())
	}
	o.Seed = 2
	if _, err := Run(t.Context(), o); err == nil {
		t.Error("it goes on with another seed")
	}
}
