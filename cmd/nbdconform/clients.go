package main

import (
	"cmp"
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/conformance/subject"
	"nbdconform/containers"
)

func clientsCommand() *cobra.Command {
	var o job.Client
	var out string
	var verbose bool
	c := &cobra.Command{
		Use:   "clients [flags] [-- COMMAND ...]",
		Short: "Judge a client program",
		Long: `Clients has a client program connect to the reference server, which behaves in
ways that the specification allows, and in some that it does not, and judges
what the program sends, and whether what it reports is true.

The program is the reference client in this process, one of which is known
what it can do, in a container or on PATH, or any command: after --, where
{uri} stands for the NBD URI to connect to, or {socket} for the Unix socket
alone. --does says what the command does: "visit" is to connect, do something
and exit with status 0; "copy-out" and "copy-in" are to copy all of the export
to or from {file}; see nbdconform list --clients for the others.

Exit status: 0 the client conforms (a broken SHOULD alone counts as that),
1 it does not, 2 the run is invalid.`,
		Example: `  nbdconform clients
  nbdconform clients --program nbdcopy --release trixie
  nbdconform clients --program qemu-img --provider local
  nbdconform clients --program nbdinfo --filter chunk.inconsistent
  nbdconform clients -- nbdinfo --size {uri}
  nbdconform clients --does copy-out -- nbdcopy {uri} {file}`,
		Args: func(c *cobra.Command, args []string) error {
			if c.ArgsLenAtDash() != 0 && len(args) > 0 {
				return fmt.Errorf("unexpected argument %q: a command to run goes after --", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.Command = args
			if err := o.Check(c.Flags().Changed("does")); err != nil {
				return err
			}
			return judge(c.Context(), o.Job(""), cmp.Or(out, filepath.Join("reports", "out", o.Name())), verbose)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Program, "program", "", "what to test: reference (default) or one of nbdconform list --clients")
	f.StringVar(&o.Provider, "provider", containers.Container, "container, or local: the program on PATH")
	f.StringVar(&o.Release, "release", containers.DefaultRelease, "Debian release of the container: bullseye, bookworm, trixie or sid")
	f.StringVar(&o.Quirk, "quirk", "", "make the reference client misbehave (see nbdconform list --clients)")
	f.StringVar(&o.Does, "does", string(subject.Visit), "what the command after -- does")
	f.StringVar(&o.Filter, "filter", "", "run a part: a spec's id, a clause's id, or a label filter")
	f.Int64Var(&o.Seed, "seed", 1, "order of the specs")
	f.DurationVar(&o.Timeout, "timeout", job.ClientTimeout, "until a program that does not end counts as hanging")
	f.StringVar(&out, "out", "", "directory for the reports (default reports/out/client-PROGRAM)")
	f.BoolVar(&verbose, "verbose", false, "print a line for every spec as it ends")
	return c
}
