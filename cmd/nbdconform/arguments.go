package main

import (
	"fmt"

	"github.com/spf13/cobra"
)

// arguments wants so many arguments; most is -1 where there is no bound.
func arguments(least, most int) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		n := len(args)
		if n >= least && (most < 0 || n <= most) {
			return nil
		}
		want := fmt.Sprint(least)
		switch {
		case most < 0:
			want += " or more"
		case most > least:
			want = fmt.Sprintf("%d at most", most)
		}
		return fmt.Errorf("%s: want another number of arguments: %s, not %d (see %s --help)",
			c.Use, want, n, c.CommandPath())
	}
}
