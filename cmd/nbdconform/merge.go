package main

import (
	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/campaigns"
	"nbdconform/cmd/nbdconform/internal/runs"
	"nbdconform/fuzz/campaign"
)

func mergeCommand() *cobra.Command {
	var out string
	c := &cobra.Command{
		Use:   "merge DIR...",
		Short: "Merge the shards of a fuzzing campaign",
		Long: `Merge makes one campaign of several on the same target, such as the shards of
a fleet: of the findings of one signature the shortest script is kept, and of
the corpora the fewest scripts that reach all that was reached. What comes out
does not depend on the order of the directories. One directory alone is
minimised.

Exit status: as that of nbdconform fuzz.`,
		Example: `  nbdconform merge /tmp/s0 /tmp/s1 --out /tmp/all
  nbdconform merge shards/* --out all`,
		Args: arguments(1, -1),
		RunE: func(_ *cobra.Command, dirs []string) error {
			if err := campaigns.Distinct(out, dirs); err != nil {
				return err
			}
			release, err := runs.Hold(out)
			if err != nil {
				return err
			}
			defer release()
			r, err := campaign.Merge(out, dirs)
			if err != nil {
				return err
			}
			return reportCampaign(r, out)
		},
	}
	c.Flags().StringVar(&out, "out", "", "directory of the merged campaign")
	_ = c.MarkFlagRequired("out")
	return c
}
