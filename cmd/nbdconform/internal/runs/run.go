package runs

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"time"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/cmd/nbdconform/internal/supervise"
	"nbdconform/containers"
	"nbdconform/reports/result"
)

// ChildCommand is the command of this program that is a child.
const ChildCommand = "trial"

// jobVariable has the job of a child, as JSON.
const jobVariable = "NBDCONFORM_JOB"

// limits are those of a child. The longest that a healthy one says nothing is
// one spec against a server that does not reply, and a restart.
var limits = supervise.Limits{Silence: 10 * time.Minute, Grace: 30 * time.Second}

// sweepTime bounds the cleaning up after runs that were killed.
const sweepTime = 20 * time.Second

// A Runner runs jobs.
type Runner struct {
	Version string // of the suite

	argv []string // of the child; nil: this program
}

// Run runs a job in a child process and puts its events together. A child that
// dies or gets stuck costs the spec that it was at, and those that were to come;
// an error means that there is no result at all.
func (r Runner) Run(ctx context.Context, j job.Job, show console.Run) (result.Result, error) {
	rec := newRecord(j, r.Version, show)
	sweep(&j)
	c, err := r.start(j)
	if err != nil {
		return rec.result, err
	}
	supervise.Each(ctx, c, limits, rec.note)
	end := c.Wait()
	show.Close()
	if end != "" {
		sweep(&j)
	}
	return rec.end(end, c.Ended())
}

func (r Runner) start(j job.Job) (*supervise.Child, error) {
	argv := r.argv
	if argv == nil {
		self, err := os.Executable()
		if err != nil {
			return nil, fmt.Errorf("finding the program: %w", err)
		}
		argv = []string{self, ChildCommand}
	}
	text, err := json.Marshal(j)
	if err != nil {
		return nil, err
	}
	return supervise.Start(argv, []string{jobVariable + "=" + string(text)})
}

// sweep removes what earlier runs that were killed have left.
func sweep(j *job.Job) {
	if j.Target == job.Reference || j.URI != "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), sweepTime)
	defer cancel()
	_, _ = containers.Sweep(ctx) // the next run tries again
}
