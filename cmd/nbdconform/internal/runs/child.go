package runs

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/cmd/nbdconform/internal/supervise"
	"nbdconform/conformance"
	"nbdconform/reports/result"
)

// Child runs the job that the parent passed on, and tells the parent what
// happens. version is that of the suite.
func Child(ctx context.Context, version string) error {
	c := child{version: version}
	if err := json.Unmarshal([]byte(os.Getenv(jobVariable)), &c.job); err != nil {
		return errors.New("this command is for nbdconform itself: use nbdconform run")
	}
	ctx, cancel := supervise.Attached(ctx)
	defer cancel()
	tell := supervise.NewTeller[Event]()
	c.tell = tell.Tell
	c.run(ctx)
	return nil
}

// A child runs a job.
type child struct {
	job     job.Job
	version string
	tell    func(Event)
}

func (c *child) run(ctx context.Context) {
	run := c.server
	if c.job.Client != nil {
		run = c.client
	}
	if err := run(ctx); err != nil {
		c.tell(Event{Error: err.Error()})
		return
	}
	c.tell(Event{Finished: true})
}

func (c *child) progress(text string) { c.tell(Event{Progress: text}) }

// plan lists the specs that the job's filter matches. command shows all there
// are.
func (c *child) plan(all []conformance.Listing, command string) ([]result.Spec, error) {
	var planned []result.Spec
	for _, e := range all {
		if e.Run {
			planned = append(planned, e.Result())
		}
	}
	if len(planned) == 0 {
		return nil, fmt.Errorf("the filter %q matches none of %d specs: nothing was tested (see %s)", c.job.Filter, len(all), command)
	}
	return planned, nil
}

// round runs the planned specs on a subject.
func (c *child) round(ctx context.Context, subject conformance.Subject, planned []result.Spec) error {
	about := subject.Describe()
	keep, err := newKeeper(c.job, about, c.version, c.progress)
	if err != nil {
		return err
	}
	c.tell(Event{Planned: planned, Target: &about})
	r, err := conformance.NewRound(conformance.Config{
		Subject: subject, Filter: c.job.Filter, Seed: c.job.Seed,
		Evidence: keep.keep,
		Started:  func(id string) { c.tell(Event{Started: id}) },
		Done: func(s result.Spec, seen []result.Observation) {
			c.tell(Event{Done: &s, Observations: seen})
		},
	})
	if err != nil {
		return err
	}
	return r.Run(ctx)
}
