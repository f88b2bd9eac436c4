package main

import (
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/reports/baseline"
	"nbdconform/reports/result"
)

// told is what the command line says of a target that the result can't know.
type told struct{ target, version string }

func (w *told) flags(c *cobra.Command) {
	c.Flags().StringVar(&w.target, "target", "", "name of the target in the baseline, if the result has another")
	c.Flags().StringVar(&w.version, "target-version", "", "version of the target, if the result has none")
}

// readResult reads result.json, or the one in a directory, and refuses a run
// that is invalid.
func (w told) readResult(name string) (result.Result, error) {
	r, err := w.readDoubtful(name)
	if err != nil {
		return r, err
	}
	return r, doubted(name, r)
}

// readDoubtful is readResult for a run that need not be trusted.
func (w told) readDoubtful(name string) (result.Result, error) {
	r, err := readResult(name)
	if r.Target.Name = cmp.Or(w.target, r.Target.Name); w.version != "" {
		r.Target.Version = w.version
	}
	return r, err
}

// doubted is why a run is not to be trusted, or nil.
func doubted(name string, r result.Result) error {
	if doubts := r.Doubts(); len(doubts) > 0 {
		return fmt.Errorf("the run in %s is not to be trusted: %s: run it again", name, strings.Join(doubts, "; "))
	}
	return nil
}

// worse reports whether a run shows what no entry knows, and shows it beyond
// doubt: other specs may be in doubt beside it.
func worse(r result.Result, report baseline.Report) bool {
	return r.Exit() == result.ExitFails && slices.ContainsFunc(report.Findings, func(f baseline.Finding) bool {
		return (f.Kind == baseline.New || f.Kind == baseline.Changed) && f.Spec.Verdict.Broken()
	})
}

// readComparable reads a result whose signatures are those of baselines.
func (w told) readComparable(name string) (result.Result, error) {
	r, err := w.readResult(name)
	if err != nil {
		return r, err
	}
	return r, incomparable(name, r)
}

// incomparable is why a result can't be compared with a baseline, or nil.
func incomparable(name string, r result.Result) error {
	if r.Former() {
		return fmt.Errorf("%s is of schema 1, whose signatures no baseline has: run the suite again with this nbdconform", name)
	}
	return nil
}

func readResult(name string) (result.Result, error) {
	if info, err := os.Stat(name); err == nil && info.IsDir() {
		name = filepath.Join(name, "result.json")
	}
	f, err := os.Open(name)
	if err != nil {
		return result.Result{}, fmt.Errorf("reading result: %w (nbdconform run writes one)", err)
	}
	defer func() { _ = f.Close() }()
	r, err := result.Read(f)
	if err != nil {
		return r, fmt.Errorf("%s: %w", name, err)
	}
	return r, nil
}

func gateCommand() *cobra.Command {
	var files []string
	var w told
	c := &cobra.Command{
		Use:   "gate RESULT --baseline FILE",
		Short: "Compare a result with the failures that are known",
		Long: `Gate compares a result (result.json, or the directory that it is in) with
a baseline: a YAML file of failures that are known and tolerated, each with a
reason.

It is red for a failure without an entry, a failure that is not the one of its
entry, an entry whose spec passes or that matches nothing, an entry that
expired, and an entry without a reason. A crash, a hang and wrong data need an
entry of their own: no wildcard tolerates them. An entry with flaky: true
may pass or fail.

Exit status: 0 no worse than the baseline, 1 red, 2 nothing can be said: the
result or the baseline can't be read, or the run is invalid and shows no
new failure.`,
		Example: `  nbdconform gate reports/out/nbdkit-trixie --baseline known.yaml
  nbdconform gate result.json --baseline a.yaml --baseline b.yaml
  nbdconform gate result.json --baseline known.yaml --target-version 2.1`,
		Args: arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(files) == 0 {
				return errors.New("no baseline: name one with --baseline")
			}
			r, err := w.readDoubtful(args[0])
			if err == nil {
				err = incomparable(args[0], r)
			}
			if err != nil {
				return err
			}
			known, err := baseline.Load(files...)
			if err != nil {
				return err
			}
			report := baseline.Check(r, known, time.Now())
			if doubt := doubted(args[0], r); doubt != nil {
				if !worse(r, report) {
					return doubt
				}
				fmt.Fprintln(os.Stderr, doubt)
			}
			fmt.Print(baseline.Text(report, updateLine(args[0], files, w)))
			if !report.Green() {
				return &exitError{status: exitViolates}
			}
			return nil
		},
	}
	c.Flags().StringArrayVar(&files, "baseline", nil, "file of known failures, or a directory of them; may be repeated")
	w.flags(c)
	return c
}

// updateLine is the command that takes a result over into its baseline, or ""
// where there is no telling which of several files it would be.
func updateLine(name string, files []string, w told) string {
	if info, err := os.Stat(files[0]); len(files) != 1 || err != nil || info.IsDir() {
		return ""
	}
	line := []string{"nbdconform", "baseline", "update", name, "--baseline", files[0]}
	if w.target != "" {
		line = append(line, "--target", w.target)
	}
	if w.version != "" {
		line = append(line, "--target-version", w.version)
	}
	for i := range line {
		line[i] = job.Quote(line[i])
	}
	return strings.Join(line, " ")
}
