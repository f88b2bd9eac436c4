package matrix

import (
	"context"
	"slices"
	"time"

	"golang.org/x/sync/errgroup"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/conformance/subject"
	"nbdconform/containers"
	"nbdconform/containers/bench"
	report "nbdconform/reports/matrix"
)

// speeds measures the servers of a matrix, once nothing else of it runs, and
// keeps the result in a file.
type speeds struct {
	Store
	file    string
	runtime time.Duration // of one load on one server, each round; 0: nothing is measured
	show    console.Overview
	open    func(context.Context, report.Peer) (subject.Server, error)
}

// openServer starts a server in its default profile.
func openServer(ctx context.Context, p report.Peer) (subject.Server, error) {
	return containers.Open(ctx, containers.Request{Target: p.Name, Release: p.Release, Size: bench.ContainerSize})
}

// rounds is how often each server is measured.
const rounds = 3

// A filedSpeed is what an earlier matrix measured.
type filedSpeed struct {
	Version string              `json:"version"` // of the suite
	Servers []report.Peer       `json:"servers"`
	Result  *report.Performance `json:"result"`
}

// run measures the servers, and says which could not be started.
func (m speeds) run(ctx context.Context, servers []report.Peer) (*report.Performance, []report.Skip, error) {
	if m.runtime <= 0 || len(servers) == 0 {
		return nil, nil, nil
	}
	if p := m.earlier(servers); p != nil {
		return p, nil, nil
	}
	var missing []report.Skip
	var open []subject.Server
	defer func() {
		var group errgroup.Group
		for _, t := range open {
			group.Go(t.Close)
		}
		_ = group.Wait()
	}()
	m.show.Plan(len(servers) * rounds)
	defer m.show.Close()
	for _, s := range servers {
		t, err := m.open(ctx, s)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			missing = append(missing, report.Skip{What: "the speed of " + s.String(), Why: err.Error()})
			continue
		}
		open = append(open, t)
	}
	if len(open) == 0 {
		return nil, missing, nil
	}
	p := bench.ContainerPlan{Rounds: rounds, Runtime: m.runtime, Done: func(s string) { m.show.Done(s, "measured") }}
	perf, err := p.Measure(ctx, open)
	if err != nil || len(missing) > 0 { // the next time may be better
		return perf, missing, err
	}
	return perf, nil, write(m.file, filedSpeed{m.Version, servers, perf})
}

// earlier is what was measured before with the same suite, images and time.
func (m speeds) earlier(servers []report.Peer) *report.Performance {
	var f filedSpeed
	if read(m.file, &f) != nil || !m.takes(f.Version) || !slices.Equal(f.Servers, servers) || f.Result == nil || f.Result.Seconds != m.runtime.Seconds() {
		return nil
	}
	return f.Result
}
