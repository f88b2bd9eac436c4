package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"text/tabwriter"

	"github.com/spf13/cobra"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// A mapped is a run of bytes with one status in a metadata context.
type mapped struct {
	Offset      uint64 `json:"offset"`
	Length      uint64 `json:"length"`
	Status      uint64 `json:"status"`
	Description string `json:"description"`
}

func mapCommand() *cobra.Command {
	var p peer
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
			p.contexts = []string{name}
			conn, err := p.connect(c.Context(), args[0])
			if err != nil {
				return err
			}
			defer func() { _ = conn.Disconnect(c.Context()) }()
			m := newMeter(os.Stderr, "map", conn.Size())
			list, err := extentsOf(c.Context(), conn, name, m.set)
			m.close()
			if err != nil {
				return err
			}
			if rest := conn.Size() % uint64(conn.Constraints().Minimum); rest != 0 {
				fmt.Fprintf(os.Stderr, "warning: the last %d bytes are out of reach: the size %d is no multiple of the minimum block size %d\n",
					rest, conn.Size(), conn.Constraints().Minimum)
			}
			if totals {
				list = summed(list)
			}
			if asJSON {
				return writeJSON(c.OutOrStdout(), list)
			}
			return writeMap(c.OutOrStdout(), list, conn.Size(), totals)
		},
	}
	p.flags(c.Flags())
	c.Flags().StringVar(&name, "context", client.AllocationContext, "metadata context")
	c.Flags().BoolVar(&totals, "totals", false, "bytes of each status, not where they are")
	c.Flags().BoolVar(&asJSON, "json", false, "print JSON")
	return c
}

// extentsOf asks for the status of all of an export, and joins what belongs together.
func extentsOf(ctx context.Context, c *client.Client, name string, progress func(uint64)) ([]mapped, error) {
	if !c.Structured() {
		return nil, errors.New("metadata contexts take structured replies, which were not agreed on: the server has to offer them, and --simple-replies does without")
	}
	if !c.HasContext(name) {
		return nil, fmt.Errorf("the server has no metadata context %q for this export: nbdconform info lists those it has", name)
	}
	list := []mapped{}
	most := uint64(1 << 31)
	if c.Extended() {
		most = 1 << 62
	}
	size := c.Size() - c.Size()%uint64(c.Constraints().Minimum) // nobody can ask for the rest
	for offset := uint64(0); offset < size; {
		status, err := c.BlockStatus(ctx, offset, min(size-offset, most), 0)
		if err != nil {
			return nil, fmt.Errorf("asking for the status at %d: %w", offset, err)
		}
		for _, e := range status[name] {
			e.Length = min(e.Length, c.Size()-offset) // the last may reach further than the export
			if n := len(list); n > 0 && list[n-1].Status == e.Status {
				list[n-1].Length += e.Length
			} else if e.Length > 0 {
				list = append(list, mapped{offset, e.Length, e.Status, describeStatus(name, e.Status)})
			}
			offset += e.Length
		}
		progress(offset)
	}
	return list, nil
}

// describeStatus puts a status into words where the context is known.
func describeStatus(context string, status uint64) string {
	switch {
	case context == client.AllocationContext:
	case strings.HasPrefix(context, export.DirtyBitmap) && status <= 1:
		return []string{"clean", "dirty"}[status]
	case context == export.AllocationDepth && status <= 1:
		return []string{"absent", "local"}[status]
	case context == export.AllocationDepth:
		return fmt.Sprintf("backing depth %d", status)
	default:
		return fmt.Sprintf("%#x", status)
	}
	switch wire.StateFlags(status) {
	case 0:
		return "data"
	case wire.StateHole:
		return "hole"
	case wire.StateZero:
		return "zero"
	case wire.StateHole | wire.StateZero:
		return "hole,zero"
	}
	return wire.StateFlags(status).String()
}

// summed has one entry for each status.
func summed(list []mapped) []mapped {
	sums := []mapped{}
	for _, m := range list {
		same := func(s mapped) bool { return s.Status == m.Status }
		if i := slices.IndexFunc(sums, same); i >= 0 {
			sums[i].Length += m.Length
			continue
		}
		sums = append(sums, mapped{Length: m.Length, Status: m.Status, Description: m.Description})
	}
	slices.SortFunc(sums, func(a, b mapped) int { return cmp.Compare(a.Status, b.Status) })
	return sums
}

func writeMap(out io.Writer, list []mapped, size uint64, totals bool) error {
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
