package main

import (
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/conformance/prove"
)

func proveCommand() *cobra.Command {
	var all bool
	var side string
	c := &cobra.Command{
		Use:   "prove [NAME]",
		Short: "Show that every spec can fail, and that a good server passes",
		Long: `Prove runs the specs against the reference server, and those for clients
against the reference client, with each of their quirks. A quirk that breaks a
clause must be noticed by the specs that claim it, with the text that they
state; a quirk that the document allows, and the server and the client without
quirks, must pass everything.

With NAME only the quirks and profiles whose name contains it.`,
		Example: "  nbdconform prove\n  nbdconform prove --all fast-zero\n  nbdconform prove --side client",
		Args:    arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			match := ""
			if len(args) > 0 {
				match = args[0]
			}
			sides, ok := map[string]prove.Sides{
				"": {Servers: true, Clients: true}, "server": {Servers: true}, "client": {Clients: true},
			}[side]
			if !ok {
				return fmt.Errorf("there is no side %q: use server or client", side)
			}
			progress := console.Counter(os.Stderr, "proving")
			start := time.Now()
			proofs, err := prove.Run(c.Context(), sides, match, progress)
			if err != nil {
				return err
			}
			if len(proofs) == 0 {
				return fmt.Errorf("no quirk and no profile has %q in its name: nothing was proven", match)
			}
			return printProofs(c, proofs, all, time.Since(start))
		},
	}
	c.Flags().BoolVar(&all, "all", false, "print every line of the matrix, not the failed ones alone")
	c.Flags().StringVar(&side, "side", "", "server or client (default both)")
	return c
}

func printProofs(c *cobra.Command, proofs []prove.Proof, all bool, took time.Duration) error {
	out := c.OutOrStdout()
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	held, killed, passed := 0, 0, 0
	for _, p := range proofs {
		if p.Holds {
			held++
			if p.By == "" {
				passed++
			} else {
				killed++
			}
			if all {
				fmt.Fprintf(w, "ok\t%s\t%s\n", p.Subject, p.By)
			}
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	for _, p := range proofs {
		if !p.Holds {
			fmt.Fprintf(out, "FAILED %s %s\n%s\n", p.Subject, p.By, console.Indented(p.Detail))
		}
	}
	fmt.Fprintf(out, "%d proofs hold, %d failed: %d kills, %d that must pass, in %.1f s\n",
		held, len(proofs)-held, killed, passed, took.Seconds())
	if held < len(proofs) {
		return &exitError{status: exitViolates}
	}
	return nil
}
