package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/spf13/cobra"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/containers/bench"
	"nbdconform/reference/configfile"
)

func benchCommand() *cobra.Command {
	plan := bench.Plan{Rounds: 5, Runtime: 500 * time.Millisecond}
	var size configfile.Size = 128 << 20
	out := filepath.Join("reports", "out", "bench")
	c := &cobra.Command{
		Use:   "bench",
		Short: "Compare the speed of the reference server with others",
		Long: `Bench runs the reference server, nbdkit, qemu-nbd and nbd-server on this
machine and lets fio load them round-robin. It prints medians as multiples of
nbdkit's memory plugin. Programs that are not on PATH are left out.

Its exit status says nothing of who is faster.`,
		Example: `  nbdconform bench
  nbdconform bench --rounds 9 --runtime 2s
  nbdconform bench --networks unix
  nbdconform bench --rows 'tcp, fio, 4K' --rows '256K seq write'`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			if plan.Rounds < 1 || plan.Runtime < 10*time.Millisecond {
				return errors.New("want one round at least, of 10ms at least")
			}
			if size < 16<<20 || size > 4<<30 {
				return errors.New("want a size from 16M to 4G: all servers hold it in memory")
			}
			var err error
			if plan.Networks, err = job.Some("network", plan.Networks, []string{"unix", "tcp"}); err != nil {
				return err
			}
			if plan.Self, err = os.Executable(); err != nil {
				return err
			}
			plan.Size = int(size)
			show := console.NewSteps(os.Stderr)
			plan.Plan, plan.Done = show.Plan, show.Done
			r, err := bench.Run(c.Context(), plan)
			show.Close()
			if err != nil {
				return err
			}
			if err := r.Write(os.Stdout); err != nil {
				return err
			}
			text, err := json.MarshalIndent(r, "", "  ")
			if err != nil {
				return err
			}
			file := filepath.Join(out, "bench.json")
			if err := os.MkdirAll(out, 0o755); err != nil {
				return err
			}
			if err := os.WriteFile(file, append(text, '\n'), 0o644); err != nil {
				return err
			}
			fmt.Println("Written:", file)
			return nil
		},
	}
	f := c.Flags()
	f.IntVar(&plan.Rounds, "rounds", plan.Rounds, "rounds, of which the median counts")
	f.DurationVar(&plan.Runtime, "runtime", plan.Runtime, "how long each load runs on each server, per round")
	f.Var(&size, "size", "size of the exports")
	f.StringSliceVar(&plan.Networks, "networks", nil, "unix, tcp (default: both)")
	f.StringArrayVar(&plan.Rows, "rows", nil, "only rows with this `text` in their name, such as 'fio, 4K' (may be repeated)")
	f.StringVar(&out, "out", out, "directory for the JSON file")
	return c
}
