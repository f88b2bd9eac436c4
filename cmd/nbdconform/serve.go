package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"nbdconform/cmd/nbdconform/internal/serve"
	"nbdconform/reference/server"
	"nbdconform/reports/render/words"
)

func serveCommand() *cobra.Command {
	var s serve.Options
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the reference server",
		Long: `Serve offers in-memory exports: "disk", which is also the default export, and
"spare" of 1 MiB. Memory follows the data that is written, not the size. A
configuration file can say all of it otherwise.

It prints its URIs once it listens. SIGTERM or SIGINT lets the requests in
flight finish and refuses others with NBD_ESHUTDOWN, until the clients are gone
or --grace is over; a second signal ends it at once.

QEMU's clients up to 11.1 can write to it only with --no-extended-headers or
--unannounced-writes: with extended headers they leave out a flag that the
document demands. Pre-shared keys and anonymous TLS need GnuTLS on this machine,
and a program that was not built with the tag nopsk.`,
		Example: `  nbdconform serve
  nbdconform serve --listen 127.0.0.1:0 --size 1T
  nbdconform serve --unix /tmp/nbd.sock --file disk.img --read-only
  nbdconform serve --config serve.yaml --check-config
  nbdconform serve --fault 'commands: read, offset: 1M, length: 4K, error: EIO'
  nbdconform serve --fault 'delay: 200ms, probability: 0.1, seed: 7'
  nbdconform serve --dialect get-lba-status
  nbdconform serve --quirk reply-cookie-off-by-one
  nbdconform serve --tls require --tls-certificates /etc/pki/nbd
  nbdconform serve --tls on --tls-anonymous   # for nbds://HOST/?tls-type=anon
  nbdinfo -- [ nbdconform serve --size 1G ]   # started by its client
  nbdcopy -- [ nbdconform serve --pattern ] copy.img`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if err := s.Agree(c.Flags()); err != nil {
				return err
			}
			cfg, err := s.Config()
			if err != nil {
				return err
			}
			if s.CheckOnly {
				fmt.Printf("%s: good, %s\n", s.File, words.Count(len(cfg.Exports), "export", "exports"))
				return nil
			}
			srv, err := server.New(cfg)
			if err != nil {
				return err
			}
			s.Out = os.Stdout
			err = s.Run(c.Context(), srv, cfg.TLS.Mode == server.ForcedTLS)
			if _, ended := errors.AsType[*serve.ConnError](err); ended || errors.Is(err, serve.ErrClosedItself) {
				err = &exitError{status: exitViolates, text: err.Error()}
			}
			return err
		},
	}
	groups := serveFlags(&s)
	for _, g := range groups {
		c.Flags().AddFlagSet(g.FlagSet)
	}
	c.SetUsageFunc(func(c *cobra.Command) error {
		w := c.OutOrStderr()
		fmt.Fprintf(w, "Usage:\n  %s\n\nExamples:\n%s\n", c.UseLine(), c.Example)
		for _, g := range groups {
			fmt.Fprintf(w, "\n%s:\n%s", g.title, g.FlagUsagesWrapped(80))
		}
		_, err := fmt.Fprintln(w, "\n  -h, --help   this text")
		return err
	})
	return c
}

// A flagGroup is a part of the help.
type flagGroup struct {
	title string
	*pflag.FlagSet
}

func group(title string) flagGroup {
	f := pflag.NewFlagSet(title, pflag.ContinueOnError)
	f.SortFlags = false
	return flagGroup{title, f}
}
