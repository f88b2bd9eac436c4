package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"nbdconform/reports/render"
	"nbdconform/reports/result"
)

func reportCommand() *cobra.Command {
	var format, out string
	var names []string
	for _, f := range render.Formats() {
		names = append(names, f.Name)
	}
	c := &cobra.Command{
		Use:   "report [flags] RESULT",
		Short: "Turn a result file into another form",
		Long: `Report reads a result.json and writes it in another form. The exit status says
whether that worked, not how the run ended.`,
		Example: `  nbdconform report reports/out/reference/result.json --format sarif
  nbdconform report result.json --format tap --out result.tap
  nbdconform report result.json --format badge --out badge.svg`,
		Args: arguments(1, 1),
		RunE: func(c *cobra.Command, args []string) error {
			for _, f := range render.Formats() {
				if f.Name != format {
					continue
				}
				in, err := os.Open(args[0])
				if err != nil {
					return err
				}
				defer func() { _ = in.Close() }()
				r, err := result.Read(in)
				if err != nil {
					return fmt.Errorf("%s: %w", args[0], err)
				}
				if out == "" || out == "-" {
					return f.Write(c.OutOrStdout(), r)
				}
				return render.Replace(out, func(w io.Writer) error { return f.Write(w, r) })
			}
			return fmt.Errorf("unknown format %q: use one of %s", format, strings.Join(names, ", "))
		},
	}
	c.Flags().StringVar(&format, "format", "markdown", strings.Join(names, ", "))
	c.Flags().StringVar(&out, "out", "-", "file to write; - for the standard output")
	return c
}
