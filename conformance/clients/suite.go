// Package clients holds the specs that a client program is put to, one file
// for each part of the protocol, and runs them.
//
// The program visits a reference server, which a spec has behave in some way
// that the document allows, or does not. What needs no stimulus of its own is
// the judge's: it watches what the client sends on every connection, and each of
// its checks becomes one more line of the result, named judge.CLAUSE, once a
// connection gave occasion for it.
package clients

import (
	"context"
	"slices"
	"time"

	"github.com/onsi/gomega"

	"nbdconform/conformance/census"
	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
	"nbdconform/conformance/trial"
	"nbdconform/conformance/visit"
	"nbdconform/reports/result"
)

func init() { gomega.RegisterFailHandler(trial.FailHandler) }

// Census lists all specs for clients; see [census.Of] for the filter.
func Census(filter string) ([]census.Listing, error) { return census.Of(clause.Client, filter) }

// Judged lists the clauses that the judge holds a client to on every connection.
func Judged() []clause.ID {
	return slices.DeleteFunc(judge.Checks(), func(id clause.ID) bool {
		c, ok := clause.Get(id)
		return !ok || c.Side == clause.Server
	})
}

// A Config says what to run and where to tell about it.
type Config struct {
	Bench  *visit.Bench
	Filter string
	Seed   int64
	// Started and Done are called around every spec, Done also for the lines of
	// the judge at the end. They may be nil.
	Started func(id string)
	Done    func(result.Spec, []result.Observation)
	// Evidence is called before Done for a line that the program is to blame
	// for, if the bench records. It puts the evidence somewhere and may note on
	// the line where. It may be nil.
	Evidence func(*result.Spec, *trial.Evidence)
}

// Run tries every spec that the filter lets through on the bench's program. It
// may be called once in a process: Ginkgo's suite is global.
func Run(ctx context.Context, c Config) error {
	all, err := Census(c.Filter)
	if err != nil {
		return err
	}
	chosen, err := census.Chosen(all, c.Filter)
	if err != nil {
		return err
	}
	r := &run{Config: c, tally: census.NewTally()}
	r.tally.Add(c.Bench.Early)
	census.Walk(ctx, chosen, c.Seed, func(e census.Listing) (result.Verdict, string) { return r.try(ctx, e) })
	for _, line := range r.tally.Lines(clause.Client) {
		r.done(line.Spec, line.Evidence, nil)
	}
	return ctx.Err()
}

type run struct {
	Config
	tally *census.Tally
}

// try runs one spec that Ginkgo came to.
func (r *run) try(ctx context.Context, e census.Listing) (result.Verdict, string) {
	if r.Started != nil {
		r.Started(e.ID)
	}
	start := time.Now()
	o := r.Bench.Run(ctx, e.Spec)
	r.tally.Add(o)
	line := e.Result()
	line.Verdict, line.Message, line.Seconds = o.Verdict, o.Message, time.Since(start).Seconds()
	line.Transcript, line.Exit, line.Stderr, line.BlockedBy = o.Transcript, o.Exit, o.Stderr, o.BlockedBy
	r.done(line, o.Evidence, o.Observations)
	return o.Verdict, o.Message
}

func (r *run) done(line result.Spec, e *trial.Evidence, seen []result.Observation) {
	if e != nil && r.Evidence != nil {
		r.Evidence(&line, e)
	}
	if r.Done != nil {
		r.Done(line, seen)
	}
}
