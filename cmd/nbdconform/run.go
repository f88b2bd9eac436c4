package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/cmd/nbdconform/internal/runs"
	"nbdconform/containers"
	"nbdconform/reference/wire"
	"nbdconform/reports/evidence"
	"nbdconform/reports/render"
)

func runCommand() *cobra.Command {
	var o job.Job
	var out, export string
	var verbose bool
	c := &cobra.Command{
		Use:   "run [flags] [-- COMMAND ...]",
		Short: "Judge a server",
		Long: `Run tests a server against the specs and writes reports.

The server is the reference server in this process, a program in a container
or on PATH, one at an address, or one that is started by a command: after --,
where {socket} or {port} stand for where it listens.

A server at an address is only read from, unless --destructive is given:
then the specs write all over the export.

Exit status: 0 the server conforms (a broken SHOULD alone counts as that),
1 it does not, 2 the run is invalid.`,
		Example: `  nbdconform run
  nbdconform run --target nbdkit --release trixie --profile read-only
  nbdconform run --target qemu-nbd --provider local
  nbdconform run --uri nbd://localhost:10809/disk --destructive
  nbdconform run --filter 'level: containsAny MUST && !writes'
  nbdconform run --filter cmd.disc.close --out /tmp/disc
  nbdconform run -- nbdkit -f -U {socket} memory 64M`,
		Args: func(c *cobra.Command, args []string) error {
			if c.ArgsLenAtDash() != 0 && len(args) > 0 {
				return fmt.Errorf("unexpected argument %q: a command to start goes after --", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.Command = args
			if c.Flags().Changed("export") {
				o.Export = &export
			}
			if err := o.Check(); err != nil {
				return err
			}
			return judge(c.Context(), o, cmp.Or(out, filepath.Join("reports", "out", o.Name())), verbose)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Target, "target", "", "what to test: reference (default), qemu-nbd, nbdkit, nbd-server or uri:URI")
	f.StringVar(&o.URI, "uri", "", "test the server at this NBD URI")
	f.StringVar(&o.Provider, "provider", containers.Container, "container, or local: the program on PATH")
	f.StringVar(&o.Release, "release", containers.DefaultRelease, "Debian release of the container: bullseye, bookworm, trixie or sid")
	f.StringVar(&o.Profile, "profile", "", "how the server is set up (see nbdconform list --profiles)")
	f.StringVar(&o.Quirk, "quirk", "", "make the reference server misbehave (see nbdconform list --quirks)")
	f.StringVar(&o.Dialect, "dialect", "", "draft that the server at --uri, or of the command, speaks:\n"+strings.Join(wire.Dialects()[1:], " or "))
	f.StringVar(&export, "export", "", "export to test (default: found by asking)")
	f.BoolVar(&o.Destructive, "destructive", false, "let the specs write to the server at --uri")
	f.StringVar(&o.Filter, "filter", "", "run a part: a spec's id, a clause's id, or a label filter")
	f.Int64Var(&o.Seed, "seed", 1, "order of the specs")
	f.DurationVar(&o.Timeout, "timeout", time.Duration(0), "until no reply counts as a hang (default: by the round trip)")
	f.StringVar(&out, "out", "", "directory for the reports (default reports/out/TARGET)")
	f.BoolVar(&verbose, "verbose", false, "print a line for every spec as it ends")
	return c
}

// judge runs a job, writes its reports below a directory and prints the result.
func judge(ctx context.Context, j job.Job, out string, verbose bool) error {
	release, err := runs.Hold(out)
	if err != nil {
		return err
	}
	defer release()
	j.EvidenceDir = out
	r, err := jobRunner().Run(ctx, j, console.NewRun(os.Stderr, verbose))
	if err != nil {
		_ = evidence.Discard(out)
		return err
	}
	files, unwritten := runs.Publish(out, r)
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
}

// relative shortens paths to the working directory where that is shorter.
func relative(files []string) string {
	if len(files) == 0 {
		return "nothing"
	}
	dir := filepath.Dir(files[0])
	text := dir + string(filepath.Separator) + "{"
	for i, f := range files {
		if i > 0 {
			text += ","
		}
		text += filepath.Base(f)
	}
	return text + "}"
}
