package main

import (
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/peer"
	"nbdconform/reference/client"
)

func copyCommand() *cobra.Command {
	p := peer.Peer{Contexts: []string{client.AllocationContext}}
	var o client.CopyOptions
	var quiet bool
	c := &cobra.Command{
		Use:   "copy SOURCE DESTINATION",
		Short: "Copy between exports and files",
		Long: `Copy copies a whole export or file: from a server, to a server, or both. What is
no NBD URI is a file; - is standard output. Zeroes are not read where the source
says where they are, and not sent where the destination can zero.

A file that exists is written over from its beginning, and cut to size. An
export keeps what is after the copy: where the image ends within a block of the
destination's minimum block size, the rest of that block is read and written
back, so nothing else should write there meanwhile. Nothing is copied to an
export that is smaller than the source, or read-only.`,
		Example: `  nbdconform copy nbd://localhost:10809/disk disk.img
  nbdconform copy disk.img 'nbd+unix:///?socket=/tmp/nbd.sock'
  nbdconform copy nbd://old/disk nbd://new/disk`,
		Args: arguments(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			from, to := peer.IsURI(args[0]), peer.IsURI(args[1])
			switch {
			case args[0] == "":
				return errors.New("the source is empty: want a file or an NBD URI")
			case args[1] == "":
				return errors.New("the destination is empty: want a file or an NBD URI")
			case !from && !to:
				return fmt.Errorf("neither %q nor %q is an NBD URI, such as nbd://localhost:10809/disk: use cp", args[0], args[1])
			case o.Requests < 1:
				return fmt.Errorf("--requests %d is less than 1", o.Requests)
			case args[0] == "-":
				return errors.New("the source can't be standard input: its size has to be known")
			}
			var m *console.Meter
			o.Progress = func(done, total uint64) {
				if m == nil && !quiet {
					m = console.NewMeter(os.Stderr, "copy", total)
				}
				m.Set(done)
			}
			defer func() { m.Close() }()
			switch {
			case from && to:
				return p.CopyBetween(c.Context(), args[0], args[1], o)
			case from:
				return p.CopyOut(c.Context(), args[0], args[1], o)
			}
			return p.CopyIn(c.Context(), args[0], args[1], o)
		},
	}
	peerFlags(&p, c.Flags())
	c.Flags().IntVar(&o.Requests, "requests", 16, "requests in flight")
	c.Flags().BoolVar(&o.Explicit, "explicit-zeroes", false, "write zeroes where the source has a hole")
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress bar")
	return c
}
