package main

import (
	"fmt"
	"slices"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"nbdconform/conformance"
	"nbdconform/conformance/clause"
	"nbdconform/conformance/prove"
)

func coverageCommand() *cobra.Command {
	var todo bool
	c := &cobra.Command{
		Use:     "coverage",
		Short:   "Count the clauses that are tested, and those still to do",
		Example: "  nbdconform coverage\n  nbdconform coverage --todo",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			census, err := conformance.List(clause.Server, "")
			if err != nil {
				return err
			}
			forClients, err := conformance.List(clause.Client, "")
			if err != nil {
				return err
			}
			status := statuses(append(census, forClients...))
			out := c.OutOrStdout()
			if todo {
				for _, k := range clause.All() {
					if status[k.ID] == "todo" {
						fmt.Fprintf(out, "%-6s %-6s %s\n", k.Level, k.Side, k.ID)
					}
				}
				return nil
			}
			w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
			fmt.Fprintf(w, "level\tside\ttested\tuntestable\tdisputed\ttodo\t\n")
			for _, level := range []clause.Level{clause.Must, clause.Should, clause.May} {
				for _, side := range []clause.Side{clause.Server, clause.Client, clause.Both} {
					n := map[string]int{}
					for _, k := range clause.All() {
						if k.Level == level && k.Side == side {
							n[status[k.ID]]++
						}
					}
					fmt.Fprintf(w, "%s\t%s\t%d\t%d\t%d\t%d\t\n", level, side, n["tested"], n["untestable"], n["disputed"], n["todo"])
				}
			}
			return w.Flush()
		},
	}
	c.Flags().BoolVar(&todo, "todo", false, "list the clauses that nothing judges yet")
	return c
}

// statuses derives the status of every clause from who judges it.
func statuses(census []conformance.Listing) map[clause.ID]string {
	tested := append(conformance.Judged(clause.Server), conformance.Judged(clause.Client)...)
	for _, p := range prove.Permitted() {
		tested = append(tested, p.Clause)
	}
	for _, e := range census {
		tested = append(tested, e.Clauses...)
	}
	status := map[clause.ID]string{}
	for _, c := range clause.All() {
		switch {
		case slices.Contains(tested, c.ID):
			status[c.ID] = "tested"
		case c.Untestable != "":
			status[c.ID] = "untestable"
		case c.Disputed != "":
			status[c.ID] = "disputed"
		default:
			status[c.ID] = "todo"
		}
	}
	return status
}
