package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/campaigns"
	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/runs"
	"nbdconform/containers"
	"nbdconform/reports/fuzzing"
	"nbdconform/reports/render"
)

func fuzzCommand() *cobra.Command {
	o := campaigns.Request{Version: version()}
	c := &cobra.Command{
		Use:   "fuzz [flags] [-- COMMAND ...]",
		Short: "Fuzz a server or a client",
		Long: `Fuzz runs scripts on a server for as long as it is told to: valid, nearly valid
and hostile ones, over several connections, made at random and mutated from
those that got somewhere new. The judge, a model of the contents and a look at
the server from outside say what is wrong. What is found is run again on a fresh
server, shrunk, and kept in DIR/findings: as a script for nbdconform replay,
and as a stand-alone Python program.

With --against every script runs on two servers, and what they answer
differently is listed. With --client a client program uses a server that
misbehaves at random, by fault scripts that are kept and replayed too. With
--does the command after -- is such a client.

--target all, --profile all fuzz every server, or profile, one after the other.

A campaign that is stopped, by a signal too, continues when the same command is
given again: for what was left of --time, or for as long again.

Exit status: 0 nothing was found, 1 something was, 2 it can't be trusted: no
script was run, or the target can't be reached.`,
		Example: `  nbdconform fuzz --time 1m
  nbdconform fuzz --quirk write-misplaced --time 10s
  nbdconform fuzz --target qemu-nbd --release trixie --time 10m
  nbdconform fuzz --target all --time 1h --baseline containers/known \
    --baseline containers/known/fuzz
  nbdconform fuzz --uri nbd://localhost/disk --destructive
  nbdconform fuzz --target nbdkit --corpus said.pcapng
  nbdconform fuzz --target nbdkit --against nbdkit:trixie
  nbdconform fuzz --client nbdcopy --release trixie
  nbdconform fuzz --does copy-out -- ./my-client {uri} {file}
  nbdconform fuzz --target nbdkit --shard 0/4 --dir /tmp/s0
  nbdconform fuzz -- ./my-server --socket {socket}`,
		Args: func(c *cobra.Command, args []string) error {
			if c.ArgsLenAtDash() != 0 && len(args) > 0 {
				return fmt.Errorf("unexpected argument %q: a command to start goes after --", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.Command = args
			if err := o.Check(); err != nil {
				return err
			}
			if o.Sweeps() {
				return fuzzSweep(c.Context(), o)
			}
			release, err := runs.Hold(o.Directory())
			if err != nil {
				return err
			}
			defer release()
			r, err := o.Run(c.Context(), console.NewCampaign(os.Stderr))
			if err != nil {
				return err
			}
			return reportCampaign(r, o.Directory())
		},
	}
	f := c.Flags()
	f.StringVar(&o.Target, "target", "", "what to fuzz: reference (default), qemu-nbd, nbdkit, nbd-server, all or uri:URI")
	f.StringVar(&o.URI, "uri", "", "fuzz the server at this NBD URI")
	f.StringVar(&o.Provider, "provider", containers.Container, "container, or local: the program on PATH")
	f.StringVar(&o.Release, "release", containers.DefaultRelease, "Debian release of the container")
	f.StringVar(&o.Profile, "profile", "", "how the server is set up (see nbdconform list --profiles), or all")
	f.StringVar(&o.Quirk, "quirk", "", "make the reference misbehave (see nbdconform list --quirks, --clients)")
	f.BoolVar(&o.Destructive, "destructive", false, "let the scripts write to the server at --uri")
	f.StringVar(&o.Against, "against", "", "compare with this: TARGET, TARGET:RELEASE or uri:URI")
	f.StringVar(&o.Program, "client", "", "fuzz a client: reference, or one of nbdconform list --clients")
	f.StringVar(&o.Does, "does", "", "fuzz the command after -- as a client, which does this, such as copy-out")
	f.DurationVar(&o.Time, "time", time.Minute, "for how long, in all")
	f.Uint64Var(&o.Seed, "seed", 1, "of the inputs")
	f.StringVar(&o.Shard, "shard", "", "run part I of N, as I/N with I from 0; I of JOB_COMPLETION_INDEX: /N")
	f.StringVar(&o.Dir, "dir", "", "directory of the campaign (default reports/out/fuzz-TARGET)")
	f.StringArrayVar(&o.Corpus, "corpus", nil, "start from these scripts and captures: a file, a directory or a bundle")
	f.StringArrayVar(&o.Baselines, "baseline", nil, "known failures, whose clauses are only counted: a file or a directory")
	f.DurationVar(&o.Patience, "patience", 2*time.Second, "until something that is due counts as missing")
	return c
}

// fuzzSweep fuzzes several targets or profiles.
func fuzzSweep(ctx context.Context, o campaigns.Request) error {
	dir := o.SweepDirectory()
	release, err := runs.Hold(dir)
	if err != nil {
		return err
	}
	defer release()
	status, err := campaigns.Sweep(ctx, o, os.Stdout, os.Stderr, func() console.Campaign { return console.NewCampaign(os.Stderr) })
	if err == nil && status != exitConforms {
		err = &exitError{status: status}
	}
	return err
}

// reportCampaign prints the result of a campaign and ends with its status.
func reportCampaign(r fuzzing.Record, dir string) error {
	if err := render.CampaignPage(dir, r); err != nil {
		return err
	}
	if err := render.CampaignTerminal(os.Stdout, r); err != nil {
		return err
	}
	fmt.Printf("Written: %s\n", filepath.Join(dir, "{"+fuzzing.File+",index.html,corpus,findings}"))
	if status := r.Exit(); status != exitConforms {
		return &exitError{status: status}
	}
	return nil
}
