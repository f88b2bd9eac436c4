package runs

import (
	"cmp"
	"errors"
	"fmt"
	"time"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/conformance"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// An Event is what the child tells the parent, one JSON value a line.
type Event struct {
	Progress     string               `json:",omitempty"` // a step that takes its time
	Planned      []result.Spec        `json:",omitempty"` // the specs to come: id, name, group, clauses, level
	Target       *result.Target       `json:",omitempty"`
	Started      string               `json:",omitempty"` // id of the spec that is being tried
	Done         *result.Spec         `json:",omitempty"`
	Observations []result.Observation `json:",omitempty"` // that came with Done
	Error        string               `json:",omitempty"` // why there is no run
	Finished     bool                 `json:",omitempty"` // all specs were tried
}

// A record makes a result of events.
type record struct {
	job    job.Job
	show   console.Run
	start  time.Time
	result result.Result

	planned  []result.Spec
	open     string // the spec that is being tried
	failure  string // what the child says went wrong
	finished bool
}

func newRecord(j job.Job, version string, show console.Run) *record {
	return &record{job: j, show: show, start: time.Now(), result: result.Result{
		SchemaVersion: result.SchemaVersion,
		Suite:         result.Suite{Name: "nbdconform", Version: version, Filter: j.Filter, Seed: j.Seed},
		Document:      conformance.Document,
		Started:       time.Now().UTC().Truncate(time.Millisecond),
		Observations:  []result.Observation{},
		Reproduce:     j.Reproduce(j.Filter),
	}}
}

// note takes an event in.
func (r *record) note(e Event) {
	switch {
	case e.Progress != "":
		r.show.Step(e.Progress)
	case e.Error != "":
		r.failure = e.Error
	case e.Target != nil:
		r.result.Target, r.planned = *e.Target, e.Planned
		r.show.Plan(r.result.Target, len(r.planned))
	case e.Started != "":
		r.open = e.Started
		r.show.Start(r.open)
	case e.Done != nil:
		e.Done.Reproduce = r.job.Reproduce(filterFor(&r.job, *e.Done))
		r.result.Specs = append(r.result.Specs, *e.Done)
		r.result.Observations = append(r.result.Observations, e.Observations...)
		r.show.Done(*e.Done)
	case e.Finished:
		r.finished = true
	}
}

// end is the result once the child is gone: end says how it ended, and killed
// why the parent ended it; both "" where there is nothing to say.
func (r *record) end(end, killed string) (result.Result, error) {
	r.result.Seconds = time.Since(r.start).Seconds()
	switch {
	case r.finished:
	case r.result.Target.Name == "" && killed == "" && r.failure != "":
		return r.result, errors.New(r.failure)
	case r.result.Target.Name == "":
		return r.result, fmt.Errorf("the run ended before its first spec: %s", end)
	default:
		r.result.EndedEarly = cmp.Or(killed, r.failure, end, "for no known reason")
		r.result.Specs = append(r.result.Specs, r.missing()...)
	}
	r.result.Count()
	return r.result, nil
}

// missing are the planned specs that were not tried to their end.
func (r *record) missing() []result.Spec {
	have := map[string]bool{}
	for _, s := range r.result.Specs {
		have[s.ID] = true
	}
	var rest []result.Spec
	for _, s := range r.planned {
		if have[s.ID] {
			continue
		}
		s.Verdict, s.Failures = result.Inconclusive, []result.Failure{result.Because("not-run")}
		if s.ID == r.open {
			s.Verdict, s.Failures = result.Error, []result.Failure{result.Because("harness", result.Term("run-ended-within", result.Text(r.result.EndedEarly)))}
		}
		s.Message = words.Message(s.Failures)
		rest = append(rest, s)
	}
	return rest
}
