package main

import (
	"context"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	proof "nbdconform/cmd/nbdconform/internal/controls"
	"nbdconform/reports/controls"
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
			list, err := proof.Named(strings.Join(args, ""))
			if err != nil {
				return err
			}
			return runControls(c.Context(), os.Stdout, list, jobs, judgeQuietly)
		},
	}
	c.Flags().IntVar(&jobs, "jobs", jobs, "bugs at a time")
	return c
}

// runControls prints a line for each control as it ends.
func runControls(ctx context.Context, out io.Writer, list []controls.Control, atOnce int, judge proof.Judge) error {
	wrong := 0
	err := proof.Run(ctx, list, atOnce, judge, func(c controls.Control, why string) {
		if why != "" {
			wrong++
			fmt.Fprintf(out, "FAILED  %s: %s\n", c.Bug, why)
			return
		}
		fmt.Fprintf(out, "ok      %s: %s on %s, passes on %s\n", c.Bug, c.Verdict, c.Affected, c.Fixed)
	})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "%d bugs found where they are and only there, %d not\n", len(list)-wrong, wrong)
	if wrong > 0 {
		return &exitError{status: exitViolates}
	}
	return nil
}
