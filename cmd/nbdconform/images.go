package main

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/containers"
)

func imagesCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "images [RELEASE ...]",
		Short: "Build the container images of the servers",
		Long: `Images builds one image for each Debian release, and one for fio of each: from a
registry's base image where one can be reached, else from Debian packages with
mmdebstrap.`,
		Example: "  nbdconform images\n  nbdconform images trixie",
		RunE: func(c *cobra.Command, releases []string) error {
			if len(releases) == 0 {
				releases = job.Releases()
			}
			for _, s := range releases {
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
