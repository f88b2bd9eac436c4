// Package servers holds the specs that a server is put to, one file for each
// part of the protocol, and runs them.
//
// A spec is stimulus, blank line, expectation. What needs no stimulus of its
// own is the judge's: it watches every connection of every spec, and each of
// its checks becomes one more line of the result, named judge.CLAUSE, once a
// connection gave occasion for it.
package servers

import (
	"context"

	"nbdconform/conformance/census"
	"nbdconform/conformance/clause"
	"nbdconform/conformance/trial"
	"nbdconform/reports/result"
)

// A Listing is one spec of the census.
type Listing = census.Listing

// Document is the revision of the protocol document that the specs go by.
var Document = census.Document

// Census lists all specs for servers; see [census.Of] for the filter.
func Census(filter string) ([]Listing, error) { return census.Of(clause.Server, filter) }

// A Config says what to run and where to tell about it.
type Config struct {
	Bench  *trial.Bench
	Filter string
	Seed   int64
	// Started and Done are called around every spec, Done also for the lines of
	// the judge at the end. They may be nil.
	Started func(id string)
	Done    func(result.Spec, []result.Observation)
	// Evidence is called before Done for a line that the target is to blame
	// for, if the bench records. It puts the evidence somewhere and may note on
	// the line where. It may be nil.
	Evidence func(*result.Spec, *trial.Evidence)
}

// Run tries every spec that the filter lets through on the bench's target, one
// after the other in Ginkgo's order. It may be called once in a process:
// Ginkgo's runner is global. A [Round] knows no such limit.
func Run(ctx context.Context, c Config) error {
	c.Bench.Seed = c.Seed
	r, err := NewRound(c)
	if err != nil {
		return err
	}
	census.Walk(ctx, r.chosen, c.Seed, func(e Listing) (result.Verdict, string) {
		line := r.Try(ctx, e)
		return line.Verdict, line.Message
	})
	r.Judged()
	return ctx.Err()
}
