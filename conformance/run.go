// Package conformance puts a server to the specs from a Go test:
//
//	func TestServer(t *testing.T) {
//		conformance.Run(t, &target.Dialer{Name: "mine", Connect: dial}, conformance.Destructive())
//	}
//
// Every spec becomes a subtest, named by the clause that it is mostly about and
// its id, as in TestServer/opt.abort.ack:abort.ack. What the server lacks is
// skipped. Several targets may be tried in one process, one after the other or
// in parallel tests; the specs of one target are tried one by one.
//
// A test binary that uses Ginkgo or Gomega for its own tests is no place for
// this: both keep state for the whole process.
package conformance

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"nbdconform/conformance/servers"
	"nbdconform/conformance/target"
	"nbdconform/conformance/trial"
	"nbdconform/reports/baseline"
	"nbdconform/reports/result"
)

// An Option changes how Run goes about it.
type Option func(*options)

type options struct {
	trial  trial.Options
	filter string
	seed   int64
	known  []string
	result func(result.Result)
}

// Destructive lets the specs write all over the export. Without it, and unless
// the target's profile allows it, they only read.
func Destructive() Option { return func(o *options) { o.trial.Destructive = true } }

// Filter runs a part: a spec's id, a clause's id, or a label filter such as
// "level: containsAny MUST && !writes".
func Filter(filter string) Option { return func(o *options) { o.filter = filter } }

// Export names the export to test. Without it the profile says, or the server.
func Export(name string) Option { return func(o *options) { o.trial.Export = &name } }

// Timeout is how long silence has to last to count as a hang.
func Timeout(d time.Duration) Option { return func(o *options) { o.trial.Timeout = d } }

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

// Run tries every spec on the target. It does not close the target.
func Run(t *testing.T, server target.Target, opts ...Option) {
	t.Helper()
	o := options{seed: 1}
	for _, opt := range opts {
		opt(&o)
	}
	o.trial.Destructive = o.trial.Destructive || server.Profile().Destructive
	known, err := baseline.Load(o.known...)
	if err != nil {
		t.Fatal(err)
	}
	bench, err := trial.Discover(t.Context(), server, o.trial)
	if err != nil {
		t.Fatal(err)
	}
	started := time.Now()
	r := run{known: known, gated: len(o.known) > 0, result: result.Result{
		SchemaVersion: result.SchemaVersion,
		Suite:         result.Suite{Name: "nbdconform", Version: "library", Filter: o.filter, Seed: o.seed},
		Document:      servers.Document,
		Target:        bench.Describe(),
		Started:       started.UTC().Truncate(time.Millisecond),
		Reproduce:     "go test -run " + t.Name(),
	}}
	round, err := servers.NewRound(servers.Config{Bench: bench, Filter: o.filter, Seed: o.seed, Done: r.note})
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
	case s.Verdict == result.Weak:
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
