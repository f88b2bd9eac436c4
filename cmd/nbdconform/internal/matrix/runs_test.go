package matrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/reports/result"
)

// judgedAs is a result of a job that says nothing but which target has which verdict.
func judgedAs(o job.Job, version string, v result.Verdict) result.Result {
	r := result.Result{
		SchemaVersion: result.SchemaVersion,
		Suite:         result.Suite{Name: "nbdconform", Version: version, Seed: o.Seed},
		Target:        result.Target{Name: o.Target, Provider: "container", Release: o.Release, Profile: o.Profile, Image: "sha256:1"},
		Started:       time.Now(),
		Specs:         []result.Spec{{ID: "a", Name: "a", Group: "g", Clauses: []string{"c"}, Level: "MUST", Verdict: v, Message: "m"}},
		Reproduce:     "nbdconform run",
	}
	r.Count()
	return r
}

func cellsOf(names ...string) []cell {
	var list []cell
	for _, n := range names {
		list = append(list, cell{Job: job.Job{Target: n, Release: "trixie", Profile: "default", Seed: 1}, image: "sha256:1"})
	}
	return list
}

// counting judges everything as conforming, but for "broken", and "shaky" at first.
type counting struct {
	version string

	mu    sync.Mutex
	calls map[string]int
}

func (c *counting) judge(_ context.Context, o job.Job) (result.Result, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.calls == nil {
		c.calls = make(map[string]int)
	}
	c.calls[o.Target]++
	switch {
	case o.Target == "broken":
		return result.Result{}, errors.New("no such thing")
	case o.Target == "shaky" && c.calls[o.Target] == 1:
		return judgedAs(o, c.version, result.Error), nil
	}
	return judgedAs(o, c.version, result.Pass), nil
}

func TestMatrixGoesOnWhereItStopped(t *testing.T) {
	dir := t.TempDir()
	version := "v1"
	run := func(names ...string) (calls map[string]int, targets []string, missing string) {
		c := counting{version: version}
		f := runs{Store: Store{Version: version}, dir: dir, jobs: 2, show: console.OverviewLines(io.Discard), judge: c.judge}
		results, skipped, err := f.run(context.Background(), cellsOf(names...))
		if err != nil {
			t.Fatal(err)
		}
		for _, r := range results {
			targets = append(targets, r.Target.Name)
		}
		return c.calls, targets, fmt.Sprint(skipped)
	}
	calls, targets, missing := run("one", "broken", "shaky", "two")
	if d := cmp.Diff(map[string]int{"one": 1, "broken": 1, "shaky": 2, "two": 1}, calls); d != "" {
		t.Error(d)
	}
	if d := cmp.Diff([]string{"one", "shaky", "two"}, targets); d != "" || !strings.Contains(missing, "broken trixie, default") {
		t.Errorf("%s; missing: %s", d, missing)
	}
	if err := os.Remove(filepath.Join(dir, "two-trixie", "result.json")); err != nil {
		t.Fatal(err)
	}
	calls, targets, _ = run("one", "shaky", "two")
	if d := cmp.Diff(map[string]int{"two": 1}, calls); d != "" {
		t.Errorf("what was there was run again: %s", d)
	}
	if d := cmp.Diff([]string{"one", "shaky", "two"}, targets); d != "" {
		t.Error(d)
	}
	version = "v2"
	if calls, _, _ = run("one"); calls["one"] != 1 {
		t.Error("another suite took the results of an older one")
	}
}

func TestOnlyTheSameRunIsStillThere(t *testing.T) {
	c := cellsOf("one")[0]
	s := Store{Version: "v1"}
	if !c.yields(judgedAs(c.Job, "v1", result.Fail), s) {
		t.Fatal("the same run is not taken")
	}
	for name, change := range map[string]func(*result.Result){
		"image":   func(r *result.Result) { r.Target.Image = "sha256:2" },
		"suite":   func(r *result.Result) { r.Suite.Version = "v0" },
		"filter":  func(r *result.Result) { r.Suite.Filter = "a" },
		"profile": func(r *result.Result) { r.Target.Profile = "tls" },
		"end":     func(r *result.Result) { r.EndedEarly = "interrupted" },
	} {
		r := judgedAs(c.Job, "v1", result.Pass)
		change(&r)
		if c.yields(r, s) {
			t.Errorf("a run with another %s is taken", name)
		}
	}
	if c.yields(judgedAs(c.Job, "v1-dirty", result.Pass), Store{Version: "v1-dirty"}) {
		t.Error("a suite of uncommitted files is taken")
	}
}

func TestInterruptedMatrixSaysHowToGoOn(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f := runs{dir: "somewhere", jobs: 1, show: console.OverviewLines(io.Discard)}
	if _, _, err := f.run(ctx, cellsOf("one")); err == nil || !strings.Contains(err.Error(), "goes on from what is in somewhere") {
		t.Errorf("error: %v", err)
	}
}
