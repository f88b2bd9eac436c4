package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/target/inprocess"
	"nbdconform/containers"
	"nbdconform/reports/matrix"
	"nbdconform/reports/result"
)

// A cell is one run of the matrix.
type cell struct {
	order
	Image string // digest of what it runs in, or ""
}

// A wish is what the matrix is asked to have.
type wish struct {
	Suites, Targets, Profiles, Clients []string
	alone                              bool // Targets were named: the reference is not asked for
}

// Words for profiles: every one of a server, or those that stand for them.
const (
	allProfiles = "all"
	fewProfiles = "representative"
)

// plan lists the runs: the reference unless targets were named, then each
// server's versions from the oldest, then the clients' likewise. A suite that
// has the same package as an older one is left out.
func (w wish) plan(ctx context.Context, progress func(string)) ([]cell, []matrix.Skip, error) {
	var skipped []matrix.Skip
	var there []string
	offers := make(map[string][]containers.Offer)
	for _, suite := range w.Suites {
		list, err := containers.Offers(ctx, suite, progress)
		switch {
		case errors.Is(err, containers.ErrNoEngine) || ctx.Err() != nil:
			return nil, nil, err
		case err != nil:
			skipped = append(skipped, matrix.Skip{What: suite, Why: err.Error()})
			continue
		}
		there = append(there, suite)
		for _, o := range list {
			same := func(older containers.Offer) bool { return older.Version == o.Version }
			if i := slices.IndexFunc(offers[o.Target], same); i >= 0 {
				continue
			}
			offers[o.Target] = append(offers[o.Target], o)
		}
	}
	cells := w.referenceCells()
	found := false
	for _, name := range w.Targets {
		for _, o := range offers[name] {
			for _, p := range w.chosen(o.Profiles, o.Representative) {
				found = true
				cells = append(cells, cell{Image: o.Image, order: order{
					Target: name, Suite: o.Release, Provider: containers.Container, Profile: p, Seed: 1,
				}})
			}
		}
	}
	if !found {
		return nil, nil, fmt.Errorf("none of %v in %v can be set up as %v%s", w.Targets, w.Suites, w.Profiles, becauseOf(skipped))
	}
	peers, missing, err := w.clientPeers(ctx, there, progress)
	if err != nil {
		return nil, nil, err
	}
	for _, p := range peers {
		cells = append(cells, clientCell(p))
	}
	return cells, append(skipped, missing...), nil
}

// clientCell judges a client program.
func clientCell(p matrix.Peer) cell {
	c := clientOrder{
		Program: p.Name, Provider: containers.Container, Suite: p.Release, Seed: 1, Timeout: clientPatience, Does: string(caller.Visit),
	}
	return cell{Image: p.Image, order: order{Target: p.Name, Suite: p.Release, Provider: containers.Container, Seed: 1, Client: &c}}
}

func becauseOf(skipped []matrix.Skip) string {
	if len(skipped) == 0 {
		return ""
	}
	return fmt.Sprintf(": %s: %s", skipped[0].What, skipped[0].Why)
}

func (w wish) referenceCells() []cell {
	var cells []cell
	if w.alone {
		return nil
	}
	for _, p := range w.chosen(inprocess.Profiles(), inprocess.Profiles()) {
		cells = append(cells, cell{order: order{Target: reference, Provider: containers.Container, Profile: p, Seed: 1}})
	}
	return cells
}

// chosen are those of a server's profiles that were asked for; stand are the
// representative ones.
func (w wish) chosen(profiles, stand []string) []string {
	asked := func(name string) bool { return slices.Contains(w.Profiles, name) }
	var list []string
	for _, p := range profiles {
		if asked(allProfiles) || asked(p) || asked(fewProfiles) && slices.Contains(stand, p) {
			list = append(list, p)
		}
	}
	return list
}

// still reports whether r, of an earlier matrix, is what running the cell would
// give: the same suite, all of it, on the same image. A suite that was built
// from uncommitted files is never the same.
func (c cell) still(r result.Result) bool {
	return r.Suite.Version == version() && !unsettled(version()) &&
		r.Suite.Filter == c.Filter && r.Suite.Seed == c.Seed &&
		r.Target.Name == c.subject() && r.Target.Suite == c.Suite && (c.Client != nil || r.Target.Profile == c.Profile) &&
		r.Target.Image == c.Image && r.EndedEarly == ""
}

// subject is what results call what the cell judges.
func (c cell) subject() string {
	if c.Client != nil {
		return matrix.ClientPrefix + c.Target
	}
	return c.Target
}
