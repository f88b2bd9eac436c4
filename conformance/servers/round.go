package servers

import (
	"context"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/onsi/gomega"

	"nbdconform/conformance/census"
	"nbdconform/conformance/clause"
	"nbdconform/conformance/trial"
	"nbdconform/reports/result"
)

// Gomega has one handler for a process. Rounds in parallel share it, so it is
// not for each to set.
func init() { gomega.RegisterFailHandler(trial.FailHandler) }

// A Round is one run of the specs on one target, spec by spec as the caller
// asks. Any number of rounds may be under way in a process, each with a target
// of its own; the specs of one are tried one after the other.
type Round struct {
	Config
	chosen map[string]Listing
	order  []Listing
	judged *census.Tally
}

// NewRound makes a round of the specs that the filter lets through. None at
// all is an error.
func NewRound(c Config) (*Round, error) {
	all, err := Census(c.Filter)
	if err != nil {
		return nil, err
	}
	r := &Round{Config: c, chosen: map[string]Listing{}, judged: census.NewTally()}
	for _, e := range all {
		if e.Run {
			r.chosen[e.ID] = e
			r.order = append(r.order, e)
		}
	}
	if len(r.order) == 0 {
		return nil, fmt.Errorf("the filter %q matches none of the %d specs: nothing was tested", c.Filter, len(all))
	}
	seed := uint64(c.Seed)
	rand.New(rand.NewPCG(seed, seed)).Shuffle(len(r.order), func(i, j int) {
		r.order[i], r.order[j] = r.order[j], r.order[i]
	})
	r.judged.Add(c.Bench.Early)
	return r, nil
}

// Specs are those of the round, in the order that the seed gives.
func (r *Round) Specs() []Listing { return r.order }

// Try tries one spec and says how it went.
func (r *Round) Try(ctx context.Context, e Listing) result.Spec {
	if r.Started != nil {
		r.Started(e.ID)
	}
	start := time.Now()
	o := r.Bench.Run(ctx, e.Spec)
	r.judged.Add(o)
	line := e.Result()
	line.Verdict, line.Message, line.Seconds = o.Verdict, o.Message, time.Since(start).Seconds()
	line.Transcript, line.Exit, line.Stderr, line.BlockedBy = o.Transcript, o.Exit, o.Stderr, o.BlockedBy
	r.done(&line, o.Evidence, o.Observations)
	return line
}

// Judged are the lines of what the judge saw on the connections of all specs
// so far. It is for the end.
func (r *Round) Judged() []result.Spec {
	var lines []result.Spec
	for _, line := range r.judged.Lines(clause.Server) {
		r.done(&line.Spec, line.Evidence, nil)
		lines = append(lines, line.Spec)
	}
	return lines
}

func (r *Round) done(line *result.Spec, e *trial.Evidence, seen []result.Observation) {
	if e != nil && r.Evidence != nil {
		r.Evidence(line, e)
	}
	if r.Done != nil {
		r.Done(*line, seen)
	}
}
