package pairing

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/reports/matrix"
)

// An attempt is one operation in progress.
type attempt struct {
	*Pair
	operation matrix.Operation
	task      subject.Task
	server    subject.Server
	file      []byte // what CopyIn and Compare are given
	observed  Observed
	report    subject.Report
}

// timeout is how long a program may take.
const timeout = 30 * time.Second

// prepare writes the file that the task is about, and data to the range that
// the task changes.
func (t *attempt) prepare(ctx context.Context) error {
	if t.task.Server.TLS != subject.NoTLS {
		dir, err := t.Client.credentials()
		if err != nil {
			return err
		}
		t.task.Server.PKI, t.task.Server.Keys = dir, dir
	}
	switch t.task.Operation {
	case subject.CopyOut:
		t.task.File = t.path("out")
		return nil
	case subject.CopyIn:
		t.file = t.Server.newImage()
	case subject.Compare:
		t.file = t.Server.contents
	case subject.Zero, subject.Trim:
		return t.Server.fillRange(ctx)
	case subject.Verify:
		return t.Server.write(ctx, 0, stamped())
	default:
		return nil
	}
	t.task.File = t.path("in")
	return os.WriteFile(t.task.File, t.file, 0o644) // #nosec: a program in a container may be another user
}

// run has the client do the task through a proxy.
func (t *attempt) run(ctx context.Context) error {
	t.task.Server.Socket = t.path("s")
	p, err := listen(ctx, t.task.Server.Socket, t.server.Profile().Dialect, t.server.Dial)
	if err != nil {
		return err
	}
	bounded, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	t.report, err = t.Client.Do(bounded, t.task)
	t.observed = p.close()
	if err == nil {
		err = ctx.Err()
	}
	return err
}

// outcome puts into r how the operation went.
func (t *attempt) outcome(ctx context.Context, r *matrix.Pairing) error {
	wrong, err := t.check(ctx)
	if err != nil {
		return err
	}
	unused := unused(t.WithReference[t.operation], t.Server.features, t.observed)
	switch {
	case !t.report.Succeeded() && t.operation == matrix.Map && !t.Server.features[featureStatus]:
		r.Outcome, r.Detail = matrix.Unable, "the server does not have base:allocation; "+ended(t.report)
	case !t.report.Succeeded():
		r.Outcome, r.Detail = matrix.Broken, ended(t.report)
		if t.Client.program.SaysUnsupported(t.report) {
			r.Outcome = matrix.Unable
		}
	case wrong != "":
		r.Outcome, r.Detail = matrix.Corrupt, wrong
	case t.observed.Connections == 0:
		r.Outcome, r.Detail = matrix.Broken, "it claims success, and no connection was observed"
	case t.operation == matrix.Discard && !t.observed.used()[featureTrim]:
		r.Outcome, r.Detail = matrix.Degraded, "it claims success, and sent no NBD_CMD_TRIM that succeeded"
		r.Lost = []string{fmt.Sprintf("%s: %s instead", featureTrim, fallback(featureTrim, t.observed))}
	case unused != nil && t.task.Server.TLS == subject.NoTLS:
		r.Outcome, r.Lost, r.Detail = matrix.Degraded, unused, strings.Join(unused, "; ")
	default:
		r.Outcome = matrix.Works
	}
	if r.Outcome != matrix.Works && r.Outcome != matrix.Degraded {
		r.Output = lastOutput(t.report)
	}
	return nil
}

// ended says how a program that failed ended.
func ended(r subject.Report) string {
	if r.Hung {
		return fmt.Sprintf("it did not end within %v", timeout)
	}
	end := cmp.Or(r.Killed, r.Exit)
	for _, text := range []string{r.Stderr, r.Stdout} {
		if lines := strings.Split(strings.TrimSpace(text), "\n"); lines[0] != "" {
			return end + ": " + strings.Join(lines[max(0, len(lines)-2):], "; ")
		}
	}
	return end
}

// lastOutput is the end of what a program printed.
func lastOutput(r subject.Report) string {
	const most = 2 << 10
	s := strings.ToValidUTF8(r.Stdout+r.Stderr, "?")
	return s[max(0, len(s)-most):]
}
