package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reports/result"
)

// judged is a run of an order that says nothing but who was judged.
func judged(o order, v result.Verdict) result.Result {
	r := result.Result{
		SchemaVersion: result.SchemaVersion,
		Suite:         result.Suite{Name: "nbdconform", Version: version(), Seed: o.Seed},
		Target:        result.Target{Name: o.Target, Provider: "container", Suite: o.Suite, Profile: o.Profile, Image: "sha256:1"},
		Started:       time.Now(),
		Specs:         []result.Spec{{ID: "a", Name: "a", Group: "g", Clauses: []string{"c"}, Level: "MUST", Verdict: v, Message: "m"}},
		Reproduce:     "nbdconform run",
	}
	r.Count()
	return r
}

func stamp(t *testing.T, v string) {
	old := stamped
	stamped = v
	t.Cleanup(func() { stamped = old })
}

func cellsOf(names ...string) []cell {
	var list []cell
	for _, n := range names {
		list = append(list, cell{order: order{Target: n, Suite: "trixie", Profile: "default", Seed: 1}, Image: "sha256:1"})
	}
	return list
}

// counting judges everything as conforming, but for "broken", and "shaky" at first.
type counting struct {
	mu    sync.Mutex
	calls map[string]int
}

func (c *counting) judge(_ context.Context, o order) (result.Result, error) {
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
		return judged(o, result.Error), nil
	}
	return judged(o, result.Pass), nil
}

func TestMatrixGoesOnWhereItStopped(t *testing.T) {
	stamp(t, "v1")
	dir := t.TempDir()
	run := func(names ...string) (calls map[string]int, targets []string, missing string) {
		var c counting
		f := field{dir: dir, jobs: 2, show: &overviewLines{out: &strings.Builder{}}, judge: c.judge}
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
	stamp(t, "v2")
	if calls, _, _ = run("one"); calls["one"] != 1 {
		t.Error("another suite took the results of an older one")
	}
}

func TestOnlyTheSameRunIsStillThere(t *testing.T) {
	stamp(t, "v1")
	c := cellsOf("one")[0]
	if !c.still(judged(c.order, result.Fail)) {
		t.Fatal("the same run is not taken")
	}
	for name, change := range map[string]func(*result.Result){
		"image":   func(r *result.Result) { r.Target.Image = "sha256:2" },
		"suite":   func(r *result.Result) { r.Suite.Version = "v0" },
		"filter":  func(r *result.Result) { r.Suite.Filter = "a" },
		"profile": func(r *result.Result) { r.Target.Profile = "tls" },
		"end":     func(r *result.Result) { r.EndedEarly = "interrupted" },
	} {
		r := judged(c.order, result.Pass)
		change(&r)
		if c.still(r) {
			t.Errorf("a run with another %s is taken", name)
		}
	}
	stamp(t, "v1-dirty")
	if c.still(judged(c.order, result.Pass)) {
		t.Error("a suite that nobody can tell apart is taken")
	}
}

func TestInterruptedMatrixSaysHowToGoOn(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	f := field{dir: "somewhere", jobs: 1, show: &overviewLines{out: &strings.Builder{}}}
	if _, _, err := f.run(ctx, cellsOf("one")); err == nil || !strings.Contains(err.Error(), "goes on from what is in somewhere") {
		t.Errorf("error: %v", err)
	}
}
