// Package conformance runs the specs from a Go test, on a server or on a client:
//
//	func TestServer(t *testing.T) {
//		conformance.Run(t, &subject.Dialer{Name: "mine", Connect: dial}, conformance.Destructive())
//	}
//
//	func TestClient(t *testing.T) {
//		conformance.RunClient(t, mine{dir: t.TempDir()})
//	}
//
// Every spec becomes a subtest, named by the clause that it is mostly about and
// its id, as in TestServer/opt.abort.ack:abort.ack. What the subject lacks is
// skipped. Any number of subjects may be tested in one process, one after the
// other or in parallel tests; the specs of one subject run one by one.
//
// Ginkgo builds the tree of specs once for a process: a test binary that uses
// Ginkgo for its own tests is no place for this.
package conformance

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"nbdconform/conformance/internal/encounter"
	"nbdconform/conformance/internal/runner"
	"nbdconform/conformance/internal/session"
	"nbdconform/conformance/subject"
	"nbdconform/reports/baseline"
	"nbdconform/reports/result"
)

// An Option changes how [Run] and [RunClient] go about it.
type Option func(*options)

type options struct {
	server session.Options
	filter string
	seed   int64
	known  []string
	result func(result.Result)
}

// Destructive lets the specs write all over the export of a server. Without it,
// and unless the target's profile allows it, they only read.
func Destructive() Option { return func(o *options) { o.server.Destructive = true } }

// Filter runs a part: a spec's id, a clause's id, or a label filter such as
// "level: containsAny MUST && !writes".
func Filter(filter string) Option { return func(o *options) { o.filter = filter } }

// Export names the export of a server to test. Without it the profile says, or
// the server.
func Export(name string) Option { return func(o *options) { o.server.Export = &name } }

// Timeout is how long a server may be silent, or a client may take for one task,
// until that counts as a hang.
func Timeout(d time.Duration) Option { return func(o *options) { o.server.Timeout = d } }

// Seed orders the specs.
func Seed(seed int64) Option { return func(o *options) { o.seed = seed } }

// Baseline names files of known failures, as nbdconform baseline update writes
// them. A known failure is skipped; then a broken SHOULD fails the test as well
// unless it is known, and so does an entry that is no longer true.
func Baseline(files ...string) Option {
	return func(o *options) { o.known = append(o.known, files...) }
}

// Result hands over what came of the run, for result.Write or a report.
func Result(f func(result.Result)) Option { return func(o *options) { o.result = f } }

// Run runs every spec for servers on the target. It does not close the target.
func Run(t *testing.T, server subject.Server, opts ...Option) {
	t.Helper()
	o := choose(opts)
	o.server.Destructive = o.server.Destructive || server.Profile().Destructive
	o.server.Seed = o.seed
	subject, err := session.Discover(t.Context(), server, o.server)
	if err != nil {
		t.Fatal(err)
	}
	o.run(t, subject)
}

// RunClient runs every spec for clients on a client program. It does not close
// the client.
func RunClient(t *testing.T, client subject.Client, opts ...Option) {
	t.Helper()
	o := choose(opts)
	subject, err := encounter.Discover(t.Context(), client, encounter.Options{Timeout: o.server.Timeout})
	if err != nil {
		t.Fatal(err)
	}
	o.run(t, subject)
}

func choose(opts []Option) options {
	o := options{seed: 1}
	for _, opt := range opts {
		opt(&o)
	}
	return o
}

// run runs the specs on a subject, each as a subtest.
func (o options) run(t *testing.T, subject runner.Subject) {
	t.Helper()
	known, err := baseline.Load(o.known...)
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	r := run{known: known, gated: len(o.known) > 0, result: result.Result{
		SchemaVersion: result.SchemaVersion,
		Suite:         result.Suite{Name: "nbdconform", Version: "library", Filter: o.filter, Seed: o.seed},
		Document:      runner.Document,
		Target:        subject.Describe(),
		Started:       started.UTC().Truncate(time.Millisecond),
		Reproduce:     "go test -run " + t.Name(),
	}}
	round, err := runner.NewRound(runner.Config{Subject: subject, Filter: o.filter, Seed: o.seed, Done: r.note})
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range round.Specs() {
		asked := false
		t.Run(string(e.Clauses[0])+":"+e.ID, func(t *testing.T) {
			asked = true
			r.tell(t, round.Try(t.Context(), e))
		})
		if !asked { // go test -run left it out
			r.result.Suite.Filter = "go test -run"
		}
	}
	for _, line := range round.Judged() {
		t.Run(line.Clauses[0]+":judge", func(t *testing.T) { r.tell(t, line) })
	}
	r.result.Seconds = time.Since(started).Seconds()
	r.result.Count()
	if o.result != nil {
		o.result(r.result)
	}
	r.conclude(t)
}

type run struct {
	known  []baseline.File
	gated  bool
	result result.Result
}

func (r *run) note(s result.Spec, seen []result.Observation) {
	s.Signature = result.SignatureOf(s)
	r.result.Specs = append(r.result.Specs, s)
	r.result.Observations = append(r.result.Observations, seen...)
}

// tell gives the outcome of a spec to the subtest that stands for it.
func (r *run) tell(t *testing.T, s result.Spec) {
	t.Helper()
	s.Signature = result.SignatureOf(s)
	switch {
	case s.Verdict == result.Pass:
	case s.Verdict == result.Error:
		t.Errorf("the suite is at fault: %s", s.Message)
	case !s.Verdict.Troubled():
		t.Skip(s.Message)
	case r.gated && slices.ContainsFunc(r.known, func(f baseline.File) bool { return f.Knows(r.result.Target, s) }):
		t.Skipf("known: %s: %s", s.Verdict, s.Message)
	case r.gated || s.Verdict.Broken():
		t.Error(story(s))
	case s.Verdict == result.Warning:
		t.Log(story(s))
	default: // blocked or inconclusive, by a failure that is told elsewhere
		t.Skipf("%s: %s", s.Verdict, s.Message)
	}
}

// story is all that is known of a failure.
func story(s result.Spec) string {
	text := fmt.Sprintf("%s: %s (%s)\nrequires: %s\n%s", s.Verdict, s.Clauses[0], s.Level, s.Requires, s.Message)
	if s.Exit != "" {
		text += "\nexit: " + s.Exit
	}
	if s.Transcript != "" {
		text += "\n" + s.Transcript
	}
	return text
}

// conclude fails the test for what no single spec shows: a run of nothing, and
// entries of the baseline that are no longer true.
func (r *run) conclude(t *testing.T) {
	t.Helper()
	for _, doubt := range r.result.Doubts() {
		t.Errorf("the run is not to be trusted: %s", doubt)
	}
	if !r.gated {
		return
	}
	for _, f := range baseline.Check(r.result, r.known, time.Now()).Findings {
		switch f.Kind {
		case baseline.New, baseline.Changed: // told by the spec
		default:
			t.Errorf("%s:%d: %s entry: %s %s", f.File, f.Entry.Line, f.Kind, f.Entry.Spec, f.Detail)
		}
	}
}
