package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"nbdconform/containers"
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
				err := containers.BuildImages(c.Context(), s,
					func(text string) { fmt.Fprintln(os.Stderr, text) },
					func(i containers.Image) { fmt.Printf("%-30s %s\n", i.Name, i.Digest) })
				if err != nil {
					return err
				}
			}
			return nil
		},
	}
}
