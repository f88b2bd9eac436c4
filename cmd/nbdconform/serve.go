package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"nbdconform/conformance/target/inprocess"
	"nbdconform/reference/quirk"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

func serveCommand() *cobra.Command {
	var listen, unix, quirkName, profile, dialect string
	var secure serveTLS
	var size sizeValue = inprocess.DefaultSize
	var verbose bool
	c := &cobra.Command{
		Use:   "serve",
		Short: "Run the reference server",
		Long: `Serve offers in-memory exports: "disk", which is also the default export, and
"spare" of 1 MiB. Memory follows the data that is written, not the size.

QEMU's clients up to 11.1 can write to it only in the profile
no-extended-headers: with them they send writes in a form of their own.

With TLS, clients reach it as in nbds://localhost/?tls-certificates=DIR or
nbds://NAME@localhost/?tls-psk-file=FILE. Pre-shared keys need GnuTLS on this
machine, and a program that was not built with the tag nopsk.

The server prints its URI once it listens. An interrupt lets the requests in
flight finish and ends it.`,
		Example: `  nbdconform serve
  nbdconform serve --listen 127.0.0.1:0 --size 1T
  nbdconform serve --unix /tmp/nbd.sock --profile read-only
  nbdconform serve --dialect get-lba-status
  nbdconform serve --quirk reply-cookie-off-by-one
  nbdconform serve --tls on --tls-certificates /etc/pki/nbd
  nbdconform serve --tls require --tls-certificates /etc/pki \
    --tls-verify-peer
  nbdconform serve --tls require --tls-psk keys.psk`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if unix != "" && c.Flags().Changed("listen") {
				return errors.New("give --listen or --unix, not both")
			}
			if _, _, err := inprocess.Config(profile, uint64(size), quirkName); err != nil {
				return err
			}
			cfg, _, err := inprocess.Config(profile, uint64(size), "")
			if err == nil && dialect != "" {
				cfg.Dialect, err = wire.DialectOf(dialect)
			}
			if err == nil {
				err = secure.apply(&cfg)
			}
			if err != nil {
				return err
			}
			if q, ok := quirk.Get(quirkName); ok { // they may have to do with TLS
				q.Apply(&cfg)
			}
			if verbose {
				cfg.Log = slog.New(slog.NewTextHandler(os.Stderr, nil))
			}
			srv, err := server.New(cfg)
			if err != nil {
				return err
			}
			network, address := "tcp", listen
			if unix != "" {
				network, address = "unix", unix
			}
			ln, err := net.Listen(network, address)
			if err != nil {
				return err
			}
			fmt.Println(uriOf(ln.Addr(), cfg.TLS.Mode == server.ForcedTLS))
			return serve(c.Context(), srv, ln)
		},
	}
	f := c.Flags()
	f.StringVar(&listen, "listen", "localhost:10809", "TCP address")
	f.StringVar(&unix, "unix", "", "path of a Unix socket, instead of TCP")
	f.Var(&size, "size", "size of the export, in bytes or with K, M, G, T, P, E")
	f.StringVar(&profile, "profile", "", "how to set it up (see nbdconform list --profiles)")
	secure.flags(f)
	f.StringVar(&dialect, "dialect", "", "speak a draft in place of what has its numbers now:\n"+strings.Join(wire.Dialects()[1:], " or "))
	f.StringVar(&quirkName, "quirk", "", "misbehave (see nbdconform list --quirks)")
	f.BoolVar(&verbose, "verbose", false, "log how connections end")
	return c
}

// serve runs until the context ends, then lets requests in flight finish.
func serve(ctx context.Context, srv *server.Server, ln net.Listener) error {
	ended := make(chan error, 1)
	go func() { ended <- srv.Serve(context.WithoutCancel(ctx), ln) }()
	select {
	case err := <-ended:
		if errors.Is(err, server.ErrClosed) {
			return &exitError{status: exitViolates, text: "the server closed itself"}
		}
		return err
	case <-ctx.Done():
	}
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = srv.Shutdown(grace) // connections that outlive the grace period are cut
	if err := <-ended; !errors.Is(err, server.ErrClosed) {
		return err
	}
	return nil
}

func uriOf(a net.Addr, secure bool) string {
	scheme := "nbd"
	if secure {
		scheme = "nbds"
	}
	if a.Network() == "unix" {
		return scheme + "+unix:///?socket=" + a.String()
	}
	return scheme + "://" + a.String()
}
