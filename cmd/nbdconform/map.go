package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/peer"
	"nbdconform/reference/client"
)

func mapCommand() *cobra.Command {
	var p peer.Peer
	var asJSON, totals bool
	var name string
	c := &cobra.Command{
		Use:   "map URI",
		Short: "Show the extents of an export in a metadata context",
		Long: `Map asks for the block status of a whole export. Extents that follow each other
with the same status are shown as one.`,
		Example: `  nbdconform map nbd://localhost:10809/disk
  nbdconform map nbd://localhost:10809/disk --context qemu:dirty-bitmap:b0
  nbdconform map nbd://localhost:10809/disk --totals`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			if namespace, _, ok := strings.Cut(name, ":"); !ok || namespace == "" {
				return fmt.Errorf("--context %q: want a namespace, a colon and a name, such as base:allocation", name)
			}
			p.Contexts = []string{name}
			conn, err := p.Connect(c.Context(), args[0])
			if err != nil {
				return err
			}
			defer func() { _ = conn.Disconnect(c.Context()) }()
			m := console.NewMeter(os.Stderr, "map", conn.Size())
			list, err := peer.Extents(c.Context(), conn, name, m.Set)
			m.Close()
			if err != nil {
				return err
			}
			if rest := conn.Size() % uint64(conn.Constraints().Minimum); rest != 0 {
				fmt.Fprintf(os.Stderr, "warning: the last %d bytes are out of reach: the size %d is no multiple of the minimum block size %d\n",
					rest, conn.Size(), conn.Constraints().Minimum)
			}
			if totals {
				list = peer.Totals(list)
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), list)
			}
			return writeMap(c.OutOrStdout(), list, conn.Size(), totals)
		},
	}
	peerFlags(&p, c.Flags())
	c.Flags().StringVar(&name, "context", client.AllocationContext, "metadata context")
	c.Flags().BoolVar(&totals, "totals", false, "bytes of each status, not where they are")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

func writeMap(out io.Writer, list []peer.Mapped, size uint64, totals bool) error {
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	if totals {
		fmt.Fprintf(w, "bytes\tshare\tstatus\t\n")
	} else {
		fmt.Fprintf(w, "offset\tlength\tstatus\t\n")
	}
	for _, m := range list {
		if totals {
			fmt.Fprintf(w, "%d\t%.1f %%\t%s\t\n", m.Length, 100*float64(m.Length)/float64(size), m.Description)
		} else {
			fmt.Fprintf(w, "%d\t%d\t%s\t\n", m.Offset, m.Length, m.Description)
		}
	}
	return w.Flush()
}
