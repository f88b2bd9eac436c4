package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"nbdconform/containers/images"
)

func imagesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "images [SUITE ...]",
		Short: "Build the container images of the servers",
		Long: `Images builds one image for each Debian suite, and one for fio of each: from a
registry's base image where one can be reached, else from Debian packages with
mmdebstrap.`,
		Example: "  nbdconform images\n  nbdconform images trixie",
		RunE: func(c *cobra.Command, suites []string) error {
			if len(suites) == 0 {
				suites = suiteNames()
			}
			for _, s := range suites {
				for _, stock := range []images.Stock{images.Programs, images.Fio, images.Shell} {
					i, err := images.EnsureStock(c.Context(), s, stock, func(text string) { fmt.Fprintln(os.Stderr, text) })
					if err != nil {
						return err
					}
					fmt.Printf("%-30s %s\n", i.Ref, i.Digest)
				}
			}
			return nil
		},
	}
}
