// Package controls runs, for each published bug that a released server still
// has, the spec that finds it: on a version that has the bug and on one that
// does not.
package controls

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"golang.org/x/sync/errgroup"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/containers"
	"nbdconform/reports/controls"
	"nbdconform/reports/result"
)

// A Judge runs a job.
type Judge func(context.Context, job.Job) (result.Result, error)

// Named lists the controls of bugs whose name has a part.
func Named(name string) ([]controls.Control, error) {
	all, err := controls.All()
	if err != nil {
		return nil, err
	}
	var list []controls.Control
	for _, c := range all {
		if strings.Contains(c.Bug, name) {
			list = append(list, c)
		}
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no bug of %d has %q in its name", len(all), name)
	}
	return list, nil
}

// Run tries each control, so many at once, and calls done with each as it ends,
// one at a time: why says what is not as it should be, or "". A run that could
// not be done is an error.
func Run(ctx context.Context, list []controls.Control, atOnce int, judge Judge, done func(c controls.Control, why string)) error {
	var mu sync.Mutex // one call of done at a time
	var group errgroup.Group
	group.SetLimit(atOnce)
	for _, c := range list {
		group.Go(func() error {
			why, err := try(ctx, c, judge)
			if err != nil {
				return fmt.Errorf("%s: %w", c.Bug, err)
			}
			mu.Lock()
			defer mu.Unlock()
			done(c, why)
			return nil
		})
	}
	return group.Wait()
}

// try says what is not as it should be with a control; "": nothing.
func try(ctx context.Context, c controls.Control, judge Judge) (string, error) {
	j := job.Job{Target: c.Target, Provider: containers.Container, Profile: c.Profile, Filter: c.Spec, Seed: 1}
	why := ""
	for range max(c.Tries, 1) {
		j.Release = c.Affected
		r, err := judge(ctx, j)
		if err != nil {
			return "", err
		}
		if why = c.Red(r); why == "" {
			break
		}
	}
	if why != "" {
		return fmt.Sprintf("%s has it: %s", c.Affected, why), nil
	}
	j.Release = c.Fixed
	r, err := judge(ctx, j)
	if err != nil {
		return "", err
	}
	if why = c.Green(r); why != "" {
		return fmt.Sprintf("%s does not have it: %s", c.Fixed, why), nil
	}
	return "", nil
}
