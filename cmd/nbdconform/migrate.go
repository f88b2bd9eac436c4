package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"nbdconform/reports/baseline"
)

func baselineMigrateCommand() *cobra.Command {
	var before, after []string
	c := &cobra.Command{
		Use:   "migrate FILE --before RESULT --after RESULT",
		Short: "Give a baseline of version 1 the signatures of version 2",
		Long: `Migrate edits a baseline of version 1 in place. The signature of a failure used
to be made from its message; now it is made from its clause, its code and the
names among its values. A result of an older nbdconform (schema 1) and one of
this nbdconform, of the same server or client, show which failure has which
signature. --before and --after may be repeated, in pairs.

An entry keeps its reason, comments and place. What no pair has is listed and
stays as it is: the gate says what to write in its place once it fails.

Exit status: 0 every entry was migrated, 1 some were not, 2 nothing was written.`,
		Example: `  nbdconform baseline migrate known.yaml --before old/result.json --after new/result.json`,
		Args:    arguments(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if len(before) != len(after) {
				return errors.New("--before and --after come in pairs")
			}
			var pairs []baseline.Pair
			for i := range before {
				var p baseline.Pair
				var err error
				if p.Before, err = readResult(before[i]); err != nil {
					return err
				}
				if p.After, err = readResult(after[i]); err != nil {
					return err
				}
				pairs = append(pairs, p)
			}
			text, err := os.ReadFile(args[0])
			if err != nil {
				return fmt.Errorf("reading baseline: %w", err)
			}
			f, left, err := baseline.Migrate(args[0], text, pairs)
			if err != nil {
				return err
			}
			if err := rewrite(args[0], f.Bytes()); err != nil {
				return fmt.Errorf("writing baseline: %w", err)
			}
			for _, l := range left {
				fmt.Println("not migrated, " + l)
			}
			if len(left) > 0 {
				return &exitError{status: exitViolates}
			}
			return nil
		},
	}
	c.Flags().StringArrayVar(&before, "before", nil, "result of schema 1; may be repeated")
	c.Flags().StringArrayVar(&after, "after", nil, "result of schema 2 of the same server or client; may be repeated")
	return c
}
