package matrix

import (
	"context"

	"golang.org/x/sync/errgroup"
)

// each calls f with each number, for so many at once, and starts none after ctx
// has ended.
func each(ctx context.Context, atOnce int, numbers []int, f func(int)) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, n := range numbers {
		group.Go(func() error {
			if ctx.Err() == nil {
				f(n)
			}
			return nil // what fails costs the others nothing
		})
	}
	_ = group.Wait()
}
