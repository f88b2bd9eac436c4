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
}

// raceRounds is how often each server is measured.
const raceRounds = 3

// A filedRace is what an earlier matrix measured.
type filedRace struct {
	Version string              `json:"version"` // of the suite
	Servers []matrix.Peer       `json:"servers"`
	Result  *matrix.Performance `json:"result"`
}

// run measures the servers in their default profile. Those that can't be
// started the runs have told of.
func (r race) run(ctx context.Context, servers []matrix.Peer) (*matrix.Performance, error) {
	if r.runtime <= 0 || len(servers) == 0 {
		return nil, nil
	}
	if p := r.earlier(servers); p != nil {
		return p, nil
	}
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
		t, err := containers.Open(ctx, containers.Request{Target: s.Name, Suite: s.Suite, Size: bench.ProfileSize})
		if ctx.Err() != nil {
			return nil, ctx.Err()
		}
		if err == nil {
			there = append(there, t)
		}
	}
	p := bench.Profile{Rounds: raceRounds, Runtime: r.runtime, Done: func(s string) { r.show.done(s, "measured") }}
	perf, err := p.Measure(ctx, there)
	if err != nil {
		return nil, err
	}
	b, err := json.MarshalIndent(filedRace{version(), servers, perf}, "", " ")
	if err != nil {
		return nil, err
	}
	return perf, os.WriteFile(r.file, b, 0o644) // #nosec: reports are for everybody
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
