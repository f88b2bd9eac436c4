package encounter

import (
	"context"
	"fmt"
	"slices"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/conformance/subject"
	"nbdconform/reports/result"
)

// An attempt is one spec that runs. It travels in the context of its body.
type attempt struct {
	client       *Client
	spec         *spec.Spec
	end          *verdict.End // how the body ended early, or nil
	activity     subject.Operation
	visits       []*Visit
	observations []result.Observation
}

type key struct{}

func with(ctx context.Context, t *attempt) context.Context { return context.WithValue(ctx, key{}, t) }

func from(ctx context.Context) *attempt {
	t, ok := ctx.Value(key{}).(*attempt)
	if !ok {
		verdict.Harness("context-of-no-client-spec")
	}
	return t
}

// Operation is what the program is asked for.
func Operation(ctx context.Context) subject.Operation { return from(ctx).activity }

// Observe records what the program does where the specification leaves it open.
func Observe(ctx context.Context, topic, format string, args ...any) {
	t := from(ctx)
	t.observations = append(t.observations, result.Observation{Spec: t.spec.ID, Topic: topic, Value: fmt.Sprintf(format, args...)})
}

// Seen implements [runner.Attempt].
func (t *attempt) Seen() verdict.Seen {
	seen := verdict.Seen{Level: t.spec.Level, Clauses: t.spec.Clauses, End: t.end}
	if n := len(t.visits); n > 0 && t.end != nil && t.end.Failure.Where == nil {
		end := *t.end
		end.Failure.Where = t.visits[n-1].where()
		seen.End = &end
	}
	for _, v := range t.visits {
		if v.Report.Killed != "" && seen.Killed == nil {
			f := result.Because("program-killed", result.Text(v.Report.Killed))
			seen.Killed = &f
		}
		if v.Report.Hung {
			f := result.Because("program-hung", t.client.Timeout)
			seen.Hung = &f
		}
		for i, c := range v.Conns {
			for _, w := range c.Judge.Violations() {
				k, _ := clause.Get(w.Clause)
				switch {
				case w.Side == clause.Client && slices.Contains(t.spec.Clauses, w.Clause):
					f := w.Failure()
					f.Where = &result.Where{Connection: i, Message: w.Message, Offset: w.Offset, Export: v.task.Server.Export, Operation: string(v.Operation)}
					seen.Own = append(seen.Own, f)
				case w.Side == clause.Client:
					seen.Others++
				case k.Level == clause.Must && !slices.Contains(t.spec.Provokes, w.Clause):
					seen.Stray = append(seen.Stray, w.Failure())
				}
			}
		}
	}
	return seen
}

// Gather implements [runner.Attempt].
func (t *attempt) Gather(o *outcome.Outcome) {
	o.Observations = t.observations
	broken := map[clause.ID]bool{}
	for _, v := range t.visits {
		for i, c := range v.Conns {
			for _, w := range c.Judge.Violations() {
				if w.Side != clause.Client {
					continue
				}
				broken[w.Clause] = true
				text, marks := c.Judge.Transcript().Shown()
				o.Violations = append(o.Violations, outcome.Violation{
					Violation: w, Spec: t.spec.ID, Connection: i, Transcript: text, Marks: marks, Evidence: v.offence(i, w),
				})
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
}

// Show implements [runner.Attempt].
func (t *attempt) Show(o *outcome.Outcome) {
	if o.Verdict != result.Pass && o.Verdict != result.Unsupported {
		t.evidence(o)
	}
}

// Recover implements [runner.Attempt]. Every task has a process of its own, so
// that there is nothing to bring back.
func (t *attempt) Recover(context.Context, *outcome.Outcome) {}
