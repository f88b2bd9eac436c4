package main

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	proof "nbdconform/cmd/nbdconform/internal/controls"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/cmd/nbdconform/internal/matrix"
	"nbdconform/conformance/clause"
	"nbdconform/containers"
	"nbdconform/reports/controls"
	"nbdconform/reports/result"
)

// Every control is about things that exist, and the README's table has it.
func TestControlsNameWhatExists(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	list, err := proof.Named("")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range list {
		var o job.Job
		o.Target, o.Provider, o.Release = c.Target, containers.Container, c.Affected
		if err := o.Check(); err != nil {
			t.Errorf("%s: %v", c.Bug, err)
		}
		if o.Release = c.Fixed; o.Check() != nil {
			t.Errorf("%s: no release %s", c.Bug, c.Fixed)
		}
		in := matrix.Request{Profiles: []string{c.Profile}}
		if err := in.Resolve(false); c.Profile != "" && err != nil {
			t.Errorf("%s: %v", c.Bug, err)
		}
		if _, ok := clause.Get(clause.ID(c.Clause)); !ok {
			t.Errorf("%s: no clause %s", c.Bug, c.Clause)
		}
		for _, e := range census(t) {
			if e.ID == c.Spec {
				ok := false
				for _, id := range e.Clauses {
					ok = ok || string(id) == c.Clause
				}
				if !ok {
					t.Errorf("%s: %s is about %v", c.Bug, c.Spec, e.Clauses)
				}
			}
		}
		_, short, _ := strings.Cut(c.Command(), " run ")
		for _, w := range []string{c.Bug, c.Clause, short} {
			if !strings.Contains(string(readme), w) {
				t.Errorf("the README's table lacks %q", w)
			}
		}
	}
}

func TestControlsAreRedAndGreen(t *testing.T) {
	t.Parallel()
	c := controls.Control{
		Bug: "B", Target: "nbdkit", Spec: "s", Clause: "c", Verdict: result.Fail, Text: "bad",
		Releases: controls.Releases{Affected: "bullseye", Fixed: "sid"}, Tries: 3,
	}
	calls := 0
	answers := func(old, fresh result.Verdict) proof.Judge {
		return func(_ context.Context, o job.Job) (result.Result, error) {
			v := fresh
			if o.Release == "bullseye" {
				if calls++; calls%2 == 0 {
					v = old
				} else {
					v = result.Pass
				}
			}
			return result.Result{Specs: []result.Spec{{ID: "s", Clauses: []string{"c"}, Verdict: v, Message: "bad"}}}, nil
		}
	}
	for _, tc := range []struct {
		old, fresh result.Verdict
		want       string
	}{
		{result.Fail, result.Pass, "1 bugs found where they are and only there, 0 not"},
		{result.Hang, result.Pass, "bullseye has it: s is "},
		{result.Fail, result.Fail, "sid does not have it: s is fail"},
	} {
		calls = 0
		var out strings.Builder
		err := runControls(t.Context(), &out, []controls.Control{c}, 1, answers(tc.old, tc.fresh))
		var e *exitError
		if !strings.Contains(out.String(), tc.want) || (err == nil) != strings.HasPrefix(tc.want, "1 bugs") || err != nil && !errors.As(err, &e) {
			t.Errorf("%v, %v: %v\n%s", tc.old, tc.fresh, err, out.String())
		}
	}
	broken := func(context.Context, job.Job) (result.Result, error) { return result.Result{}, errors.New("no engine") }
	if err := runControls(t.Context(), &strings.Builder{}, []controls.Control{c}, 1, broken); err == nil || err.Error() != "B: no engine" {
		t.Errorf("a run that could not be: %v", err)
	}
}
