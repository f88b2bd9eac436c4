package campaigns

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/reports/fuzzing"
)

// fake runs campaigns that take their time and find nothing.
type fake struct {
	calls []string
	fails map[string]int // by name: how often it can't be run
}

func (f *fake) run(ctx context.Context, c Request) (fuzzing.Record, error) {
	f.calls = append(f.calls, c.Profile)
	if f.fails[c.Profile] > 0 {
		f.fails[c.Profile]--
		return fuzzing.Record{}, errors.New("no engine")
	}
	select {
	case <-time.After(c.Time):
		return fuzzing.Record{Execs: 1, Requests: 1, Subject: fuzzing.Subject{Kind: "server", Name: c.Target, Profile: c.Profile}}, nil
	case <-ctx.Done():
		return fuzzing.Record{}, ctx.Err()
	}
}

// sweepOf sweeps over three profiles in a directory, for 30 seconds.
func sweepOf(dir string, f *fake, said io.Writer) sweep {
	s := sweep{dir: dir, out: said, err: said, run: f.run}
	for _, p := range []string{"a", "b", "c"} {
		s.list = append(s.list, Request{Job: job.Job{Target: job.Reference, Profile: p}})
	}
	return s
}

func TestASweepThatIsStoppedGoesOn(t *testing.T) {
	dir := t.TempDir()
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
		defer cancel()
		var first fake
		s := sweepOf(dir, &first, io.Discard)
		if _, err := s.all(ctx, 30*time.Second, 1); err == nil || !strings.Contains(err.Error(), "goes on from what is in "+dir) {
			t.Fatalf("error: %v", err)
		}
		if d := cmp.Diff([]string{"a", "b"}, first.calls); d != "" {
			t.Error(d)
		}
		var second fake
		s = sweepOf(dir, &second, io.Discard)
		if _, err := s.all(t.Context(), 30*time.Second, 1); err != nil {
			t.Fatal(err)
		}
		if d := cmp.Diff([]string{"b", "c"}, second.calls); d != "" {
			t.Errorf("the second time: %s", d)
		}
		var third fake // all are done: it starts again
		s = sweepOf(dir, &third, io.Discard)
		if _, err := s.all(t.Context(), 30*time.Second, 1); err != nil || len(third.calls) != 3 {
			t.Errorf("%v, %v", third.calls, err)
		}
	})
}

func TestACampaignThatCanNotBeRunCostsTheOthersNothing(t *testing.T) {
	for name, tc := range map[string]struct {
		fails  int
		calls  []string
		status int
		said   string
	}{
		"for once": {1, []string{"a", "b", "c", "b"}, 0, "3 campaigns, "},
		"for long": {9, []string{"a", "b", "c", "b"}, 2, "1 campaign could not be run to the end; the same command tries again"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				f := fake{fails: map[string]int{"b": tc.fails}}
				var said strings.Builder
				s := sweepOf(dir, &f, &said)
				start := time.Now()
				status, err := s.all(t.Context(), 30*time.Second, 1)
				if err != nil {
					t.Fatal(err)
				}
				if d := cmp.Diff(tc.calls, f.calls); d != "" || status != tc.status || !strings.Contains(said.String(), tc.said) {
					t.Errorf("status %d\n%s\n%s", status, said.String(), d)
				}
				if took := time.Since(start); took < 25*time.Second { // there is a rest after each failure
					t.Errorf("it took %v", took)
				}
			})
		})
	}
}

func TestAnotherTimeIsAnotherSweep(t *testing.T) {
	dir := t.TempDir()
	if err := (state{Goal: time.Minute, Done: []string{"reference-a"}}).write(dir); err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		var f fake
		s := sweepOf(dir, &f, io.Discard)
		if _, err := s.all(t.Context(), time.Second, 1); err != nil || len(f.calls) != 3 {
			t.Errorf("%v, %v", f.calls, err)
		}
	})
	if got := readState(dir); got.Goal != time.Second || len(got.Done) != 3 {
		t.Errorf("%+v", got)
	}
	if got := readState(filepath.Join(dir, "nowhere")); got.Goal != 0 {
		t.Errorf("%+v", got)
	}
}

func TestSeedsDiffer(t *testing.T) {
	a, again := seedOf(1, "a"), seedOf(1, "a")
	if a != again || a == seedOf(1, "b") || a == seedOf(2, "a") {
		t.Error("seeds of campaigns are not what they should be")
	}
}

func TestShards(t *testing.T) {
	for shard, tc := range map[string]struct {
		index string // of the environment
		i, n  int
		err   string
	}{
		"":    {"", 0, 1, ""},
		"2/4": {"", 2, 4, ""},
		"/4":  {"3", 3, 4, ""},
		"/5":  {"", 0, 0, "JOB_COMPLETION_INDEX, which is not set"},
		"4/4": {"", 0, 0, "there is no part 4 of 4"},
		"one": {"", 0, 0, "want I/N, such as 0/4"},
	} {
		t.Setenv("JOB_COMPLETION_INDEX", tc.index)
		r := Request{Shard: shard}
		err := r.parseShard()
		if tc.err == "" && (err != nil || r.shard != tc.i || r.shards != tc.n) ||
			tc.err != "" && (err == nil || !strings.Contains(err.Error(), tc.err)) {
			t.Errorf("%q: %d of %d, %v", shard, r.shard, r.shards, err)
		}
	}
}

// A merge that counts a directory twice, or writes over what it reads, is refused.
func TestDirectoriesOfAMerge(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	if err := os.Symlink(filepath.Join(dir, "a"), link); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "a"), 0o700); err != nil {
		t.Fatal(err)
	}
	for want, tc := range map[string]struct {
		out  string
		dirs []string
	}{
		"<nil>":                              {dir + "/all", []string{dir + "/a", dir + "/b"}},
		"is named twice":                     {dir + "/all", []string{dir + "/a", dir + "/a/"}},
		"/link is named twice":               {dir + "/all", []string{dir + "/a", link}},
		"is one of the directories to merge": {dir + "/b/../a", []string{dir + "/a"}},
	} {
		if err := Distinct(tc.out, tc.dirs); !strings.Contains(fmt.Sprint(err), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
