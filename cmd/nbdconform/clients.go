package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/caller/inprocess"
	clientspecs "nbdconform/conformance/clients"
	"nbdconform/conformance/encounter"
	"nbdconform/containers"
	"nbdconform/containers/clients"
	"nbdconform/reports/evidence"
	"nbdconform/reports/render"
	"nbdconform/reports/result"
)

// clientOrder says which client program to judge, and how.
type clientOrder struct {
	Program  string
	Provider string
	Suite    string
	Quirk    string
	Filter   string
	Seed     int64
	Timeout  time.Duration
	Does     string
	Command  []string
}

// clientPatience is how long a program may take for a visit, unless told otherwise.
const clientPatience = 20 * time.Second

func clientsCommand() *cobra.Command {
	var o clientOrder
	var out string
	var verbose bool
	c := &cobra.Command{
		Use:   "clients [flags] [-- COMMAND ...]",
		Short: "Judge a client program",
		Long: `Clients has a client program visit the reference server, which behaves in ways
that the document allows, and in some that it does not, and judges what the
program sends, and whether what it reports is true.

The program is the reference client in this process, one of which is known
what it can do, in a container or on PATH, or any command: behind --, where
{uri} stands for the NBD URI to connect to, or {socket} for the Unix socket
alone. --does says what the command does: "visit" is to connect, do something
and exit with status 0; "copy-out" and "copy-in" are to copy all of the export
to or from {file}; see nbdconform list --clients for the others.

Exit status: 0 the client conforms (a broken SHOULD alone counts as that),
1 it does not, 2 the run itself is not to be trusted.`,
		Example: `  nbdconform clients
  nbdconform clients --program nbdcopy --suite trixie
  nbdconform clients --program qemu-img --provider local
  nbdconform clients --program nbdinfo --filter chunk.inconsistent
  nbdconform clients -- nbdinfo --size {uri}
  nbdconform clients --does copy-out -- nbdcopy {uri} {file}`,
		Args: func(c *cobra.Command, args []string) error {
			if c.ArgsLenAtDash() != 0 && len(args) > 0 {
				return fmt.Errorf("unexpected argument %q: a command to run goes behind --", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.Command = args
			if err := o.check(c); err != nil {
				return err
			}
			out := cmp.Or(out, filepath.Join("reports", "out", o.name()))
			release, err := hold(out)
			if err != nil {
				return err
			}
			defer release()
			r, err := supervise(c.Context(), o.order(out), newDisplay(os.Stderr, verbose))
			if err != nil {
				_ = evidence.Discard(out)
				return err
			}
			files, unwritten := publish(out, r)
			if err := render.Terminal(os.Stdout, r, term.IsTerminal(int(os.Stdout.Fd()))); err != nil {
				return err
			}
			if unwritten != nil {
				return unwritten
			}
			fmt.Printf("Written: %s\n", relative(files))
			if status := r.Exit(); status != exitConforms {
				return &exitError{status: status}
			}
			return nil
		},
	}
	f := c.Flags()
	f.StringVar(&o.Program, "program", "", "what to test: reference (default) or one of nbdconform list --clients")
	f.StringVar(&o.Provider, "provider", containers.Container, "container, or local: the program on PATH")
	f.StringVar(&o.Suite, "suite", containers.DefaultRelease, "Debian suite of the container: bullseye, bookworm, trixie or sid")
	f.StringVar(&o.Quirk, "quirk", "", "make the reference client misbehave (see nbdconform list --clients)")
	f.StringVar(&o.Does, "does", string(caller.Visit), "what the command behind -- does")
	f.StringVar(&o.Filter, "filter", "", "run a part: a spec's id, a clause's id, or a label filter")
	f.Int64Var(&o.Seed, "seed", 1, "order of the specs")
	f.DurationVar(&o.Timeout, "timeout", clientPatience, "until a program that does not end counts as hanging")
	f.StringVar(&out, "out", "", "directory for the reports (default reports/out/client-PROGRAM)")
	f.BoolVar(&verbose, "verbose", false, "print a line for every spec as it ends")
	return c
}

// check refuses orders that make no sense.
func (o *clientOrder) check(c *cobra.Command) error {
	switch {
	case c.Flags().Changed("does") && len(o.Command) == 0:
		return fmt.Errorf("--does %s says what a command behind -- does, and there is none", o.Does)
	case !slices.Contains(caller.Activities, caller.Activity(o.Does)):
		return fmt.Errorf("--does %s: use one of %s", o.Does, join(caller.Activities))
	case o.Timeout <= 0:
		return fmt.Errorf("--timeout %v: it has to be positive", o.Timeout)
	}
	return o.checkProgram()
}

// checkProgram finds what can be said to be wrong with the choice of a program.
func (o *clientOrder) checkProgram() error {
	named := o.Program != "" && o.Program != reference
	switch {
	case o.Program != "" && len(o.Command) > 0:
		return fmt.Errorf("%s and a command behind --: which is it?", o.Program)
	case o.Quirk != "" && (named || len(o.Command) > 0):
		return fmt.Errorf("--quirk %s is for the reference client", o.Quirk)
	case o.Provider != containers.Container && o.Provider != containers.Local:
		return fmt.Errorf("unknown provider %q: use %s or %s", o.Provider, containers.Container, containers.Local)
	case !slices.Contains(suiteNames(), o.Suite):
		return fmt.Errorf("unknown suite %q: use one of %s", o.Suite, strings.Join(suiteNames(), ", "))
	case o.Timeout < 0:
		return fmt.Errorf("--timeout %v can't be negative", o.Timeout)
	}
	if named {
		_, err := clients.Find(o.Program)
		return err
	}
	return nil
}

func join[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, w := range list {
		words[i] = string(w)
	}
	return strings.Join(words, ", ")
}

// name is that of the reports' directory.
func (o *clientOrder) name() string {
	if len(o.Command) > 0 {
		return "client-" + filepath.Base(o.Command[0])
	}
	name := "client-" + cmp.Or(o.Program, reference)
	if o.Program != "" && o.Program != reference && o.Provider == containers.Container {
		name += "-" + o.Suite
	}
	return name
}

// order is the whole order, with evidence below a directory.
func (o *clientOrder) order(evidence string) order {
	return order{Target: cmp.Or(o.Program, reference), Filter: o.Filter, Seed: o.Seed, Evidence: evidence, Client: o}
}

// open opens the program.
func (o *clientOrder) open(ctx context.Context, progress func(string)) (caller.Caller, error) {
	switch {
	case len(o.Command) > 0:
		return clients.Command(o.Command, caller.Activity(o.Does))
	case o.Program == "" || o.Program == reference:
		return inprocess.Open(o.Quirk)
	}
	return clients.Open(ctx, clients.Request{Program: o.Program, Provider: o.Provider, Release: o.Suite, Progress: progress})
}

// reproduce is the command that runs a part again.
func (o *clientOrder) reproduce(filter string) string {
	words := []string{"nbdconform", "clients"}
	add := func(flag, value, normal string) {
		if value != normal {
			words = append(words, "--"+flag, quote(value))
		}
	}
	add("program", o.Program, "")
	if o.Program != "" && o.Program != reference {
		add("provider", o.Provider, containers.Container)
		if o.Provider == containers.Container {
			words = append(words, "--suite", o.Suite)
		}
	}
	add("quirk", o.Quirk, "")
	add("filter", filter, "")
	if len(o.Command) > 0 {
		add("does", o.Does, string(caller.Visit))
		words = append(words, "--")
		for _, w := range o.Command {
			words = append(words, quote(w))
		}
	}
	return strings.Join(words, " ")
}

// trial opens the program and runs the suite on it, in the child.
func (o *clientOrder) trial(ctx context.Context, whole order, tell *teller) error {
	all, err := clientspecs.List(o.Filter)
	if err != nil {
		return err
	}
	var planned []result.Spec
	for _, e := range all {
		if e.Run {
			planned = append(planned, e.Result())
		}
	}
	if len(planned) == 0 {
		return fmt.Errorf("the filter %q matches none of %d specs: nothing was tested (see nbdconform list --clients)", o.Filter, len(all))
	}
	program, err := o.open(ctx, func(s string) { tell.tell(event{Progress: s}) })
	if err != nil {
		return err
	}
	defer func() { _ = program.Close() }()
	subject, err := encounter.Discover(ctx, program, encounter.Options{Timeout: o.Timeout, Record: whole.Evidence != ""})
	if err != nil {
		return err
	}
	return whole.round(ctx, subject, planned, tell)
}
