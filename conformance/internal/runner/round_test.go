package runner_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	. "github.com/onsi/ginkgo/v2"
	"go.uber.org/goleak"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/conformance/internal/runner"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/judge"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reports/result"
)

// Ginkgo watches for interrupts for as long as the process runs.
func TestMain(m *testing.M) {
	goleak.VerifyTestMain(m, goleak.IgnoreTopFunction("github.com/onsi/ginkgo/v2/internal/interrupt_handler.(*InterruptHandler).registerForInterrupts.func2"))
}

// The specs of this test. Their bodies ask the context what to do.
var _ = func() bool {
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		Describe("Group "+id, func() {
			It("has a spec", ID("runner."+id),
				MUST("opt.abort.ack"),
				TrippedBy(quirk.AbortUnsupported, "text"),
				func(ctx context.Context) { ctx.Value(key{}).(func(string))("runner." + id) })
		})
	}
	return true
}()

var _ = Describe("A test of the runner", func() {
	It("has a spec for a SHOULD", ID("runner.should"),
		SHOULD("string.short.server"),
		TrippedBy(quirk.AbortUnsupported, "text"),
		func(ctx context.Context) { ctx.Value(key{}).(func(string))("runner.should") })
})

type key struct{}

// A fake is a subject whose specs do what body says.
type fake struct {
	body    func(id string)
	exclude string // the spec that is excluded
	early   outcome.Outcome
	broken  map[string]judge.Violation // by spec
	lost    string                     // the spec after which the subject is lost
	ran     []string
}

func (f *fake) Side() clause.Side       { return clause.Server }
func (f *fake) Describe() result.Target { return result.Target{Name: "fake"} }
func (f *fake) Before() outcome.Outcome { return f.early }
func (f *fake) Exclude(s *Spec) *verdict.Decision {
	if s.ID != f.exclude {
		return nil
	}
	return &verdict.Decision{Verdict: result.Unsupported, Failures: []result.Failure{result.Because("needs-feature", "f")}}
}

func (f *fake) Attempt(ctx context.Context, s *Spec) runner.Attempt {
	f.ran = append(f.ran, s.ID)
	body := f.body
	if body == nil {
		body = func(string) {}
	}
	return &attempt{f, s, verdict.Try(func() { s.Body(context.WithValue(ctx, key{}, body)) })}
}

type attempt struct {
	*fake
	spec *Spec
	end  *verdict.End
}

func (a *attempt) Seen() verdict.Seen {
	return verdict.Seen{Level: a.spec.Level, Clauses: a.spec.Clauses, End: a.end}
}

func (a *attempt) Gather(o *outcome.Outcome) {
	if v, ok := a.broken[a.spec.ID]; ok {
		o.Violations = append(o.Violations, outcome.Violation{Violation: v, Spec: a.spec.ID, Evidence: &outcome.Evidence{}})
	}
}

func (a *attempt) Show(o *outcome.Outcome) { o.Evidence = &outcome.Evidence{} }

func (a *attempt) Recover(_ context.Context, o *outcome.Outcome) {
	if a.spec.ID == a.lost {
		o.Verdict = result.Crash
		o.Explain(result.Because("server-gone"))
	}
}

func round(t *testing.T, c runner.Config) *runner.Round {
	t.Helper()
	r, err := runner.NewRound(c)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestEverySpecRunsOnceInTheOrderOfTheSeed(t *testing.T) {
	var orders [][]string
	for _, seed := range []int64{1, 1, 2} {
		f := &fake{}
		var started, done []string
		r := round(t, runner.Config{
			Subject: f, Seed: seed,
			Started: func(id string) { started = append(started, id) },
			Done:    func(s result.Spec, _ []result.Observation) { done = append(done, s.ID) },
		})
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !slices.Equal(started, f.ran) || !slices.Equal(done, f.ran) {
			t.Errorf("ran %q, started %q, done %q", f.ran, started, done)
		}
		orders = append(orders, f.ran)
		sorted := slices.Sorted(slices.Values(f.ran))
		if want := []string{"runner.a", "runner.b", "runner.c", "runner.d", "runner.e", "runner.should"}; !slices.Equal(sorted, want) {
			t.Errorf("ran %q", sorted)
		}
	}
	if !slices.Equal(orders[0], orders[1]) || slices.Equal(orders[0], orders[2]) {
		t.Errorf("the orders of seeds 1, 1 and 2: %q", orders)
	}
}

func TestLines(t *testing.T) {
	broken := judge.Violation{Clause: "trans.cookie.echo", Side: clause.Server, Code: "cookie-unknown"}
	for name, tt := range map[string]struct {
		fake *fake
		id   string
		want result.Verdict
		code string
		sees bool // evidence is asked for
	}{
		"a pass":              {&fake{}, "runner.a", result.Pass, "", true},
		"an excluded spec":    {&fake{exclude: "runner.a"}, "runner.a", result.Unsupported, "needs-feature", false},
		"a failure":           {&fake{body: func(string) { verdict.Fail(result.Failure{Code: "end.hung-up"}) }}, "runner.a", result.Fail, "end.hung-up", true},
		"a broken SHOULD":     {&fake{body: func(string) { verdict.Fail(result.Failure{Code: "end.hung-up"}) }}, "runner.should", result.Warning, "end.hung-up", true},
		"a subject that died": {&fake{lost: "runner.a"}, "runner.a", result.Crash, "server-gone", true},
		"a fault of the suite": {
			&fake{body: func(string) { panic("oops") }}, "runner.a", result.Error, "harness.panic", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var line result.Spec
			sees := false
			r := round(t, runner.Config{
				Subject: tt.fake, Filter: tt.id,
				Evidence: func(*result.Spec, *outcome.Evidence) { sees = true },
				Done:     func(s result.Spec, _ []result.Observation) { line = s },
			})
			if err := r.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			code := ""
			if len(line.Failures) > 0 {
				code = line.Failures[0].Code
			}
			if line.Verdict != tt.want || code != tt.code || sees != tt.sees {
				t.Errorf("%s by %q, evidence %v: %s", line.Verdict, code, sees, line.Message)
			}
			if (line.Message == "") != (line.Verdict == result.Pass) {
				t.Errorf("%s has the message %q", line.Verdict, line.Message)
			}
		})
	}

	t.Run("a failure names its clause", func(t *testing.T) {
		f := &fake{body: func(string) { verdict.Fail(result.Failure{Code: "end.hung-up"}) }}
		r := round(t, runner.Config{Subject: f, Filter: "runner.a"})
		if line := r.Try(t.Context(), r.Specs()[0]); line.Failures[0].Clause != "opt.abort.ack" {
			t.Errorf("%+v", line.Failures)
		}
	})

	t.Run("what the judge saw is a line of its own", func(t *testing.T) {
		f := &fake{
			broken: map[string]judge.Violation{"runner.b": broken, "runner.d": broken},
			early:  outcome.Outcome{Kept: []clause.ID{"layout.option-reply.magic"}},
		}
		r := round(t, runner.Config{Subject: f})
		if err := r.Run(t.Context()); err != nil {
			t.Fatal(err)
		}
		got := map[string]result.Verdict{}
		for _, line := range r.Judged() {
			got[line.ID] = line.Verdict
			if line.Verdict == result.Fail && (line.Location != "runner.b" || !strings.Contains(line.Message, "seen in 2 specs")) {
				t.Errorf("%s: %s", line.Location, line.Message)
			}
		}
		want := map[string]result.Verdict{"judge.trans.cookie.echo": result.Fail, "judge.layout.option-reply.magic": result.Pass}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
}

func TestARoundEndsWithItsContext(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := &fake{body: func(string) { cancel() }}
	var lines []result.Spec
	r := round(t, runner.Config{Subject: f, Done: func(s result.Spec, _ []result.Observation) { lines = append(lines, s) }})
	if err := r.Run(ctx); err == nil {
		t.Error("the round tells nothing of its early end")
	}
	if len(f.ran) != 1 || len(lines) != 1 || lines[0].Verdict != result.Inconclusive {
		t.Errorf("ran %q: %+v", f.ran, lines)
	}
}

func TestAFilterThatMatchesNothingIsAnError(t *testing.T) {
	for _, filter := range []string{"nothing-like-it", "level: containsAny MAY", "("} {
		if _, err := runner.NewRound(runner.Config{Subject: &fake{}, Filter: filter}); err == nil {
			t.Errorf("%q: a round of nothing", filter)
		}
	}
}

func TestRoundsInParallel(t *testing.T) {
	for i := range 8 {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			f := &fake{body: func(id string) {
				if i%2 == 1 {
					verdict.Fail(result.Failure{Code: "end.hung-up"})
				}
			}}
			n := map[result.Verdict]int{}
			r := round(t, runner.Config{Subject: f, Seed: int64(i), Done: func(s result.Spec, _ []result.Observation) { n[s.Verdict]++ }})
			if err := r.Run(t.Context()); err != nil {
				t.Fatal(err)
			}
			want := map[result.Verdict]int{result.Pass: 6}
			if i%2 == 1 {
				want = map[result.Verdict]int{result.Fail: 5, result.Warning: 1}
			}
			if diff := cmp.Diff(want, n); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}
