package replay

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/reports/evidence"
	"nbdconform/reports/result"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// given is what reports that these flags were given.
func given(names ...string) func(string) bool {
	return func(name string) bool { return slices.Contains(names, name) }
}

// What is not given is taken from the bundle; another target takes nothing of
// the recorded one.
func TestTheJobOfABundle(t *testing.T) {
	b := evidence.Bundle{
		Suite: result.Suite{Seed: 7},
		Run: evidence.Run{
			Target: "nbdkit", Provider: "container", Release: "trixie", Profile: "huge", TimeoutSeconds: 1.5, Filter: "abort.ack",
		},
	}
	recorded := job.Job{
		Target: "nbdkit", Provider: "container", Release: "trixie", Profile: "huge", Timeout: 1500 * time.Millisecond, Filter: "abort.ack", Seed: 7,
	}
	with := func(change func(*job.Job)) job.Job {
		j := recorded
		change(&j)
		return j
	}
	defaults := job.Job{Provider: "container", Release: "bookworm"}
	for name, tc := range map[string]struct {
		flags []string
		job   func(*job.Job)
		want  job.Job
	}{
		"as recorded":       {nil, nil, recorded},
		"another release":   {[]string{"release"}, func(j *job.Job) { j.Release = "sid" }, with(func(j *job.Job) { j.Release = "sid" })},
		"another profile":   {[]string{"profile"}, func(j *job.Job) { j.Profile = "" }, with(func(j *job.Job) { j.Profile = "" })},
		"another timeout":   {[]string{"timeout"}, func(j *job.Job) { j.Timeout = time.Second }, with(func(j *job.Job) { j.Timeout = time.Second })},
		"another provider":  {[]string{"provider"}, func(j *job.Job) { j.Provider = "local" }, with(func(j *job.Job) { j.Provider = "local" })},
		"another target":    {[]string{"target"}, func(j *job.Job) { j.Target = "reference" }, job.Job{Target: "reference", Provider: "container", Release: "bookworm", Filter: "abort.ack", Seed: 7}},
		"a command":         {nil, func(j *job.Job) { j.Command = []string{"true"} }, job.Job{Command: []string{"true"}, Provider: "container", Release: "bookworm", Filter: "abort.ack", Seed: 7}},
		"a quirk of anothr": {[]string{"target", "quirk"}, func(j *job.Job) { j.Target, j.Quirk = "reference", "q" }, job.Job{Target: "reference", Quirk: "q", Provider: "container", Release: "bookworm", Filter: "abort.ack", Seed: 7}},
	} {
		r := Request{Job: defaults, Given: given(tc.flags...)}
		if tc.job != nil {
			tc.job(&r.Job)
		}
		got, err := r.jobOf(b)
		if d := cmp.Diff(tc.want, got); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", name, err, d)
		}
	}
	r := Request{Job: defaults, Given: given(), Program: "nbdcopy"}
	if _, err := r.jobOf(b); err == nil || !strings.Contains(err.Error(), "the bundle is about a server") {
		t.Errorf("with a client: %v", err)
	}
}

func TestTheJobOfABundleAboutAClient(t *testing.T) {
	b := evidence.Bundle{
		Suite: result.Suite{Seed: 7},
		Task:  &evidence.Task{Activity: "copy-out"},
		Run:   evidence.Run{Program: "nbdcopy", Provider: "container", Release: "trixie", TimeoutSeconds: 20, Filter: "client.size"},
	}
	defaults := job.Job{Provider: "container", Release: "bookworm"}
	for name, tc := range map[string]struct {
		request Request
		want    job.Client
		err     string
	}{
		"as recorded": {Request{Given: given()}, job.Client{
			Program: "nbdcopy", Provider: "container", Release: "trixie", Timeout: 20 * time.Second, Filter: "client.size", Seed: 7, Does: "copy-out",
		}, ""},
		"a command": {Request{Given: given(), Job: job.Job{Command: []string{"cp"}}}, job.Client{
			Command: []string{"cp"}, Provider: "container", Release: "trixie", Timeout: 20 * time.Second, Filter: "client.size", Seed: 7, Does: "copy-out",
		}, ""},
		"a server":   {Request{Given: given("target")}, job.Client{}, "--target says which server, and the bundle is about a client"},
		"no timeout": {Request{Given: given("timeout")}, job.Client{}, "it has to be positive"},
	} {
		command := tc.request.Command
		tc.request.Job = defaults
		tc.request.Command = command
		got, err := tc.request.jobOf(b)
		if tc.err != "" {
			if err == nil || !strings.Contains(err.Error(), tc.err) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if d := cmp.Diff(tc.want, *got.Client); d != "" || got.Filter != tc.want.Filter {
			t.Errorf("%s:\n%s", name, d)
		}
	}
}

// kept writes a bundle about a spec below dir, and returns its path from there.
func kept(t *testing.T, dir string, s evidence.Spec) string {
	t.Helper()
	store, err := evidence.NewStore(dir, evidence.DefaultLimits)
	if err != nil {
		t.Fatal(err)
	}
	s.Name, s.Level = "a name", "MUST"
	path, err := store.Add(evidence.Bundle{
		Spec: s, SeenIn: s.ID, Command: "nbdconform run", Target: result.Target{Name: "reference"},
		Suite:       result.Suite{Name: "nbdconform", Version: "v1", Seed: 1},
		Environment: evidence.Environment{OS: "linux", Arch: "amd64", Go: "go", CPUs: 1},
		Run:         evidence.Run{Target: job.Reference, Filter: s.ID},
	}, evidence.Material{})
	if err != nil {
		t.Fatal(err)
	}
	if err := evidence.Publish(dir); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestWhetherTheFailureIsStillThere(t *testing.T) {
	then := evidence.Spec{ID: "abort.ack", Clause: "opt.abort.ack", Clauses: []string{"opt.abort.ack"}, Verdict: result.Fail, Level: "MUST"}
	dir := t.TempDir()
	other := then
	other.Clause = "layout.option-reply"
	evidenceOfOther := kept(t, dir, other)
	spec := func(v result.Verdict, evidence string) result.Result {
		return result.Result{Target: result.Target{Name: "x"}, Specs: []result.Spec{
			{ID: "abort.ack", Clauses: []string{"opt.abort.ack"}, Verdict: v, Message: "first line\nsecond", Evidence: evidence},
		}}
	}
	for name, tc := range map[string]struct {
		now    result.Result
		status int
		text   string
	}{
		"it passes":             {spec(result.Pass, ""), gone, "now: abort.ack on x: pass\nnot reproduced: it passes"},
		"the same":              {spec(result.Fail, ""), stays, "now: abort.ack on x: fail (opt.abort.ack)\nreproduced: first line"},
		"another verdict":       {spec(result.Hang, ""), stays, "still broken, in another way: first line"},
		"another clause":        {spec(result.Fail, evidenceOfOther), stays, "(layout.option-reply)\nstill broken, in another way"},
		"no failure of theirs":  {spec(result.Inconclusive, ""), undecided, "can't tell: first line"},
		"it was not run":        {result.Result{Specs: []result.Spec{{ID: "other", Verdict: result.Pass, Clauses: []string{"c"}}}}, undecided, "can't tell: abort.ack did not come up"},
		"nothing was run":       {result.Result{}, undecided, "can't tell: no spec ran"},
		"a broken SHOULD, then": {spec(result.Warning, ""), stays, "still broken, in another way"},
	} {
		status, text := compare(evidence.Bundle{Spec: then}, tc.now, dir)
		if status != tc.status || !strings.Contains(text, tc.text) {
			t.Errorf("%s: status %d, %s", name, status, text)
		}
	}
}

// The run of a bundle keeps its evidence only where that was asked for.
func TestABundleIsRunAgain(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, kept(t, dir, evidence.Spec{
		ID: "abort.ack", Name: "n", Clause: "opt.abort.ack", Clauses: []string{"opt.abort.ack"}, Verdict: result.Fail, Level: "MUST",
	}))
	var used string
	r := Request{
		Job: job.Job{Provider: "container", Release: "bookworm"}, Given: given("provider", "release"), Log: io.Discard,
		Run: func(_ context.Context, j job.Job) (result.Result, error) {
			used = j.EvidenceDir
			return result.Result{Specs: []result.Spec{{ID: "abort.ack", Clauses: []string{"opt.abort.ack"}, Verdict: result.Pass}}}, nil
		},
	}
	for _, name := range []string{path, filepath.Join(path, evidence.BundleFile)} {
		var out strings.Builder
		r.Out = &out
		status, err := r.Do(t.Context(), name)
		if err != nil || status != gone || !strings.Contains(out.String(), "then: abort.ack on") || !strings.Contains(out.String(), "not reproduced") {
			t.Errorf("%s: status %d, %v\n%s", name, status, err, out.String())
		}
		if _, err := os.Stat(used); err == nil || used == "" {
			t.Errorf("%q is left", used)
		}
	}
	r.Run = func(context.Context, job.Job) (result.Result, error) { return result.Result{}, errors.New("no engine") }
	if _, err := r.Do(t.Context(), path); err == nil || err.Error() != "can't tell: no engine" {
		t.Error(err)
	}
}

func TestWhatIsConcluded(t *testing.T) {
	for want, tc := range map[string]struct {
		then   string
		again  bool
		found  int
		status int
	}{
		"reproduced: a\n":                  {"a", true, 1, stays},
		"not reproduced: a; findings: 0\n": {"a", false, 0, gone},
		"not reproduced: a; findings: 2\n": {"a", false, 2, gone},
		"nothing found\n":                  {"", false, 0, gone},
		"findings: 1\n":                    {"", false, 1, stays},
	} {
		var out strings.Builder
		r := Request{Out: &out}
		if status := r.conclude(tc.then, tc.again, tc.found, "nothing found"); status != tc.status || out.String() != want {
			t.Errorf("%+v: status %d, %q", tc, status, out.String())
		}
	}
}

func TestWhatCanNotBeReplayed(t *testing.T) {
	dir := t.TempDir()
	text := filepath.Join(dir, "a.script")
	if err := os.WriteFile(text, []byte("0 flags 0\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for want, tc := range map[string]struct {
		request Request
		path    string
	}{
		"is no evidence bundle":                         {Request{}, dir},
		"no such file":                                  {Request{}, dir + "/nothing"},
		"there is no script to make of it":              {Request{Script: true}, text},
		"--client goes with a bundle or a fault script": {Request{Program: "nbdcopy"}, text},
	} {
		tc.request.Given, tc.request.Out, tc.request.Log = given(), io.Discard, io.Discard
		if _, err := tc.request.Do(t.Context(), tc.path); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
}
