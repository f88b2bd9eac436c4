package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/cmd/nbdconform/internal/replay"
	"nbdconform/containers"
	"nbdconform/reports/result"
)

// replayCommand tries again what is at a path. What that is decides how.
func replayCommand() *cobra.Command {
	r := replay.Request{Run: func(ctx context.Context, j job.Job) (result.Result, error) {
		return jobRunner().Run(ctx, j, console.NewRun(os.Stderr, false))
	}}
	var export string
	c := &cobra.Command{
		Use:   "replay [flags] PATH [-- COMMAND ...]",
		Short: "Try a recorded failure again",
		Long: `Replay runs the spec of an evidence bundle again, on the target that it failed
on or on another one, and says whether it fails in the same way.

Flags that are not given are taken from the bundle. With --target, --uri or a
command after -- nothing of the recorded target is kept. In a bundle about a
client, --client or a command takes the place of its program.

A file whose name ends with .script is a finding of the fuzzer's: it runs on the
reference server, with the quirk that it names, unless something else is said.
Of a capture, pcapng or pcap, what the clients said in it is said again. With
--script that is printed as a script, of a bundle too, and nothing runs.

A file whose name ends with .faults is a finding of the fuzzer's about a client,
a fault script: the program that --client names, or the command after --, uses a
server that follows it.

Exit status: 0 the failure is not there any more, 1 it still is, 2 that could
not be found out.`,
		Example: `  nbdconform replay reports/out/reference/evidence/disc.close
  nbdconform replay BUNDLE --release sid
  nbdconform replay BUNDLE --target reference
  nbdconform replay BUNDLE --uri nbd://localhost/disk --destructive
  nbdconform replay BUNDLE -- ./my-server --socket {socket}
  nbdconform replay reports/out/client-nbdcopy-sid/evidence/client.tls.old
  nbdconform replay BUNDLE --client nbdcopy --release trixie
  nbdconform replay FINDING.script --target qemu-nbd
  nbdconform replay said.pcapng --target nbdkit
  nbdconform replay BUNDLE --script > a.script
  nbdconform replay FINDING.faults --client nbdcopy --release trixie
  nbdconform replay FINDING.faults -- nbdcopy {uri} {file}`,
		Args: func(c *cobra.Command, args []string) error {
			before := len(args)
			if n := c.ArgsLenAtDash(); n >= 0 {
				before = n
			}
			if before != 1 {
				return fmt.Errorf("want the path of one bundle, got %d paths", before)
			}
			return nil
		},
		RunE: func(c *cobra.Command, args []string) error {
			r.Given, r.Command = c.Flags().Changed, args[1:]
			if r.Given("export") {
				r.Export = &export
			}
			r.Out, r.Log = c.OutOrStdout(), os.Stderr
			status, err := r.Do(c.Context(), args[0])
			if err == nil && status != exitConforms {
				err = &exitError{status: status}
			}
			return err
		},
	}
	f := c.Flags()
	f.StringVar(&r.Target, "target", "", "another target: reference, qemu-nbd, nbdkit, nbd-server or uri:URI")
	f.StringVar(&r.Program, "client", "", "the client program: reference or one of nbdconform list --clients")
	f.StringVar(&r.URI, "uri", "", "the server at this NBD URI")
	f.StringVar(&r.Provider, "provider", containers.Container, "container, or local: the program on PATH")
	f.StringVar(&r.Release, "release", containers.DefaultRelease, "Debian release of the container")
	f.StringVar(&r.Profile, "profile", "", "how the server is set up")
	f.StringVar(&r.Quirk, "quirk", "", "make the reference misbehave; '' for none")
	f.StringVar(&export, "export", "", "export to test")
	f.BoolVar(&r.Destructive, "destructive", false, "let the spec write to the server at --uri")
	f.DurationVar(&r.Timeout, "timeout", 0, "until silence counts as a hang")
	f.BoolVar(&r.Script, "script", false, "print what the clients of a capture or a bundle said, as a script")
	f.StringVar(&r.Dir, "out", "", "directory for the reports (default: none are written)")
	return c
}
