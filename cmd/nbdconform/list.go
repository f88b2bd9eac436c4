package main

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/cmd/nbdconform/internal/peer"
	"nbdconform/cmd/nbdconform/internal/serve"
	"nbdconform/conformance"
	"nbdconform/conformance/clause"
	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/containers"
	"nbdconform/containers/clients"
	clientquirk "nbdconform/reference/quirk/client"
	serverquirk "nbdconform/reference/quirk/server"
	"nbdconform/reports/render/words"
)

func listCommand() *cobra.Command {
	var quirks, profiles, asJSON, ofClients bool
	var filter string
	var p peer.Peer
	c := &cobra.Command{
		Use:   "list [URI]",
		Short: "List specs, targets, quirks, or the exports of a server",
		Example: `  nbdconform list
  nbdconform list nbd://localhost:10809
  nbdconform list --filter 'level: containsAny SHOULD'
  nbdconform list --profiles
  nbdconform list --quirks
  nbdconform list --clients`,
		Args: arguments(0, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if err := oneList(c.Flags(), args); err != nil {
				return err
			}
			out := c.OutOrStdout()
			switch {
			case len(args) > 0:
				return listExports(c.Context(), out, p, args[0], asJSON)
			case quirks:
				return listQuirks(out)
			case ofClients:
				return listClients(out, filter)
			case profiles:
				return listProfiles(out)
			}
			return listSpecs(out, filter)
		},
	}
	peerFlags(&p, c.Flags())
	c.Flags().BoolVar(&asJSON, "json", false, "print the exports as JSON")
	c.Flags().BoolVar(&quirks, "quirks", false, "list the misbehaviours of the reference server")
	c.Flags().BoolVar(&profiles, "profiles", false, "list the targets and how they can be set up")
	c.Flags().BoolVar(&ofClients, "clients", false, "list the specs for clients, client programs and the quirks of the reference client")
	c.Flags().StringVar(&filter, "filter", "", "only the specs that match, as in nbdconform run")
	return c
}

// oneList refuses flags that would have no effect on the list that is asked for.
func oneList(f *pflag.FlagSet, args []string) error {
	given := func(names ...string) []string { return serve.Changed(f, names...) }
	lists := given("quirks", "profiles", "clients")
	of := given("json", "timeout", "simple-replies", "compact-headers")
	switch filter := given("filter"); {
	case len(args) > 0 && len(lists)+len(filter) > 0:
		return fmt.Errorf("%s can't be given with a URI, whose exports are listed", strings.Join(append(lists, filter...), ", "))
	case len(args) == 0 && len(of) > 0:
		return fmt.Errorf("%s goes with the URI of a server: nbdconform list URI", strings.Join(of, ", "))
	case len(lists) > 1:
		return fmt.Errorf("give one of %s: each is a list of its own", strings.Join(lists, ", "))
	case len(filter) > 0 && len(given("quirks", "profiles")) > 0:
		return fmt.Errorf("--filter can't be given with %s: it is about specs", lists[0])
	}
	return nil
}

func listSpecs(out io.Writer, filter string) error {
	all, err := conformance.List(clause.Server, filter)
	if err != nil {
		return err
	}
	return printSpecs(out, all, filter)
}

func printSpecs(out io.Writer, list []conformance.Listing, filter string) error {
	n := 0
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, e := range list {
		if e.Run {
			fmt.Fprintf(w, "%s\t%s\t%s\n", e.Level, e.ID, e.Clauses[0])
			n++
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if n == 0 {
		return fmt.Errorf("the filter %q matches none of %d specs", filter, len(list))
	}
	fmt.Fprintln(out, words.Count(n, "spec", "specs"))
	return nil
}

// listClients lists all there is about clients; with a filter, the specs alone.
func listClients(out io.Writer, filter string) error {
	all, err := conformance.List(clause.Client, filter)
	if err != nil {
		return err
	}
	if err := printSpecs(out, all, filter); err != nil || filter != "" {
		return err
	}
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "\nprograms and what they do:\n%s\t%s\n", job.Reference, job.Join(subject.Operations))
	for _, p := range clients.Programs {
		var can []subject.Operation
		for _, a := range subject.Operations {
			if p.Can(a, subject.NoTLS) {
				can = append(can, a)
			}
		}
		fmt.Fprintf(w, "%s\t%s\n", p.Name, job.Join(can))
	}
	fmt.Fprintf(w, "\nquirks of the reference client:\n")
	for _, q := range clientquirk.All() {
		what := strings.TrimSuffix("allowed: "+strings.Join(q.Permitted, " "), ": ")
		if !q.Allowed {
			what = q.Breaks
		}
		fmt.Fprintf(w, "%s\t%s\n", q.Name, what)
	}
	return w.Flush()
}

func listQuirks(out io.Writer) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, q := range serverquirk.All() {
		what := strings.TrimSuffix("allowed: "+strings.Join(q.Permitted, " "), ": ")
		if !q.Allowed {
			what = q.Breaks
		}
		fmt.Fprintf(w, "%s\t%s\n", q.Name, what)
	}
	return w.Flush()
}

// listProfiles names the profiles of every target; after a semicolon those
// that a matrix leaves out unless it is asked for all.
func listProfiles(out io.Writer) error {
	var b bytes.Buffer
	wrapped(&b, job.Reference, referenceserver.Profiles(), nil)
	for _, t := range containers.Targets() {
		more := slices.DeleteFunc(slices.Clone(t.Profiles), func(p string) bool { return slices.Contains(t.Representative, p) })
		wrapped(&b, t.Name, t.Representative, more)
	}
	_, err := b.WriteTo(out)
	return err
}

// wrapped prints names within the width of a terminal.
func wrapped(out io.Writer, title string, names, more []string) {
	const width, indent = 78, 13
	line := fmt.Sprintf("%-*s", indent-1, title)
	for i, n := range slices.Concat(names, more) {
		if i == len(names)-1 && len(more) > 0 {
			n += ";"
		}
		if len(line)+1+len(n) > width {
			fmt.Fprintln(out, line)
			line = strings.Repeat(" ", indent-1)
		}
		line += " " + n
	}
	fmt.Fprintln(out, line)
}
