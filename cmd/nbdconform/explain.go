package main

import (
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/conformance"
	"nbdconform/conformance/clause"
	"nbdconform/conformance/prove"
	"nbdconform/reports/result"
)

func explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:     "explain CLAUSE|SPEC",
		Short:   "Say what a clause asks for and which specs judge it",
		Example: "  nbdconform explain cmd.write-zeroes.fast-zero.enotsup",
		Args:    arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			census, err := conformance.List(clause.Server, "")
			if err != nil {
				return err
			}
			forClients, err := conformance.List(clause.Client, "")
			if err != nil {
				return err
			}
			census = append(census, forClients...)
			out := c.OutOrStdout()
			name := strings.TrimPrefix(args[0], result.JudgePrefix)
			if k, ok := clause.Get(clause.ID(name)); ok {
				explainClause(out, k, census)
				return nil
			}
			for _, e := range census {
				if e.ID == name {
					explainSpec(out, e)
					return nil
				}
			}
			return fmt.Errorf("there is no clause and no spec %q%s", name, suggest(name, census))
		},
	}
}

func explainClause(out io.Writer, c clause.Clause, census []conformance.Listing) {
	fmt.Fprintf(out, "%s\n  %s, binds the %s, section %q\n\n", c.ID, c.Level, c.Side, c.Section)
	fmt.Fprintln(out, console.Wrap(c.Requires, "  "))
	if c.Described {
		fmt.Fprintln(out, "\n  The document says so without a key word of RFC 2119.")
	}
	if c.Disputed != "" {
		fmt.Fprintf(out, "\n  Disputed:\n%s\n", console.Wrap(c.Disputed, "  "))
	}
	if c.Untestable != "" {
		fmt.Fprintf(out, "\n  Can't be tested:\n%s\n", console.Wrap(c.Untestable, "  "))
	}
	fmt.Fprintln(out, "\nJudged by:")
	n, shown := 0, false
	if slices.Contains(conformance.Judged(clause.Server), c.ID) || slices.Contains(conformance.Judged(clause.Client), c.ID) {
		fmt.Fprintln(out, "  the judge, on every connection")
		n++
	}
	for _, e := range census {
		if slices.Contains(e.Clauses, c.ID) {
			fmt.Fprintf(out, "  %s\n", e.ID)
			n++
		}
	}
	for _, p := range prove.Permitted() {
		if p.Clause == c.ID {
			fmt.Fprintf(out, "  the proof that %s is allowed\n", p.By)
			defer fmt.Fprintf(out, "\nProve it: nbdconform prove --all %s\n", p.Subject)
			shown = true
		}
	}
	if n == 0 {
		if !shown {
			fmt.Fprintln(out, "  nothing yet")
		}
		return
	}
	fmt.Fprintf(out, "\nRun them: nbdconform %s --filter %s\n", commandFor(c.Side), c.ID)
}

func explainSpec(out io.Writer, e conformance.Listing) {
	fmt.Fprintf(out, "%s\n%s\n  %s, %s\n", e.ID, console.Wrap(e.Name, "  "), e.Level, e.Location)
	fmt.Fprintln(out, "\nJudges:")
	for _, id := range e.Clauses {
		if c, ok := clause.Get(id); ok {
			fmt.Fprintf(out, "  %s\n%s\n", id, console.Wrap(c.Requires, "    "))
		}
	}
	for _, t := range e.Trips {
		fmt.Fprintf(out, "\nProven by the quirk %s, with\n%s\n", t.Quirk.Name, console.Wrap(strconv.Quote(t.Text), "  "))
	}
	fmt.Fprintf(out, "\nRun it: nbdconform %s --filter %s\n", commandFor(e.Side()), e.ID)
}

// commandFor is the command that judges a side.
func commandFor(s clause.Side) string {
	if s == clause.Client {
		return "clients"
	}
	return "run"
}

// suggest lists ids that contain what was asked for.
func suggest(name string, census []conformance.Listing) string {
	var near []string
	for _, c := range clause.All() {
		if strings.Contains(string(c.ID), name) {
			near = append(near, string(c.ID))
		}
	}
	for _, e := range census {
		if strings.Contains(e.ID, name) {
			near = append(near, e.ID)
		}
	}
	if len(near) == 0 {
		return " (see nbdconform list)"
	}
	return ": did you mean " + strings.Join(near[:min(5, len(near))], ", ") + "?"
}
