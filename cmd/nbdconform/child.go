package main

import (
	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/runs"
)

// trialCommand is what the parent of a run starts.
func trialCommand() *cobra.Command {
	return &cobra.Command{
		Use:    runs.ChildCommand,
		Hidden: true,
		Args:   cobra.NoArgs,
		RunE:   func(c *cobra.Command, _ []string) error { return runs.Child(c.Context(), version()) },
	}
}

// jobRunner runs jobs.
func jobRunner() runs.Runner { return runs.Runner{Version: version()} }
