// Package runner takes a subject, a server or a client under test, through the
// specs: it lists and filters them (Ginkgo builds the tree), runs one after the
// other in an order that depends on a seed, weighs what was seen, gathers what
// the judge saw on all connections, and hands the lines of the result over.
//
// Nothing here is global: any number of rounds may be under way in a process,
// each with a subject of its own.
package runner

import (
	"context"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	"nbdconform/reports/result"
)

// A Subject is a server or a client under test, with what was found out about
// it before the first spec.
type Subject interface {
	Side() clause.Side
	// Describe is the subject as a result shows it.
	Describe() result.Target
	// Before is what the judge saw while the subject was discovered: violations
	// and clauses that were kept.
	Before() outcome.Outcome
	// Exclude says why a spec can't be run on the subject, or nil.
	Exclude(*spec.Spec) *verdict.Decision
	// Attempt runs the body of a spec to its end.
	Attempt(ctx context.Context, s *spec.Spec) Attempt
}

// An Attempt is one spec that ran.
type Attempt interface {
	// Seen is what there is to weigh.
	Seen() verdict.Seen
	// Gather fills in what was seen beside the verdict: observations, violations,
	// and clauses that were kept.
	Gather(*outcome.Outcome)
	// Show fills in what there is to show for the verdict.
	Show(*outcome.Outcome)
	// Recover makes sure that the subject can go on, and changes the outcome if
	// it was lost.
	Recover(ctx context.Context, o *outcome.Outcome)
}

// Try runs one spec on a subject. It returns when the subject can go on, or
// never will.
func Try(ctx context.Context, subject Subject, s *spec.Spec) outcome.Outcome {
	if d := subject.Exclude(s); d != nil {
		return outcome.Outcome{Verdict: d.Verdict, Failures: d.Failures, BlockedBy: d.BlockedBy}
	}
	a := subject.Attempt(ctx, s)
	if ctx.Err() != nil {
		return outcome.Outcome{Verdict: result.Inconclusive, Failures: []result.Failure{result.Because("interrupted")}}
	}
	o := Weighed(a, s)
	a.Recover(ctx, &o)
	return o
}

// Weighed is the outcome of an attempt as far as the spec goes, whatever became
// of the subject.
func Weighed(a Attempt, s *spec.Spec) outcome.Outcome {
	seen := a.Seen()
	seen.Disputed = disputed(s, seen)
	d := verdict.Weigh(seen)
	if len(d.Failures) > 0 && d.Failures[0].Clause == "" && len(s.Clauses) > 0 && accuses(d.Verdict) {
		d.Failures[0].Clause = string(s.Clauses[0])
	}
	o := outcome.Outcome{Verdict: d.Verdict, Failures: d.Failures, BlockedBy: d.BlockedBy}
	a.Gather(&o)
	a.Show(&o)
	return o
}

// accuses reports whether a verdict says that a clause was broken.
func accuses(v result.Verdict) bool {
	return v == result.Fail || v == result.Warning || v == result.Hang
}

// disputed says what is disputed about the clause that decides: the first that
// the judge saw broken of those that the spec is about, else its main one.
func disputed(s *spec.Spec, seen verdict.Seen) string {
	c, _ := s.Main()
	if len(seen.Own) > 0 {
		c, _ = clause.Get(clause.ID(seen.Own[0].Clause))
	}
	return c.Disputed
}
