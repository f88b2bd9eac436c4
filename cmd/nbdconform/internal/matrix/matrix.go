package matrix

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/containers"
	report "nbdconform/reports/matrix"
	"nbdconform/reports/result"
)

// evidenceRoom is what the recordings of all runs may take together, in bytes.
// Captures and scripts take up to three times that on the disk.
const evidenceRoom = 512 << 20

// A Judge runs a job.
type Judge func(context.Context, job.Job) (result.Result, error)

// Options say what a matrix has and how it is made.
type Options struct {
	Request // resolved
	Store
	Dir   string        // of the reports
	Jobs  int           // runs at once
	Speed time.Duration // of one load on one server, each round; 0: nothing is measured
	Judge Judge
	Show  func() console.Overview // makes one for each part
}

// Make makes a matrix. An error means that there is none, and that the same
// options go on from what there is.
func Make(ctx context.Context, o Options, progress func(string)) (report.Matrix, error) {
	start := time.Now()
	cells, skipped, err := plan(ctx, o.Request, progress)
	if err != nil {
		return report.Matrix{}, err
	}
	r := runs{
		Store: o.Store, dir: filepath.Join(o.Dir, "runs"), room: evidenceRoom / len(cells),
		jobs: o.Jobs, show: o.Show(), judge: o.Judge,
	}
	results, failed, err := r.run(ctx, cells)
	if err != nil {
		return report.Matrix{}, err
	}
	var pairings []report.Pairing
	var apart []report.Skip
	if list := clientPeers(cells); len(list) > 0 {
		p := pairs{
			Store: o.Store, dir: filepath.Join(o.Dir, "pairings"), jobs: o.Jobs, show: o.Show(),
			servers: serverPeers(cells), clients: list,
		}
		if pairings, apart, err = p.run(ctx); err != nil {
			return report.Matrix{}, err
		}
	}
	s := speeds{Store: o.Store, open: openServer, file: filepath.Join(o.Dir, "speed.json"), runtime: o.Speed, show: o.Show()}
	perf, unmeasured, err := s.run(ctx, serverPeers(cells))
	if ctx.Err() != nil {
		return report.Matrix{}, err
	}
	apart = append(apart, unmeasured...)
	if err != nil {
		apart = append(apart, report.Skip{What: "the measurement of speed", Why: err.Error()})
	}
	return report.Matrix{
		Made: start.UTC().Truncate(time.Second), Seconds: time.Since(start).Seconds(),
		Reproduce: o.Reproduce(), Runs: results, Pairings: pairings, Performance: perf,
		Skipped: slices.Concat(skipped, failed, apart),
	}, nil
}

// Complete is an error where a matrix is not what it was asked to be. A release
// whose archive may be gone is not missed.
func Complete(m report.Matrix) error {
	if len(m.Runs) == 0 {
		return errors.New("no server could be run")
	}
	for _, r := range m.Runs {
		if doubts := r.Doubts(); len(doubts) > 0 {
			return fmt.Errorf("the run of %s is not to be trusted: %s", console.Title(r.Target), strings.Join(doubts, "; "))
		}
	}
	for _, s := range m.Skipped {
		if !optional(s.What) {
			return fmt.Errorf("the matrix lacks %s: %s", s.What, s.Why)
		}
	}
	return nil
}

func optional(release string) bool {
	return slices.ContainsFunc(containers.Releases(), func(r containers.Release) bool { return r.Name == release && r.Optional })
}
