package main

import (
	"encoding/json"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"nbdconform/reports/diff"
)

func diffCommand() *cobra.Command {
	var asJSON bool
	c := &cobra.Command{
		Use:   "diff RESULT RESULT",
		Short: "Say how two results differ",
		Long: `Diff compares two results (result.json, or the directory that it is in) and
lists the specs that regressed, are missing, changed, were fixed or are new.

Exit status: 0 the second is no worse than the first, 1 a spec regressed or is
missing, 2 a result can't be read or is invalid.`,
		Example: `  nbdconform diff reports/out/nbdkit-bookworm reports/out/nbdkit-trixie
  nbdconform diff old/result.json new/result.json --json`,
		Args: arguments(2, 2),
		RunE: func(_ *cobra.Command, args []string) error {
			a, err := told{}.readResult(args[0])
			if err != nil {
				return err
			}
			b, err := told{}.readResult(args[1])
			if err != nil {
				return err
			}
			report := diff.Of(a, b)
			if asJSON {
				enc := json.NewEncoder(os.Stdout)
				enc.SetIndent("", "  ")
				if err := enc.Encode(report); err != nil {
					return err
				}
			} else {
				fmt.Print(diff.Text(report))
			}
			if report.Worse() {
				return &exitError{status: exitViolates}
			}
			return nil
		},
	}
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}
