package visit

import (
	"context"
	"fmt"
	"slices"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/clause"
	"nbdconform/conformance/spec"
	"nbdconform/conformance/trial"
	"nbdconform/reports/result"
)

// A trying is one spec being tried. It travels in the context of its body.
type trying struct {
	bench        *Bench
	spec         *spec.Spec
	activity     caller.Activity
	visits       []*Visit
	observations []result.Observation
}

type key struct{}

func with(ctx context.Context, t *trying) context.Context { return context.WithValue(ctx, key{}, t) }

func from(ctx context.Context) *trying {
	t, ok := ctx.Value(key{}).(*trying)
	if !ok {
		trial.Harness("the context is not that of a spec for clients")
	}
	return t
}

// Activity is what the program is asked for.
func Activity(ctx context.Context) caller.Activity { return from(ctx).activity }

// Observe records what the program does where the document leaves it open.
func Observe(ctx context.Context, topic, format string, args ...any) {
	t := from(ctx)
	t.observations = append(t.observations, result.Observation{Spec: t.spec.ID, Topic: topic, Value: fmt.Sprintf(format, args...)})
}

// outcome weighs what the body of the spec saw, of which early is nil if it ran
// to its end, with what the judge holds against both sides.
func (t *trying) outcome(early *trial.Outcome) trial.Outcome {
	o := trial.Outcome{Verdict: result.Pass, Observations: t.observations}
	broken := map[clause.ID]bool{}
	var own []trial.Violation
	stray := ""
	for _, v := range t.visits {
		for i, c := range v.Conns {
			for _, w := range c.Judge.Violations() {
				k, _ := clause.Get(w.Clause)
				switch {
				case w.Side == clause.Client:
					f := trial.Violation{Violation: w, Spec: t.spec.ID, Transcript: c.Judge.Transcript().String(), Evidence: v.offence(i, w)}
					broken[w.Clause] = true
					o.Violations = append(o.Violations, f)
					if slices.Contains(t.spec.Clauses, w.Clause) {
						own = append(own, f)
					}
				case k.Level == clause.Must && !slices.Contains(t.spec.Provokes, w.Clause) && stray == "":
					stray = fmt.Sprintf("the spec's server broke %s without announcing it: %s", w.Clause, w.Detail)
				}
			}
		}
	}
	for _, v := range t.visits {
		for _, c := range v.Conns {
			for _, id := range c.Judge.Exercised() {
				k, _ := clause.Get(id)
				if !broken[id] && k.Side != clause.Server && !slices.Contains(o.Kept, id) {
					o.Kept = append(o.Kept, id)
				}
			}
		}
	}
	killed, hung := t.ends()
	switch {
	case early != nil && early.Verdict == result.Error:
		o.Verdict, o.Message = result.Error, early.Message
	case killed != "":
		o.Verdict, o.Message = result.Crash, "the program died: "+killed
	case early != nil && early.Verdict != result.Fail && len(own) == 0:
		o.Verdict, o.Message, o.BlockedBy = early.Verdict, early.Message, early.BlockedBy
	case len(own) > 0:
		o.Verdict, o.Message = result.Fail, fmt.Sprintf("%s: %s", own[0].Clause, own[0].Detail)
		if early != nil {
			o.Message += "\n" + early.Message
		}
	case early != nil && hung:
		o.Verdict, o.Message = result.Hang, "the program did not end in time\n"+early.Message
	case early != nil:
		o.Verdict, o.Message = result.Fail, early.Message
	case hung:
		o.Verdict, o.Message = result.Hang, fmt.Sprintf("the program did not end within %v", t.bench.Timeout)
	case stray != "" && len(o.Violations) == 0:
		o.Verdict, o.Message = result.Error, "harness: "+stray
	}
	if o.Verdict == result.Fail && t.spec.Level == clause.Should {
		o.Verdict = result.Weak
	}
	if k, ok := t.main(own); ok && k.Disputed != "" && o.Verdict == result.Fail {
		o.Verdict, o.Message = result.Weak, "the clause is disputed: "+k.Disputed+"\n"+o.Message
	}
	if o.Verdict != result.Pass && o.Verdict != result.Unsupported {
		t.evidence(&o, own)
	}
	return o
}

// main is the clause that decides.
func (t *trying) main(own []trial.Violation) (clause.Clause, bool) {
	if len(own) > 0 {
		return clause.Get(own[0].Clause)
	}
	return t.spec.Main()
}

// ends says whether a program died of a signal, and whether one hung.
func (t *trying) ends() (killed string, hung bool) {
	for _, v := range t.visits {
		if v.Report.Killed != "" && killed == "" {
			killed = v.Report.Killed
		}
		hung = hung || v.Report.Hung
	}
	return killed, hung
}
