package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"nbdconform/containers"
	"nbdconform/containers/images"
	"nbdconform/reports/render"
	"nbdconform/reports/result"
)

func matrixCommand() *cobra.Command {
	var suites, targets []string
	var out string
	c := &cobra.Command{
		Use:   "matrix",
		Short: "Judge every version of every server and print them side by side",
		Example: `  nbdconform matrix
  nbdconform matrix --suites bookworm,trixie --targets nbdkit`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var err error
			if suites, err = some("suite", suites, suiteNames()); err != nil {
				return err
			}
			if targets, err = some("target", targets, targetNames()); err != nil {
				return err
			}
			show := &lines{out: os.Stderr}
			var results []result.Result
			var skipped []string
			for _, o := range matrixOrders(suites, targets) {
				show.step(fmt.Sprintf("%s %s", o.Target, o.Suite))
				r, err := supervise(c.Context(), o, &lines{out: os.Stderr})
				if err != nil {
					if c.Context().Err() != nil {
						return err
					}
					skipped = append(skipped, fmt.Sprintf("%s %s: %v", o.Target, o.Suite, err))
					continue
				}
				if _, err := render.All(filepath.Join(out, o.name()), r); err != nil {
					return err
				}
				results = append(results, r)
			}
			if len(results) <= 1 && len(skipped) > 0 { // the reference alone makes no matrix
				return fmt.Errorf("no server could be run: %s", skipped[0])
			}
			if err := render.Matrix(os.Stdout, results); err != nil {
				return err
			}
			for _, s := range skipped {
				fmt.Println("skipped:", s)
			}
			fmt.Println("Written:", out)
			for _, r := range results {
				if r.Exit() == exitUntrusted {
					return fmt.Errorf("the run of %s is not to be trusted: %v", title(r.Target), r.Doubts())
				}
			}
			return nil
		},
	}
	c.Flags().StringSliceVar(&suites, "suites", nil, "Debian suites to take servers from (default: all)")
	c.Flags().StringSliceVar(&targets, "targets", nil, "servers to run (default: all)")
	c.Flags().StringVar(&out, "out", filepath.Join("reports", "out", "matrix"), "directory for the reports")
	return c
}

// some returns the names, or all where there are none. A name that is not
// among all is an error.
func some(what string, names, all []string) ([]string, error) {
	if len(names) == 0 {
		return all, nil
	}
	for _, n := range names {
		if !slices.Contains(all, n) {
			return nil, fmt.Errorf("unknown %s %q: use some of %s", what, n, strings.Join(all, ", "))
		}
	}
	return names, nil
}

// matrixOrders are the runs of the matrix: the reference, and every server of every suite.
func matrixOrders(suites, targets []string) []order {
	orders := []order{{Target: reference, Seed: 1}}
	for _, t := range targets {
		for _, s := range suites {
			orders = append(orders, order{Target: t, Suite: s, Provider: containers.Container, Seed: 1})
		}
	}
	return orders
}

// suiteNames lists the Debian suites, oldest first.
func suiteNames() []string {
	var names []string
	for _, s := range images.Suites() {
		names = append(names, s.Name)
	}
	return names
}

func targetNames() []string {
	var names []string
	for _, t := range containers.Targets() {
		names = append(names, t.Name)
	}
	return names
}
