// Command nbdconform tests implementations of the NBD protocol. Each command
// has a file here, with its flags and its help, and calls a package below.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/spf13/cobra"
)

// Exit statuses.
const (
	exitConforms  = 0 // or what was asked for was done
	exitViolates  = 1 // the target does not conform
	exitUntrusted = 2 // the run is invalid, or the request made no sense
)

// An exitError ends the program with a status. Its text may be empty.
type exitError struct {
	status int
	text   string
}

func (e *exitError) Error() string { return e.text }

func main() {
	ctx := untilSignal()
	err := root().ExecuteContext(ctx)
	if err == nil {
		return
	}
	if ctx.Err() != nil && errors.Is(err, context.Canceled) { // whatever was waited for
		err = errors.New("interrupted")
	}
	status := exitUntrusted
	var e *exitError
	if errors.As(err, &e) {
		status = e.status
	}
	if err.Error() != "" {
		fmt.Fprintln(os.Stderr, "nbdconform:", err)
	}
	os.Exit(status)
}

// untilSignal is a context that ends with SIGINT or SIGTERM. From then on, a
// second signal ends the program at once.
func untilSignal() context.Context {
	ctx, cancel := context.WithCancel(context.Background())
	first := make(chan os.Signal, 1)
	signal.Notify(first, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-first
		signal.Stop(first)
		cancel()
	}()
	return ctx
}

func root() *cobra.Command {
	c := &cobra.Command{
		Use:   "nbdconform",
		Short: "Judge implementations of the NBD protocol",
		Long: `nbdconform tests an NBD server or client against the requirements of the
specification, one by one, and says which it keeps and which it breaks.`,
		Example: `  nbdconform run                               # the reference server
  nbdconform run --target qemu-nbd             # qemu-nbd in a container
  nbdconform run --uri nbd://localhost:10809   # any server, reading only
  nbdconform clients --program nbdcopy         # a client program in a container
  nbdconform explain cmd.disc.close            # what a clause asks for
  nbdconform serve --listen localhost:10809    # the reference server`,
		SilenceUsage:  true,
		SilenceErrors: true,
		Version:       version(),
	}
	c.SetVersionTemplate("{{.Name}} {{.Version}}\n")
	c.SetUsageTemplate(strings.ReplaceAll(c.UsageTemplate(), "FlagUsages", "FlagUsagesWrapped 80"))
	c.CompletionOptions.HiddenDefaultCmd = true
	c.AddCommand(
		runCommand(),
		clientsCommand(),
		gateCommand(),
		baselineCommand(),
		diffCommand(),
		replayCommand(),
		auditCommand(),
		reportCommand(),
		fuzzCommand(),
		mergeCommand(),
		matrixCommand(),
		controlsCommand(),
		interopCommand(),
		benchCommand(),
		proveCommand(),
		fuzzScoreCommand(),
		listCommand(),
		explainCommand(),
		coverageCommand(),
		specCheckCommand(),
		serveCommand(),
		infoCommand(),
		mapCommand(),
		copyCommand(),
		imagesCommand(),
		trialCommand(),
	)
	c.SetGlobalNormalizationFunc(renaming(os.Stderr))
	return c
}
