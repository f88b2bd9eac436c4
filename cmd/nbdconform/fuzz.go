package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nbdconform/containers"
	"nbdconform/reports/fuzzing"
	"nbdconform/reports/render"
)

// A fuzzOrder is all that a campaign, or a sweep of them, depends on.
type fuzzOrder struct {
	order
	Against   string
	Client    string
	Does      string
	Time      time.Duration
	Seed      uint64
	Shard     string
	Dir       string
	Corpus    []string
	Baselines []string
	Patience  time.Duration

	shard, shards int
}

// allTargets stands for every server that package containers knows.
const allTargets = "all"

func fuzzCommand() *cobra.Command {
	var o fuzzOrder
	c := &cobra.Command{
		Use:   "fuzz [flags] [-- COMMAND ...]",
		Short: "Fuzz a server or a client",
		Long: `Fuzz runs scripts on a server for as long as it is told to: valid, nearly valid
and hostile ones, over several connections, made at random and mutated from
those that got somewhere new. The judge, a model of the contents and a look at
the server from outside say what is wrong. What is found is run again on a fresh
server, made short, and kept in DIR/findings: as a script for nbdconform replay,
and as a stand-alone Python program.

With --against every script runs on two servers, and what they answer
differently is listed. With --client a client program visits a server that
misbehaves at random, in moves that are kept and replayed as scripts are. With
--does the command behind -- is such a client.

--target all, --profile all fuzz every server, or profile, in turns.

A campaign that is stopped, by a signal too, goes on when the same command is
given again: for what was left of --time, or for as long again.

Exit status: 0 nothing was found, 1 something was, 2 it can't be trusted: no
script was run, or the target can't be reached.`,
		Example: `  nbdconform fuzz --time 1m
  nbdconform fuzz --quirk write-misplaced --time 10s
  nbdconform fuzz --target qemu-nbd --suite trixie --time 10m
  nbdconform fuzz --target all --time 1h --baseline containers/known \
    --baseline containers/known/fuzz
  nbdconform fuzz --uri nbd://localhost/disk --destructive
  nbdconform fuzz --target nbdkit --corpus said.pcapng
  nbdconform fuzz --target nbdkit --against nbdkit:trixie
  nbdconform fuzz --client nbdcopy --suite trixie
  nbdconform fuzz --does copy-out -- ./my-client {uri} {file}
  nbdconform fuzz --target nbdkit --shard 0/4 --dir /tmp/s0
  nbdconform fuzz -- ./my-server --socket {socket}`,
		Args: func(c *cobra.Command, args []string) error {
			if c.ArgsLenAtDash() != 0 && len(args) > 0 {
				return fmt.Errorf("unexpected argument %q: a command to start goes behind --", args[0])
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			o.Command = args
			if err := o.check(); err != nil {
				return err
			}
			if o.Target == allTargets || o.Profile == allProfiles {
				return o.sweep(c.Context())
			}
			release, err := hold(o.dir())
			if err != nil {
				return err
			}
			defer release()
			if o.client() {
				r, err := o.fuzzClient(c.Context(), newFuzzDisplay(os.Stderr))
				if err != nil {
					return err
				}
				return o.report(r)
			}
			r, err := o.campaign(c.Context(), newFuzzDisplay(os.Stderr))
			if err != nil {
				return err
			}
			return o.report(r)
		},
	}
	f := c.Flags()
	f.StringVar(&o.Target, "target", "", "what to fuzz: reference (default), qemu-nbd, nbdkit, nbd-server, all or uri:URI")
	f.StringVar(&o.URI, "uri", "", "fuzz the server at this NBD URI")
	f.StringVar(&o.Provider, "provider", containers.Container, "container, or local: the program on PATH")
	f.StringVar(&o.Suite, "suite", containers.DefaultRelease, "Debian suite of the container")
	f.StringVar(&o.Profile, "profile", "", "how the server is set up (see nbdconform list --profiles), or all")
	f.StringVar(&o.Quirk, "quirk", "", "make the reference misbehave (see nbdconform list --quirks, --clients)")
	f.BoolVar(&o.Destructive, "destructive", false, "let the scripts write to the server at --uri")
	f.StringVar(&o.Against, "against", "", "compare with this: TARGET, TARGET:SUITE or uri:URI")
	f.StringVar(&o.Client, "client", "", "fuzz a client: reference, or one of nbdconform list --clients")
	f.StringVar(&o.Does, "does", "", "fuzz the command behind -- as a client, which does this, such as copy-out")
	f.DurationVar(&o.Time, "time", time.Minute, "for how long, in all")
	f.Uint64Var(&o.Seed, "seed", 1, "of the inputs")
	f.StringVar(&o.Shard, "shard", "", "run part I of N, as I/N with I from 0; I of JOB_COMPLETION_INDEX: /N")
	f.StringVar(&o.Dir, "dir", "", "directory of the campaign (default reports/out/fuzz-TARGET)")
	f.StringArrayVar(&o.Corpus, "corpus", nil, "start from these scripts and captures: a file, a directory or a bundle")
	f.StringArrayVar(&o.Baselines, "baseline", nil, "known failures, whose clauses are only counted: a file or a directory")
	f.DurationVar(&o.Patience, "patience", 2*time.Second, "until something that is due counts as missing")
	return c
}

// check finds what can be said to be wrong without starting anything.
func (o *fuzzOrder) check() error {
	if o.Time <= 0 || o.Patience <= 0 {
		return errors.New("--time and --patience have to be positive")
	}
	if err := o.parseShard(); err != nil {
		return err
	}
	if o.client() {
		return o.checkClient()
	}
	plain := o.order
	if plain.Target == allTargets {
		plain.Target = ""
		if plain.URI != "" || len(plain.Command) > 0 || o.Quirk != "" {
			return errors.New("--target all goes with neither --uri, --quirk nor a command")
		}
	}
	if plain.Profile == allProfiles {
		if plain.URI != "" || len(plain.Command) > 0 {
			return errors.New("--profile all goes with --target")
		}
		plain.Profile = ""
	}
	sweeps := plain.Target != o.Target || plain.Profile != o.Profile
	if sweeps && (o.Against != "" || o.Shard != "") {
		return errors.New("--against and --shard go with one target in one profile")
	}
	if err := plain.check(); err != nil {
		return err
	}
	if !sweeps {
		o.order = plain
	} else if o.Target != allTargets {
		o.Target = plain.Target
	}
	if o.Against != "" {
		_, err := o.other()
		return err
	}
	return nil
}

var shardForm = regexp.MustCompile(`^(\d*)/(\d+)$`)

// parseShard reads --shard. In an indexed job of Kubernetes the number comes
// from the environment.
func (o *fuzzOrder) parseShard() error {
	o.shard, o.shards = 0, 1
	if o.Shard == "" {
		return nil
	}
	m := shardForm.FindStringSubmatch(o.Shard)
	if m == nil {
		return fmt.Errorf("--shard %q: want I/N, such as 0/4", o.Shard)
	}
	index := m[1]
	if index == "" {
		if index = os.Getenv("JOB_COMPLETION_INDEX"); index == "" {
			return fmt.Errorf("--shard %s takes its number from JOB_COMPLETION_INDEX, which is not set", o.Shard)
		}
	}
	i, err := strconv.Atoi(index)
	n, err2 := strconv.Atoi(m[2])
	if err != nil || err2 != nil || i < 0 || i >= n {
		return fmt.Errorf("--shard %s: there is no part %s of %s, they count from 0", o.Shard, index, m[2])
	}
	o.shard, o.shards = i, n
	return nil
}

// other is the order for what --against names.
func (o *fuzzOrder) other() (order, error) {
	b := order{Target: o.Against, Provider: o.Provider, Suite: o.Suite, Profile: o.Profile, Destructive: o.Destructive}
	if !strings.HasPrefix(o.Against, "uri:") {
		if name, suite, ok := strings.Cut(o.Against, ":"); ok {
			b.Target, b.Suite = name, suite
		}
	}
	if b.URI != "" || strings.HasPrefix(b.Target, "uri:") {
		b.Profile = ""
	}
	err := b.check()
	return b, err
}

// dir is where the campaign of the order is kept.
func (o *fuzzOrder) dir() string {
	if o.Dir != "" {
		return o.Dir
	}
	name := o.name()
	if o.client() {
		who := o.program()
		name = who.name()
	}
	name = "fuzz-" + name
	if o.Against != "" {
		name += "-against-" + strings.Trim(unsafeInPaths.ReplaceAllString(o.Against, "-"), "-")
	}
	if o.shards > 1 {
		name += fmt.Sprintf("-%d-of-%d", o.shard, o.shards)
	}
	return filepath.Join("reports", "out", name)
}

// report prints what came of a campaign and ends with its status.
func (o *fuzzOrder) report(r fuzzing.Record) error { return reportCampaign(r, o.dir()) }

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
