package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/cmd/nbdconform/internal/matrix"
	"nbdconform/cmd/nbdconform/internal/runs"
	"nbdconform/reports/render"
	"nbdconform/reports/result"
)

func matrixCommand() *cobra.Command {
	o := matrix.Options{
		Request: matrix.Request{Profiles: []string{matrix.RepresentativeProfiles}},
		Store:   matrix.Store{Version: version()},
		Dir:     filepath.Join("reports", "out", "matrix"),
		Jobs:    min(3*runtime.NumCPU(), 12),
		Speed:   200 * time.Millisecond,
		Judge:   judgeQuietly,
		Show:    func() console.Overview { return console.NewOverview(os.Stderr) },
	}
	var publish string
	known := []string{filepath.Join("containers", "known"), filepath.Join("containers", "known", "clients")}
	c := &cobra.Command{
		Use:   "matrix",
		Short: "Judge every version of every program and put them side by side",
		Long: `Matrix judges every version of every server, in the profiles that stand for
all that it can be set up in, and of every client program. Then it sends every
client to every server, to connect, list, map, copy out and in, compare,
discard, zero, and connect with TLS, by certificates and by a pre-shared key,
and checks what they say against what the server holds. In the end, when
nothing else of it runs, the reference client measures latency and throughput
of every server. It writes matrix.json, which everything else is derived from,
index.html, matrix.md and, in runs/, the reports of every run with the evidence
of its failures.

A matrix that was interrupted continues where it stopped: results of the same
suite on the same image are taken as they are, unless --fresh is given.

Exit status: 0 the matrix is complete, whatever it says of the servers;
2 it is not, or some run is invalid.`,
		Example: `  nbdconform matrix
  nbdconform matrix --releases bookworm,trixie --targets nbdkit
  nbdconform matrix --profiles default --jobs 4
  nbdconform matrix --profiles default --clients nbdcopy,qemu-img
  nbdconform matrix --targets nbdkit --releases trixie --profiles all`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := o.Resolve(c.Flags().Changed("clients")); err != nil {
				return err
			}
			if o.Jobs < 1 {
				return fmt.Errorf("--jobs %d: at least one run at a time", o.Jobs)
			}
			release, err := runs.Hold(o.Dir)
			if err != nil {
				return err
			}
			defer release()
			m, err := matrix.Make(c.Context(), o, func(s string) { fmt.Fprintln(os.Stderr, s) })
			if err != nil {
				return err
			}
			if err := render.MatrixFiles(o.Dir, m); err != nil {
				return err
			}
			if publish != "" {
				if err := matrix.Publish(m, known, publish); err != nil {
					return err
				}
			}
			if err := render.MatrixTerminal(os.Stdout, m); err != nil {
				return err
			}
			fmt.Println("Written:", o.Dir)
			return matrix.Complete(m)
		},
	}
	f := c.Flags()
	f.StringSliceVar(&o.Releases, "releases", nil, "Debian releases to take programs from (default all)")
	f.StringSliceVar(&o.Targets, "targets", nil, "servers to run (default all, and the reference)")
	f.StringSliceVar(&o.Profiles, "profiles", o.Profiles,
		"profiles to run them in, where they have them; all for\neach, representative for those that stand for all")
	f.StringSliceVar(&o.Clients, "clients", nil, "client programs to judge and to send to the servers, or none\n(default all, but none where targets are named)")
	f.DurationVar(&o.Speed, "speed", o.Speed, "how long each load runs on each server, three times; 0 for\nno measurement")
	f.IntVar(&o.Jobs, "jobs", o.Jobs, "runs at a time; most of a run is waiting")
	f.BoolVar(&o.Fresh, "fresh", false, "take no results of an earlier matrix")
	f.StringVar(&o.Dir, "out", o.Dir, "directory for the reports")
	f.StringVar(&publish, "publish", "", "directory for a slim copy, without the crashes that no\n--baseline names")
	f.StringSliceVar(&known, "baseline", known, "known failures, for --publish")
	return c
}

// judgeQuietly runs a job and shows nothing of it.
func judgeQuietly(ctx context.Context, j job.Job) (result.Result, error) {
	return jobRunner().Run(ctx, j, console.Quiet{})
}
