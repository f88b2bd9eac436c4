package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/containers/interop"
	"nbdconform/reference/starttls"
	"nbdconform/reports/matrix"
)

func interopCommand() *cobra.Command {
	releases := []string{"bookworm", "trixie"}
	var file string
	c := &cobra.Command{
		Use:   "interop",
		Short: "Run the reference with the programs of others",
		Long: `Interop sends the client programs of Debian releases to the reference server,
and the reference client to their servers. What they say is compared with
what the server holds, and a judge observes: with --write, what was seen to
work becomes the table of what is supported, and with whom.

Exit status: 0 all pairings work, but for those that are known not to;
1 one does not; 2 the run is invalid, or the table has a gap.`,
		Example: `  nbdconform interop
  nbdconform interop --releases sid
  nbdconform interop --write support.md`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if releases, err = job.Some("release", releases, job.Releases()); err != nil {
				return err
			}
			if file != "" && !starttls.BuiltWithGnuTLS {
				return errors.New("--write: this program has no pre-shared keys, and the table would lack them: use make support")
			}
			return runInterop(c.Context(), releases, file)
		},
	}
	c.Flags().StringSliceVar(&releases, "releases", releases, "Debian releases to take programs from")
	c.Flags().StringVar(&file, "write", "", "write the table of what is supported to this file")
	return c
}

func runInterop(ctx context.Context, releases []string, file string) error {
	p := console.NewPlanned(os.Stderr)
	r, err := interop.Run(ctx, releases, p)
	p.Close()
	if err != nil {
		return err
	}
	counts := map[matrix.Outcome]int{}
	for _, pair := range r.Pairings {
		counts[pair.Outcome]++
	}
	for _, rec := range r.Records {
		role := "server"
		if rec.Server {
			role = "client"
		}
		fmt.Printf("%-24s as %s: %d items of the protocol observed\n", rec.Peer, role, len(rec.Items))
	}
	failures, stale := r.Failures()
	known := 0
	for _, f := range failures {
		if f.Known != nil {
			known++
			fmt.Print(console.Paragraph("known: ", f.String()+": "+f.Known.Reason))
		}
	}
	for _, f := range failures {
		if f.Known == nil {
			fmt.Print(console.Paragraph(strings.ToUpper(string(f.Outcome))+": ", f.String()+": "+f.Detail+"; "+f.Command))
		}
	}
	if stale != nil {
		fmt.Print(console.Paragraph("STALE: ", stale.Error()))
	}
	if file != "" {
		table, err := r.Table()
		if err != nil {
			return err
		}
		if err := os.WriteFile(file, []byte(table), 0o644); err != nil { // #nosec: a document
			return err
		}
		fmt.Println("Written:", file)
	}
	if !starttls.BuiltWithGnuTLS {
		fmt.Print(console.Paragraph("not tried: ", "TLS with pre-shared keys and TLS without certificates, which this program was built without; use make interop"))
	}
	fmt.Printf("%d operations work, %d do not, %d are known not to\n",
		counts[matrix.Works]+counts[matrix.Degraded], len(failures)-known, known)
	if len(failures) > known || stale != nil {
		return &exitError{status: exitViolates}
	}
	return nil
}
