package main

import (
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"nbdconform/conformance/servers"
	"nbdconform/conformance/target/inprocess"
	"nbdconform/containers"
	"nbdconform/reference/quirk"
)

func listCommand() *cobra.Command {
	var quirks, profiles, asJSON bool
	var filter string
	var p peer
	c := &cobra.Command{
		Use:   "list [URI]",
		Short: "List specs, targets, quirks, or the exports of a server",
		Example: `  nbdconform list
  nbdconform list nbd://localhost:10809
  nbdconform list --filter 'level: containsAny SHOULD'
  nbdconform list --profiles
  nbdconform list --quirks`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			out := c.OutOrStdout()
			switch {
			case len(args) > 0:
				return listExports(c.Context(), out, p, args[0], asJSON)
			case quirks:
				return listQuirks(out)
			case profiles:
				return listProfiles(out)
			}
			return listSpecs(out, filter)
		},
	}
	p.flags(c.Flags())
	c.Flags().BoolVar(&asJSON, "json", false, "print the exports as JSON")
	c.Flags().BoolVar(&quirks, "quirks", false, "list the misbehaviours of the reference server")
	c.Flags().BoolVar(&profiles, "profiles", false, "list the targets and how they can be set up")
	c.Flags().StringVar(&filter, "filter", "", "only the specs that match, as in nbdconform run")
	return c
}

func listSpecs(out io.Writer, filter string) error {
	census, err := servers.Census(filter)
	if err != nil {
		return err
	}
	n := 0
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range census {
		if e.Run {
			fmt.Fprintf(w, "%s\t%s\t%s\n", e.Level, e.ID, e.Clauses[0])
			n++
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("the filter %q matches none of %d specs", filter, len(census))
	}
	fmt.Fprintln(out, countOf(n))
	return nil
}

func listQuirks(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, q := range quirk.All() {
		what := "allowed"
		if !q.Allowed {
			what = q.Breaks
		}
		fmt.Fprintf(w, "%s\t%s\n", q.Name, what)
	}
	return w.Flush()
}

func listProfiles(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "%s\t%s\n", reference, strings.Join(inprocess.Profiles(), " "))
	for _, t := range containers.Targets() {
		fmt.Fprintf(w, "%s\t%s\n", t.Name, strings.Join(t.Profiles, " "))
	}
	return w.Flush()
}
