package main

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"sync"

	"github.com/spf13/cobra"

	"nbdconform/containers"
	"nbdconform/reports/controls"
	"nbdconform/reports/result"
)

func controlsCommand() *cobra.Command {
	jobs := 2
	c := &cobra.Command{
		Use:   "controls [NAME]",
		Short: "Show that published bugs are found where they are, and only there",
		Long: `Controls runs, for each published bug that a released server still has, the
spec that finds it: on a version that has the bug it must fail as is written
down, on one that has not it must pass.

With NAME only the bugs whose name contains it.

Exit status: 0 all as it should be, 1 it is not, 2 nothing can be said.`,
		Example: `  nbdconform controls
  nbdconform controls CVE-2025`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if jobs < 1 {
				return fmt.Errorf("--jobs %d: at least one run at a time", jobs)
			}
			list, err := chosenControls(strings.Join(args, ""))
			if err != nil {
				return err
			}
			judge := func(ctx context.Context, o order) (result.Result, error) { return supervise(ctx, o, quiet{}) }
			return runControls(c.Context(), os.Stdout, list, jobs, judge)
		},
	}
	c.Flags().IntVar(&jobs, "jobs", jobs, "bugs at a time")
	return c
}

func chosenControls(name string) ([]controls.Control, error) {
	all, err := controls.All()
	if err != nil {
		return nil, err
	}
	var list []controls.Control
	for _, c := range all {
		if strings.Contains(c.Bug, name) {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no bug of %d has %q in its name", len(all), name)
	}
	return list, nil
}

type judgement func(context.Context, order) (result.Result, error)

// runControls prints a line for each control as it ends.
func runControls(ctx context.Context, out io.Writer, list []controls.Control, jobs int, judge judgement) error {
	var mu sync.Mutex // guards out and what follows
	var wrong int
	var failure error
	turns := make(chan struct{}, jobs)
	var all sync.WaitGroup
	for _, c := range list {
		all.Go(func() {
			turns <- struct{}{}
			defer func() { <-turns }()
			why, err := tryControl(ctx, c, judge)
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				failure = cmp.Or(failure, fmt.Errorf("%s: %w", c.Bug, err))
			case why != "":
				wrong++
				fmt.Fprintf(out, "FAILED  %s: %s\n", c.Bug, why)
			default:
				fmt.Fprintf(out, "ok      %s: %s on %s, passes on %s\n", c.Bug, c.Verdict, c.Affected, c.Fixed)
			}
		})
	}
	all.Wait()
	if failure != nil {
		return failure
	}
	fmt.Fprintf(out, "%d bugs found where they are and only there, %d not\n", len(list)-wrong, wrong)
	if wrong > 0 {
		return &exitError{status: exitViolates}
	}
	return nil
}

// tryControl says what is not as it should be with a control; "": nothing.
func tryControl(ctx context.Context, c controls.Control, judge judgement) (string, error) {
	o := order{Target: c.Target, Provider: containers.Container, Profile: c.Profile, Filter: c.Spec, Seed: 1}
	why := ""
	for range max(c.Tries, 1) {
		o.Suite = c.Affected
		r, err := judge(ctx, o)
		if err != nil {
			return "", err
		}
		if why = c.Red(r); why == "" {
			break
		}
	}
	if why != "" {
		return fmt.Sprintf("%s has it: %s", c.Affected, why), nil
	}
	o.Suite = c.Fixed
	r, err := judge(ctx, o)
	if err != nil {
		return "", err
	}
	if why = c.Green(r); why != "" {
		return fmt.Sprintf("%s does not have it: %s", c.Fixed, why), nil
	}
	return "", nil
}
