package main

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"slices"
	"sync"
	"time"

	"nbdconform/conformance/target"
	"nbdconform/containers"
	"nbdconform/containers/bench"
	"nbdconform/reports/matrix"
)

// A race measures the servers of a matrix, once nothing else of it runs, and
// keeps what came of it in a file.
type race struct {
	file    string
	runtime time.Duration // of one load on one server, each round; 0: nobody is measured
	fresh   bool
	show    overview
	open    func(context.Context, matrix.Peer) (target.Target, error)
}

// openRacer starts a server in its default profile.
func openRacer(ctx context.Context, p matrix.Peer) (target.Target, error) {
	return containers.Open(ctx, containers.Request{Target: p.Name, Release: p.Release, Size: bench.ContainerSize})
}

// raceRounds is how often each server is measured.
const raceRounds = 3

// A filedRace is what an earlier matrix measured.
type filedRace struct {
	Version string              `json:"version"` // of the suite
	Servers []matrix.Peer       `json:"servers"`
	Result  *matrix.Performance `json:"result"`
}

// run measures the servers, and says which could not be started.
func (r race) run(ctx context.Context, servers []matrix.Peer) (*matrix.Performance, []matrix.Skip, error) {
	if r.runtime <= 0 || len(servers) == 0 {
		return nil, nil, nil
	}
	if p := r.earlier(servers); p != nil {
		return p, nil, nil
	}
	var missing []matrix.Skip
	var there []target.Target
	defer func() {
		var all sync.WaitGroup
		for _, t := range there {
			all.Go(func() { _ = t.Close() })
		}
		all.Wait()
	}()
	r.show.plan(len(servers) * raceRounds)
	defer r.show.close()
	for _, s := range servers {
		t, err := r.open(ctx, s)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			missing = append(missing, matrix.Skip{What: "the speed of " + s.String(), Why: err.Error()})
			continue
		}
		there = append(there, t)
	}
	if len(there) == 0 {
		return nil, missing, nil
	}
	p := bench.ContainerPlan{Rounds: raceRounds, Runtime: r.runtime, Done: func(s string) { r.show.done(s, "measured") }}
	perf, err := p.Measure(ctx, there)
	if err != nil || len(missing) > 0 { // which may be better the next time
		return perf, missing, err
	}
	b, err := json.MarshalIndent(filedRace{version(), servers, perf}, "", " ")
	if err != nil {
		return nil, nil, err
	}
	return perf, nil, os.WriteFile(r.file, b, 0o644) // #nosec: reports are for everybody
}

// earlier is what was measured before with the same suite, images and time.
func (r race) earlier(servers []matrix.Peer) *matrix.Performance {
	if r.fresh || unsettled(version()) {
		return nil
	}
	b, err := os.ReadFile(r.file)
	var f filedRace
	if err = errors.Join(err, json.Unmarshal(b, &f)); err != nil {
		return nil
	}
	if f.Version != version() || !slices.Equal(f.Servers, servers) || f.Result == nil || f.Result.Seconds != r.runtime.Seconds() {
		return nil
	}
	return f.Result
}
