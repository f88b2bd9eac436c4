package runner

import (
	"context"
	"fmt"
	"time"

	"nbdconform/conformance/internal/outcome"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// A Config says what to run and where to tell about it.
type Config struct {
	Subject Subject
	Filter  string // see [List]
	Seed    int64  // of the order
	// Started and Done are called around every spec, Done also for the lines of
	// the judge at the end. They may be nil.
	Started func(id string)
	Done    func(result.Spec, []result.Observation)
	// Evidence is called before Done for a line that the subject is to blame for,
	// if evidence is kept. It puts the evidence somewhere and may note on the
	// line where. It may be nil.
	Evidence func(*result.Spec, *outcome.Evidence)
}

// A Round is one run of the specs on one subject. The specs of a round run one
// after the other.
type Round struct {
	Config
	order []Listing
	tally *Tally
}

// NewRound makes a round of the specs that the filter selects. None at all is an
// error.
func NewRound(c Config) (*Round, error) {
	all, err := ordered(c.Subject.Side(), c.Filter, c.Seed)
	if err != nil {
		return nil, err
	}
	order, err := Selected(all, c.Filter)
	if err != nil {
		return nil, err
	}
	r := &Round{Config: c, order: order, tally: NewTally()}
	r.tally.Add(c.Subject.Before())
	return r, nil
}

// Specs are those of the round, in the order that the seed gives.
func (r *Round) Specs() []Listing { return r.order }

// Run runs all specs of the round, and then tells what the judge saw. It ends
// early with the context, whose error it returns.
func (r *Round) Run(ctx context.Context) error {
	for _, e := range r.order {
		if ctx.Err() != nil {
			break
		}
		r.Try(ctx, e)
	}
	r.Judged()
	return ctx.Err()
}

// Try runs one spec and says how it went.
func (r *Round) Try(ctx context.Context, e Listing) result.Spec {
	if r.Started != nil {
		r.Started(e.ID)
	}
	start := time.Now()
	o := Try(ctx, r.Subject, e.Spec)
	r.tally.Add(o)
	line := e.Result()
	line.Verdict, line.Failures, line.Seconds = o.Verdict, o.Failures, time.Since(start).Seconds()
	line.Transcript, line.Marks, line.Exit, line.Stderr, line.BlockedBy = o.Transcript, o.Marks, o.Exit, o.Stderr, o.BlockedBy
	r.done(&line, o.Evidence, o.Observations)
	return line
}

// Judged are the lines of what the judge saw on the connections of all specs
// so far. It is for the end.
func (r *Round) Judged() []result.Spec {
	var lines []result.Spec
	for _, line := range r.tally.Lines(r.Subject.Side()) {
		r.done(&line.Spec, line.Evidence, nil)
		lines = append(lines, line.Spec)
	}
	return lines
}

func (r *Round) done(line *result.Spec, e *outcome.Evidence, seen []result.Observation) {
	line.Message = words.Message(line.Failures)
	if e != nil && r.Evidence != nil {
		r.Evidence(line, e)
	}
	if r.Done != nil {
		r.Done(*line, seen)
	}
}

// Selected are the specs of a list that its filter selects. It is an error if
// there is none.
func Selected(list []Listing, filter string) ([]Listing, error) {
	var selected []Listing
	for _, e := range list {
		if e.Run {
			selected = append(selected, e)
		}
	}
	if len(selected) == 0 {
		return nil, fmt.Errorf("the filter %q matches none of the %d specs: nothing was tested", filter, len(list))
	}
	return selected, nil
}
