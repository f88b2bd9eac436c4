package main

import (
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/fuzz/score"
)

func fuzzScoreCommand() *cobra.Command {
	var o score.Options
	var least float64
	var scripts bool
	var save string
	c := &cobra.Command{
		Use:   "fuzz-score [NAME]",
		Short: "Measure the session fuzzer with the quirks of the reference server",
		Long: `Fuzz-score plants every quirk that breaks a clause, one at a time, and lets the
session fuzzer look for it, without knowing what it looks for. It prints what
was found, how soon, with how many operations after shrinking, and by which
clause. Quirks that no valid session can show are listed with the reason.

With NAME only the quirks whose name contains it.`,
		Example: "  nbdconform fuzz-score\n  nbdconform fuzz-score --scripts --budget 10s fast-zero",
		Args:    arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if len(args) > 0 {
				o.Match = args[0]
			}
			if o.Budget <= 0 || o.Workers <= 0 || least < 0 || least > 100 {
				return errors.New("--budget and --workers have to be positive, --least between 0 and 100")
			}
			total, done, start := 0, 0, time.Now()
			rows, err := score.Run(c.Context(), withProgress(o, &total, &done))
			if err != nil {
				return err
			}
			if save != "" {
				if err := score.Save(c.Context(), save, rows); err != nil {
					return err
				}
			}
			return printScore(c.OutOrStdout(), rows, least, scripts, time.Since(start))
		},
	}
	c.Flags().DurationVar(&o.Budget, "budget", time.Minute, "time for each quirk")
	c.Flags().IntVar(&o.Workers, "workers", runtime.NumCPU(), "quirks at the same time")
	c.Flags().Uint64Var(&o.First, "first", 0, "number of the first script")
	c.Flags().Float64Var(&least, "least", 90, "percentage that has to be found")
	c.Flags().StringVar(&save, "save", "", "directory for the findings, as scripts with reproducers")
	c.Flags().BoolVar(&scripts, "scripts", false, "print the script that shows each quirk")
	return c
}

// withProgress has a counter follow the rows.
func withProgress(o score.Options, total, done *int) score.Options {
	*total = score.Count(o)
	progress := console.Counter(os.Stderr, "measuring")
	o.Done = func(score.Row) {
		*done++
		progress(*done, *total)
	}
	return o
}

func printScore(out io.Writer, rows []score.Row, least float64, scripts bool, took time.Duration) error {
	w := tabwriter.NewWriter(out, 0, 0, 1, ' ', 0)
	fmt.Fprintln(w, "quirk\tfound\tops\tby")
	reachable, found, failed := 0, 0, 0
	for _, r := range rows {
		if r.Unreachable != "" {
			fmt.Fprintf(w, "%s\t-\t\t%s\n", r.Quirk.Name, "out of reach")
			continue
		}
		reachable++
		switch {
		case r.Err != nil:
			failed++
			fmt.Fprintf(w, "%s\terror\t\t\n", r.Quirk.Name)
		case r.Found:
			found++
			fmt.Fprintf(w, "%s\t%.1f s\t%d\t%s\n", r.Quirk.Name, r.Took.Seconds(), len(r.Script.Ops), by(r))
		default:
			fmt.Fprintf(w, "%s\tno\t\t%d scripts\n", r.Quirk.Name, r.Scripts)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, r := range rows {
		switch {
		case r.Unreachable != "":
			fmt.Fprintf(out, "out of reach: %s: %s\n", r.Quirk.Name, r.Unreachable)
		case r.Err != nil:
			fmt.Fprintf(out, "error: %s: %v\n", r.Quirk.Name, r.Err)
		case r.Found && scripts:
			fmt.Fprintf(out, "\n%s: %v\n%s", r.Quirk.Name, r.Finding, console.Indented(r.Script.String()))
		}
	}
	share := 100 * float64(found) / float64(max(reachable, 1))
	fmt.Fprintf(out, "%d of %d quirks that a session can show were found (%.1f %%), %d are out of reach, in %.0f s\n",
		found, reachable, share, len(rows)-reachable, took.Seconds())
	if failed > 0 {
		return fmt.Errorf("the fuzzer itself failed on %d quirks: see above", failed)
	}
	if reachable == 0 {
		return errors.New("nothing was measured: what was asked for is out of reach")
	}
	if share < least {
		return &exitError{status: exitViolates, text: fmt.Sprintf("less than %.0f %% were found", least)}
	}
	return nil
}

// by is the clause that was found broken, or what else was.
func by(r score.Row) string {
	s := string(r.Finding.Clause)
	if r.Finding.Kind != "violation" && r.Finding.Kind != "wrong" {
		s = string(r.Finding.Kind) + " " + s
	}
	return s
}
