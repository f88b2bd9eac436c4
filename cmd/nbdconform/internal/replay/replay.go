package replay

import (
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/fuzz/campaign"
	"nbdconform/fuzz/session"
	"nbdconform/reports/evidence"
	"nbdconform/reports/result"
)

// A Request is what the user asks for: a path, and a job of which only what was
// given counts.
type Request struct {
	job.Job
	Given    func(flag string) bool // reports whether a flag was given
	Program  string                 // a client program in place of the recorded one; "": none
	Script   bool                   // print what was said as a script, and run nothing
	Dir      string                 // for the reports; "": none are written
	Out, Log io.Writer
	Run      func(context.Context, job.Job) (result.Result, error)
}

// Exit statuses.
const (
	gone      = result.ExitConforms   // the failure is not there any more
	stays     = result.ExitFails      // it still is
	undecided = result.ExitNotTrusted // that could not be found out
)

// Do replays what is at a path, and returns the exit status. What that is
// decides how.
func (r *Request) Do(ctx context.Context, path string) (status int, err error) {
	file, recording := campaign.FindCapture(path)
	faults := campaign.IsFaultScript(path)
	if r.Program != "" && !faults && !isBundle(path) {
		return 0, fmt.Errorf("--client goes with a bundle or a fault script (*%s), and %s is neither", campaign.FaultExtension, path)
	}
	switch {
	case r.Script && recording:
		return gone, r.print(file)
	case r.Script:
		return 0, fmt.Errorf("%s is neither a capture nor an evidence bundle: there is no script to make of it", path)
	case faults:
		return r.faults(ctx, path)
	case isBundle(path):
		return r.bundle(ctx, path)
	case strings.HasSuffix(path, session.Extension):
		saved, err := session.Load(path)
		if err != nil {
			return 0, err
		}
		return r.script(ctx, path, saved)
	case recording:
		said, notes, err := campaign.LoadCapture(file)
		if err != nil {
			return 0, err
		}
		for _, n := range notes {
			fmt.Fprintln(r.Log, n)
		}
		return r.script(ctx, path, said)
	default:
		if _, err := os.Stat(path); err != nil {
			return 0, err
		}
		return 0, fmt.Errorf("%s is no evidence bundle: want a directory with a %s in it, a script, a fault script or a capture", path, evidence.BundleFile)
	}
}

// isBundle reports whether a path is an evidence bundle or its bundle.json.
func isBundle(path string) bool {
	if filepath.Base(path) == evidence.BundleFile {
		return true
	}
	_, err := os.Stat(filepath.Join(path, evidence.BundleFile))
	return err == nil
}

// step says that something is done which takes its time.
func (r *Request) step(text string) { fmt.Fprintln(r.Log, text) }

// conclude prints the result of a file that says what was found then, if
// anything was, and returns the status of that.
func (r *Request) conclude(then string, again bool, found int, nothing string) int {
	switch {
	case again:
		fmt.Fprintf(r.Out, "reproduced: %s\n", then)
	case then != "":
		fmt.Fprintf(r.Out, "not reproduced: %s; findings: %d\n", then, found)
		return gone
	case found == 0:
		fmt.Fprintln(r.Out, nothing)
		return gone
	default:
		fmt.Fprintf(r.Out, "findings: %d\n", found)
	}
	return stays
}

// print prints what was said in a capture.
func (r *Request) print(file string) error {
	said, notes, err := campaign.LoadCapture(file)
	if err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintln(r.Out, "# "+n)
	}
	_, err = fmt.Fprint(r.Out, said)
	return err
}
