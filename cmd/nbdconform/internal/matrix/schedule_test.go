package matrix

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/containers"
	report "nbdconform/reports/matrix"
	"nbdconform/reports/result"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// A timeline judges each target for as many seconds as its name has letters.
type timeline struct {
	mu      sync.Mutex
	start   time.Time
	running int
	most    int
	order   []string
}

func (l *timeline) judge(ctx context.Context, j job.Job) (result.Result, error) {
	l.mu.Lock()
	l.running++
	l.most = max(l.most, l.running)
	l.order = append(l.order, fmt.Sprintf("%s at %v", j.Target, time.Since(l.start)))
	l.mu.Unlock()
	defer func() {
		l.mu.Lock()
		l.running--
		l.mu.Unlock()
	}()
	select {
	case <-time.After(time.Duration(len(j.Target)) * time.Second):
		return judgedAs(j, "v1", result.Pass), nil
	case <-ctx.Done():
		return result.Result{}, ctx.Err()
	}
}

// Two runs go on at once, no more and no fewer, and slow cells come first.
func TestTheSchedulerKeepsItsWorkersBusy(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		l := timeline{start: time.Now()}
		cells := cellsOf("a", "bb", "ccc", "dddd", "eeeee")
		cells[4].slow = true
		r := runs{Store: Store{Version: "v1"}, dir: dir, jobs: 2, show: console.OverviewLines(io.Discard), judge: l.judge}
		results, skipped, err := r.run(t.Context(), cells)
		if err != nil || len(skipped) > 0 || len(results) != 5 {
			t.Fatal(results, skipped, err)
		}
		want := []string{"eeeee at 0s", "a at 0s", "bb at 1s", "ccc at 3s", "dddd at 5s"}
		slices.Sort(l.order[:2])
		slices.Reverse(l.order[:2])
		if d := cmp.Diff(want, l.order); d != "" || l.most != 2 {
			t.Errorf("%d at once\n%s", l.most, d)
		}
		for i, name := range []string{"a", "bb", "ccc", "dddd", "eeeee"} {
			if results[i].Target.Name != name {
				t.Errorf("result %d is of %s, want %s", i, results[i].Target.Name, name)
			}
		}
	})
}

// An interrupt ends the runs that go on, and starts no others.
func TestAnInterruptEndsTheSchedule(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 1500*time.Millisecond)
		defer cancel()
		l := timeline{start: time.Now()}
		r := runs{Store: Store{Version: "v1"}, dir: t.TempDir(), jobs: 1, show: console.OverviewLines(io.Discard), judge: l.judge}
		if _, _, err := r.run(ctx, cellsOf("a", "bb", "ccc")); err == nil || ctx.Err() == nil {
			t.Errorf("error: %v", err)
		}
		if d := cmp.Diff([]string{"a at 0s", "bb at 1s"}, l.order); d != "" {
			t.Error(d)
		}
		if since := time.Since(l.start); since != 1500*time.Millisecond {
			t.Errorf("it took %v", since)
		}
	})
}

func TestWhatAStoreTakes(t *testing.T) {
	for _, tc := range []struct {
		store Store
		found string
		want  bool
	}{
		{Store{Version: "v1"}, "v1", true},
		{Store{Version: "v1"}, "v2", false},
		{Store{Version: "v1", Fresh: true}, "v1", false},
		{Store{Version: "v1-dirty"}, "v1-dirty", false},
		{Store{Version: "unknown"}, "unknown", false},
	} {
		if tc.store.takes(tc.found) != tc.want {
			t.Errorf("%+v takes %s: %v", tc.store, tc.found, !tc.want)
		}
	}
}

// Each version of a server is there once, from the oldest release that has it,
// in the profiles that were asked for.
func TestTheServersOfAPlan(t *testing.T) {
	offers := map[string][]containers.Offer{
		"old": {
			{Target: "x", Release: "old", Version: "1", Profiles: []string{"default", "odd"}, Representative: []string{"default"}, Slow: []string{"odd"}},
			{Target: "y", Release: "old", Version: "1", Profiles: []string{"default"}, Representative: []string{"default"}},
		},
		"new": {
			{Target: "x", Release: "new", Version: "1", Profiles: []string{"default"}, Representative: []string{"default"}},
			{Target: "y", Release: "new", Version: "2", Profiles: []string{"default", "odd"}, Representative: []string{"default"}},
		},
	}
	for profiles, want := range map[string][]string{
		RepresentativeProfiles: {"y old, default", "y new, default", "x old, default"},
		AllProfiles:            {"y old, default", "y new, default", "y new, odd", "x old, default", "x old, odd"},
		"odd":                  {"y new, odd", "x old, odd"},
		"none of these":        nil,
	} {
		r := Request{Targets: []string{"y", "x"}, Profiles: []string{profiles}}
		var got []string
		for _, c := range r.serverCells([]string{"old", "new"}, offers) {
			got = append(got, c.title())
			if c.slow != (c.title() == "x old, odd") {
				t.Errorf("%s: slow is %v", c.title(), c.slow)
			}
		}
		if d := cmp.Diff(want, got); d != "" {
			t.Errorf("%s:\n%s", profiles, d)
		}
	}
}

func TestRequests(t *testing.T) {
	all := Request{Profiles: []string{RepresentativeProfiles}}
	if err := all.Resolve(false); err != nil || len(all.Releases) < 4 || len(all.Clients) < 7 || len(all.referenceCells()) == 0 {
		t.Errorf("%v: %+v", err, all)
	}
	one := Request{Targets: []string{"nbdkit"}, Releases: []string{"trixie", "bookworm"}, Profiles: []string{RepresentativeProfiles}}
	if err := one.Resolve(false); err != nil || one.Clients != nil || one.referenceCells() != nil {
		t.Errorf("%v: %+v", err, one)
	}
	if got, want := one.Reproduce(), "nbdconform matrix --releases bookworm,trixie --targets nbdkit --clients none"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	for want, r := range map[string]Request{
		`unknown release "buster"`: {Releases: []string{"buster"}},
		`unknown target "qemu"`:    {Targets: []string{"qemu"}},
		`unknown profile "odd"`:    {Profiles: []string{"odd"}},
		`unknown client "curl"`:    {Clients: []string{"curl"}},
	} {
		if err := r.Resolve(false); err == nil || err.Error()[:len(want)] != want {
			t.Errorf("%v, want %s", err, want)
		}
	}
}

func TestWhatAMatrixLacks(t *testing.T) {
	sound := judgedAs(job.Job{Target: "x"}, "v1", result.Pass)
	cut := sound
	cut.EndedEarly = "interrupted"
	optional := containers.Releases()[0]
	for name, tc := range map[string]struct {
		m    report.Matrix
		want error
	}{
		"nothing":                        {report.Matrix{Runs: []result.Result{sound}}, nil},
		"everything":                     {report.Matrix{}, errors.New("no server could be run")},
		"the end of a run":               {report.Matrix{Runs: []result.Result{cut}}, errors.New("the run of x is not to be trusted: the run ended early: interrupted")},
		"a server":                       {report.Matrix{Runs: []result.Result{sound}, Skipped: []report.Skip{{What: "y sid", Why: "it fell over"}}}, errors.New("the matrix lacks y sid: it fell over")},
		"an archive of " + optional.Name: {report.Matrix{Runs: []result.Result{sound}, Skipped: []report.Skip{{What: optional.Name, Why: "no archive"}}}, nil},
	} {
		if err := Complete(tc.m); fmt.Sprint(err) != fmt.Sprint(tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	if !optional.Optional {
		t.Error("the oldest release is not optional")
	}
}
