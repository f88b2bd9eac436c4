package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"sync"

	"github.com/spf13/cobra"

	"nbdconform/conformance/runner"
	"nbdconform/conformance/servers"
	"nbdconform/conformance/session"
	"nbdconform/reports/result"
)

// An event is what the child tells the parent, one JSON value a line.
type event struct {
	Progress     string               `json:",omitempty"` // a step that takes its time
	Planned      []result.Spec        `json:",omitempty"` // the specs to come: id, name, group, clauses, level
	Target       *result.Target       `json:",omitempty"`
	Started      string               `json:",omitempty"` // id of the spec that is being tried
	Done         *result.Spec         `json:",omitempty"`
	Observations []result.Observation `json:",omitempty"` // that came with Done
	Error        string               `json:",omitempty"` // why there is no run
	Finished     bool                 `json:",omitempty"` // all specs were tried
}

// orderVariable carries the order to the child, as JSON.
const orderVariable = "NBDCONFORM_ORDER"

// eventFile is the child's descriptor for events.
const eventFile = 3

// trialCommand is what the parent starts: one run of the suite. It lives in a
// process of its own because Ginkgo's suite is global and because a run that
// got stuck can be killed.
func trialCommand() *cobra.Command {
	return &cobra.Command{
		Use:    "trial",
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var o order
			if err := json.Unmarshal([]byte(os.Getenv(orderVariable)), &o); err != nil {
				return errors.New("this command is for nbdconform itself: use nbdconform run")
			}
			ctx, cancel := context.WithCancel(c.Context())
			defer cancel()
			go func() {
				_, _ = io.Copy(io.Discard, os.Stdin) // ends with the parent, even one that was killed
				cancel()
			}()
			return runTrial(ctx, o, newTeller(os.NewFile(eventFile, "events")))
		},
	}
}

// runTrial opens the target and runs the suite on it.
func runTrial(ctx context.Context, o order, tell *teller) error {
	err := o.trial(ctx, tell)
	if err != nil {
		tell.tell(event{Error: err.Error()})
		return nil
	}
	tell.tell(event{Finished: true})
	return nil
}

func (o order) trial(ctx context.Context, tell *teller) error {
	if o.Client != nil {
		return o.Client.trial(ctx, o, tell)
	}
	list, err := servers.List(o.Filter)
	if err != nil {
		return err
	}
	var planned []result.Spec
	for _, e := range list {
		if e.Run {
			planned = append(planned, e.Result())
		}
	}
	if len(planned) == 0 {
		return fmt.Errorf("the filter %q matches none of %d specs: nothing was tested (see nbdconform list)", o.Filter, len(list))
	}
	t, err := o.open(ctx, func(s string) { tell.tell(event{Progress: s}) })
	if err != nil {
		return err
	}
	defer func() { _ = t.Close() }()
	destructive := t.Profile().Destructive
	subject, err := session.Discover(ctx, t, session.Options{
		Export: o.Export, Destructive: destructive, Timeout: o.Timeout, Record: o.Evidence != "",
	})
	if err != nil {
		return err
	}
	subject.Seed = o.Seed
	return o.round(ctx, subject, planned, tell)
}

// round runs the planned specs on a subject.
func (o order) round(ctx context.Context, subject runner.Subject, planned []result.Spec, tell *teller) error {
	about := subject.Describe()
	keep, err := newKeeper(o, about, tell)
	if err != nil {
		return err
	}
	tell.tell(event{Planned: planned, Target: &about})
	r, err := runner.NewRound(runner.Config{
		Subject: subject, Filter: o.Filter, Seed: o.Seed,
		Evidence: keep.keep,
		Started:  func(id string) { tell.tell(event{Started: id}) },
		Done: func(s result.Spec, seen []result.Observation) {
			tell.tell(event{Done: &s, Observations: seen})
		},
	})
	if err != nil {
		return err
	}
	return r.Run(ctx)
}

// A teller writes events.
type teller struct {
	mu  sync.Mutex
	out *json.Encoder
}

func newTeller(f *os.File) *teller { return &teller{out: json.NewEncoder(f)} }

func (t *teller) tell(e event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	_ = t.out.Encode(e) // fails if the parent is gone; the context ends then
}
