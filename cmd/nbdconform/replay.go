package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"nbdconform/containers"
	"nbdconform/fuzz/campaign"
	"nbdconform/fuzz/recorded"
	"nbdconform/fuzz/session"
	"nbdconform/reports/evidence"
)

// replayCommand tries again what is at a path. What that is decides how.
func replayCommand() *cobra.Command {
	var r replay
	var export, client string
	var script bool
	c := &cobra.Command{
		Use:   "replay [flags] PATH [-- COMMAND ...]",
		Short: "Try a recorded failure again",
		Long: `Replay runs the spec of an evidence bundle again, on the target that it failed
on or on another one, and says whether it fails in the same way.

Flags that are not given are taken from the bundle. With --target, --uri or a
command behind -- nothing of the recorded target is kept. In a bundle about a
client, --client or a command takes the place of its program.

A file whose name ends with .script is a finding of the fuzzer's: it runs on the
reference server, with the quirk that it names, unless something else is said.
Of a capture, pcapng or pcap, what the clients said in it is said again. With
--script that is printed as a script, of a bundle too, and nothing runs.

A file whose name ends with .moves is a finding of the fuzzer's about a client:
the program that --client names, or the command behind --, visits a server that
makes the moves.

Exit status: 0 the failure is not there any more, 1 it still is, 2 that could
not be found out.`,
		Example: `  nbdconform replay reports/out/reference/evidence/disc.close
  nbdconform replay BUNDLE --suite sid
  nbdconform replay BUNDLE --target reference
  nbdconform replay BUNDLE --uri nbd://localhost/disk --destructive
  nbdconform replay BUNDLE -- ./my-server --socket {socket}
  nbdconform replay reports/out/client-nbdcopy-sid/evidence/client.tls.old
  nbdconform replay BUNDLE --client nbdcopy --suite trixie
  nbdconform replay FINDING.script --target qemu-nbd
  nbdconform replay said.pcapng --target nbdkit
  nbdconform replay BUNDLE --script > a.script
  nbdconform replay FINDING.moves --client nbdcopy --suite trixie
  nbdconform replay FINDING.moves -- nbdcopy {uri} {file}`,
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
			r.flags, r.command = c.Flags(), args[1:]
			if r.flags.Changed("export") {
				r.Export = &export
			}
			path := args[0]
			o := r.order
			o.Command = args[1:]
			file, recording := recorded.Find(path)
			moves := strings.HasSuffix(path, campaign.MovesExtension)
			if client != "" && !moves && !isBundle(path) {
				return fmt.Errorf("--client goes with a bundle or a file of moves (*%s), and %s is neither", campaign.MovesExtension, path)
			}
			switch {
			case script && recording:
				return printScript(c.OutOrStdout(), file)
			case script:
				return fmt.Errorf("%s is neither a capture nor an evidence bundle: there is no script to make of it", path)
			case moves:
				return replayMoves(c, o, client, path)
			case isBundle(path):
				return r.bundle(c.Context(), path, client)
			case strings.HasSuffix(path, session.Extension):
				saved, err := session.Load(path)
				if err != nil {
					return err
				}
				return replayScript(c, o, path, saved)
			case recording:
				said, notes, err := recorded.Load(file)
				if err != nil {
					return err
				}
				for _, n := range notes {
					fmt.Fprintln(os.Stderr, n)
				}
				return replayScript(c, o, path, session.Saved{Script: said})
			default:
				if _, err := os.Stat(path); err != nil {
					return err
				}
				return fmt.Errorf("%s is no evidence bundle: want a directory with a %s in it, a script, moves or a capture", path, evidence.BundleFile)
			}
		},
	}
	f := c.Flags()
	f.StringVar(&r.Target, "target", "", "another target: reference, qemu-nbd, nbdkit, nbd-server or uri:URI")
	f.StringVar(&client, "client", "", "the program that visits: reference or one of nbdconform list --clients")
	f.StringVar(&r.URI, "uri", "", "the server at this NBD URI")
	f.StringVar(&r.Provider, "provider", containers.Container, "container, or local: the program on PATH")
	f.StringVar(&r.Suite, "suite", containers.DefaultRelease, "Debian suite of the container")
	f.StringVar(&r.Profile, "profile", "", "how the server is set up")
	f.StringVar(&r.Quirk, "quirk", "", "make the reference misbehave; '' for none")
	f.StringVar(&export, "export", "", "export to test")
	f.BoolVar(&r.Destructive, "destructive", false, "let the spec write to the server at --uri")
	f.DurationVar(&r.Timeout, "timeout", 0, "until silence counts as a hang")
	f.BoolVar(&script, "script", false, "print what the clients of a capture or a bundle said, as a script")
	f.StringVar(&r.out, "out", "", "directory for the reports (default: none are written)")
	return c
}

// isBundle reports whether a path is an evidence bundle or its bundle.json.
func isBundle(path string) bool {
	if filepath.Base(path) == evidence.BundleFile {
		return true
	}
	_, err := os.Stat(filepath.Join(path, evidence.BundleFile))
	return err == nil
}
