package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nbdconform/containers"
	"nbdconform/reports/baseline"
	"nbdconform/reports/matrix"
	"nbdconform/reports/render"
	"nbdconform/reports/result"
)

// evidenceRoom is what the recordings of all runs may take together, in bytes.
// Captures and scripts take up to three times that on the disk.
const evidenceRoom = 512 << 20

func matrixCommand() *cobra.Command {
	var w wish
	var out, publish string
	speed := 200 * time.Millisecond
	var known []string
	f := field{jobs: min(3*runtime.NumCPU(), 12), judge: func(ctx context.Context, o order) (result.Result, error) {
		return supervise(ctx, o, quiet{})
	}}
	c := &cobra.Command{
		Use:   "matrix",
		Short: "Judge every version of every program and put them side by side",
		Long: `Matrix judges every version of every server, in the profiles that stand for
all that it can be set up in, and of every client program. Then it sends every
client to every server, to connect, list, map, copy out and in, compare,
discard, zero, and connect with TLS, by certificates and by a pre-shared key,
and checks what they say against what the server holds. In the end, when
nothing else of it runs, the reference client measures latency and throughput
of every server. It writes what came of it: matrix.json, which everything else
is derived from, index.html, matrix.md and, in runs/, the reports of every run
with the evidence of its failures.

A matrix that was interrupted goes on where it stopped: results of the same
suite on the same image are taken as they are, unless --fresh is given.

Exit status: 0 the matrix is complete, whatever it says of the servers;
2 it is not, or some run is not to be trusted.`,
		Example: `  nbdconform matrix
  nbdconform matrix --suites bookworm,trixie --targets nbdkit
  nbdconform matrix --profiles default --jobs 4
  nbdconform matrix --profiles default --clients nbdcopy,qemu-img
  nbdconform matrix --targets nbdkit --suites trixie --profiles all`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			w.alone = len(w.Targets) > 0
			if w.Suites, err = some("suite", w.Suites, suiteNames()); err != nil {
				return err
			}
			if w.Targets, err = some("target", w.Targets, targetNames()); err != nil {
				return err
			}
			if w.Profiles, err = someProfiles(w.Profiles); err != nil {
				return err
			}
			if w.Clients, err = someClients(w.Clients); err != nil {
				return err
			}
			if w.alone && !c.Flags().Changed("clients") {
				w.Clients = nil
			}
			if f.jobs < 1 {
				return fmt.Errorf("--jobs %d: at least one run at a time", f.jobs)
			}
			release, err := hold(out)
			if err != nil {
				return err
			}
			defer release()
			start := time.Now()
			cells, skipped, err := w.plan(c.Context(), func(s string) { fmt.Fprintln(os.Stderr, s) })
			if err != nil {
				return err
			}
			f.dir, f.room, f.show = filepath.Join(out, "runs"), evidenceRoom/len(cells), newOverview(os.Stderr)
			results, failed, err := f.run(c.Context(), cells)
			if err != nil {
				return err
			}
			pairings, apart, err := f.meet(c.Context(), cells, filepath.Join(out, "pairings"))
			if err != nil {
				return err
			}
			r := race{open: openRacer, file: filepath.Join(out, "speed.json"), runtime: speed, fresh: f.fresh, show: newOverview(os.Stderr)}
			perf, unmeasured, err := r.run(c.Context(), serverPeers(cells))
			if c.Context().Err() != nil {
				return err
			}
			apart = append(apart, unmeasured...)
			if err != nil {
				apart = append(apart, matrix.Skip{What: "the measurement of speed", Why: err.Error()})
			}
			m := matrix.Matrix{
				Made: start.UTC().Truncate(time.Second), Seconds: time.Since(start).Seconds(),
				Reproduce: w.reproduce(), Runs: results, Pairings: pairings, Performance: perf,
				Skipped: slices.Concat(skipped, failed, apart),
			}
			if err := render.MatrixFiles(out, m); err != nil {
				return err
			}
			if publish != "" {
				if err := published(m, known, publish); err != nil {
					return err
				}
			}
			if err := render.MatrixTerminal(os.Stdout, m); err != nil {
				return err
			}
			fmt.Println("Written:", out)
			return complete(m)
		},
	}
	c.Flags().StringSliceVar(&w.Suites, "suites", nil, "Debian suites to take servers from (default all)")
	c.Flags().StringSliceVar(&w.Targets, "targets", nil, "servers to run (default all, and the reference)")
	c.Flags().StringSliceVar(&w.Profiles, "profiles", []string{fewProfiles},
		"profiles to run them in, where they have them; all for\neach, representative for those that stand for all")
	c.Flags().StringSliceVar(&w.Clients, "clients", nil, "client programs to judge and to send to the servers, or none\n(default all, but none where targets are named)")
	c.Flags().DurationVar(&speed, "speed", speed, "how long each load runs on each server, three times; 0 for\nno measurement")
	c.Flags().IntVar(&f.jobs, "jobs", f.jobs, "runs at a time; most of a run is waiting")
	c.Flags().BoolVar(&f.fresh, "fresh", false, "take no results of an earlier matrix")
	c.Flags().StringVar(&out, "out", filepath.Join("reports", "out", "matrix"), "directory for the reports")
	c.Flags().StringVar(&publish, "publish", "", "directory for a slim copy, without the crashes that no\n--baseline names")
	c.Flags().StringSliceVar(&known, "baseline", []string{filepath.Join("containers", "known"), filepath.Join("containers", "known", "clients")}, "known failures, for --publish")
	return c
}

// published writes what everybody may see of a matrix.
func published(m matrix.Matrix, known []string, dir string) error {
	files, err := baseline.Load(known...)
	if err != nil {
		return err
	}
	m = m.Slim()
	for i := range m.Runs {
		m.Runs[i] = baseline.Public(m.Runs[i], files)
	}
	return render.MatrixTables(dir, m)
}

// complete is an error where the matrix is not what it was asked to be. A suite
// whose archive may be gone is not missed.
func complete(m matrix.Matrix) error {
	if len(m.Runs) == 0 {
		return errors.New("no server could be run")
	}
	for _, r := range m.Runs {
		if r.Exit() == exitUntrusted {
			return fmt.Errorf("the run of %s is not to be trusted: %s", title(r.Target), strings.Join(r.Doubts(), "; "))
		}
	}
	for _, s := range m.Skipped {
		if !optional(s.What) {
			return fmt.Errorf("the matrix lacks %s: %s", s.What, s.Why)
		}
	}
	return nil
}

func optional(suite string) bool {
	return slices.ContainsFunc(containers.Releases(), func(s containers.Release) bool { return s.Name == suite && s.Optional })
}

// reproduce is the command that asks for the same again.
func (w wish) reproduce() string {
	words := []string{"nbdconform", "matrix"}
	for _, f := range []struct {
		flag      string
		list, all []string
	}{
		{"--suites", w.Suites, suiteNames()},
		{"--targets", w.Targets, targetNames()},
		{"--profiles", w.Profiles, []string{fewProfiles}},
		{"--clients", w.clientFlag(), clientNames()},
	} {
		if !slices.Equal(f.list, f.all) {
			words = append(words, f.flag, strings.Join(f.list, ","))
		}
	}
	return strings.Join(words, " ")
}

// some returns the names in the order of all, or all where there are none. A
// name that is not among all is an error.
func some(what string, names, all []string) ([]string, error) {
	if len(names) == 0 {
		return all, nil
	}
	for _, n := range names {
		if !slices.Contains(all, n) {
			return nil, fmt.Errorf("unknown %s %q: use some of %s", what, n, strings.Join(all, ", "))
		}
	}
	var chosen []string
	for _, n := range all {
		if slices.Contains(names, n) {
			chosen = append(chosen, n)
		}
	}
	return chosen, nil
}

// someProfiles is some for profiles, of which every server has its own.
func someProfiles(names []string) ([]string, error) {
	all := []string{allProfiles, fewProfiles}
	for _, t := range containers.Targets() {
		for _, p := range t.Profiles {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return some("profile", names, all)
}

// suiteNames lists the Debian suites, oldest first.
func suiteNames() []string {
	var names []string
	for _, s := range containers.Releases() {
		names = append(names, s.Name)
	}
	return names
}

func targetNames() []string {
	var names []string
	for _, t := range containers.Targets() {
		names = append(names, t.Name)
	}
	return names
}
