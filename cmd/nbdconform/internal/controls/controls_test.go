package controls

import (
	"context"
	"errors"
	"io"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/reports/controls"
	"nbdconform/reports/result"
)

// control is a bug that an old release has and a new one has not.
func control(name string) controls.Control {
	return controls.Control{
		Bug: name, Target: "nbdkit", Spec: "s", Clause: "c", Verdict: result.Fail, Text: "bad",
		Releases: controls.Releases{Affected: "old", Fixed: "new"}, Tries: 3,
	}
}

func found(v result.Verdict) result.Result {
	return result.Result{Specs: []result.Spec{{ID: "s", Clauses: []string{"c"}, Verdict: v, Message: "bad"}}}
}

func TestAControlIsRedAndGreen(t *testing.T) {
	for name, tc := range map[string]struct {
		old  []result.Verdict // of each try
		new  result.Verdict
		want string
		runs int
	}{
		"as it should be":      {[]result.Verdict{result.Fail}, result.Pass, "", 2},
		"at the third try":     {[]result.Verdict{result.Pass, result.Pass, result.Fail}, result.Pass, "", 4},
		"never on the old one": {[]result.Verdict{result.Pass, result.Pass, result.Pass}, result.Pass, "old has it: s is pass, want fail", 3},
		"on the new one too":   {[]result.Verdict{result.Fail}, result.Fail, "new does not have it: s is fail", 2},
	} {
		runs := 0
		judge := func(_ context.Context, j job.Job) (result.Result, error) {
			runs++
			if j.Release == "new" {
				return found(tc.new), nil
			}
			return found(tc.old[runs-1]), nil
		}
		got := "not called"
		err := Run(t.Context(), []controls.Control{control("B")}, 1, judge, func(_ controls.Control, why string) { got = why })
		if err != nil || len(got) < len(tc.want) || got[:len(tc.want)] != tc.want || (tc.want == "") != (got == "") || runs != tc.runs {
			t.Errorf("%s: %q after %d runs, %v", name, got, runs, err)
		}
	}
}

// Controls are tried so many at once, and one that can't be run stops no other.
func TestControlsSideBySide(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		judge := func(_ context.Context, j job.Job) (result.Result, error) {
			time.Sleep(time.Second)
			switch {
			case j.Profile == "broken":
				return result.Result{}, io.ErrUnexpectedEOF
			case j.Release == "new":
				return found(result.Pass), nil
			}
			return found(result.Fail), nil
		}
		list := []controls.Control{control("A"), control("B"), control("C"), control("D")}
		list[1].Profile = "broken"
		var done []string
		start := time.Now()
		err := Run(t.Context(), list, 2, judge, func(c controls.Control, _ string) { done = append(done, c.Bug) })
		if !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != "B: unexpected EOF" {
			t.Errorf("error: %v", err)
		}
		if d := cmp.Diff([]string{"A", "C", "D"}, done); d != "" {
			t.Error(d)
		}
		if took := time.Since(start); took != 4*time.Second { // A and C take two seconds each, as do B and D with one more
			t.Errorf("it took %v", took)
		}
	})
}

func TestControlsByName(t *testing.T) {
	all, err := Named("")
	if err != nil || len(all) < 5 {
		t.Fatal(len(all), err)
	}
	if some, err := Named("CVE-2021"); err != nil || len(some) == 0 || len(some) == len(all) {
		t.Errorf("%d of %d, %v", len(some), len(all), err)
	}
	if _, err := Named("no such bug"); err == nil {
		t.Error("a bug that is none was found")
	}
}
