package matrix

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/containers"
	"nbdconform/containers/pairing"
	report "nbdconform/reports/matrix"
)

// plan lists the runs of a request, and what is missing. It builds the images
// of the releases if need be.
func plan(ctx context.Context, r Request, progress func(string)) ([]cell, []report.Skip, error) {
	var skipped []report.Skip
	var found []string
	offers := make(map[string][]containers.Offer)
	for _, release := range r.Releases {
		list, err := containers.Offers(ctx, release, progress)
		switch {
		case errors.Is(err, containers.ErrNoEngine) || ctx.Err() != nil:
			return nil, nil, err
		case err != nil:
			skipped = append(skipped, report.Skip{What: release, Why: err.Error()})
			continue
		}
		found = append(found, release)
		offers[release] = list
	}
	servers := r.serverCells(found, offers)
	if len(servers) == 0 {
		return nil, nil, fmt.Errorf("none of %v in %v can be set up as %v%s", r.Targets, r.Releases, r.Profiles, becauseOf(skipped))
	}
	peers, missing, err := r.clientPeers(ctx, found, progress)
	if err != nil {
		return nil, nil, err
	}
	cells := append(r.referenceCells(), servers...)
	for _, p := range peers {
		cells = append(cells, clientCell(p))
	}
	return cells, append(skipped, missing...), nil
}

// referenceCells are those of the reference server, unless targets were named.
func (r Request) referenceCells() []cell {
	var cells []cell
	if r.alone {
		return nil
	}
	for _, p := range r.chosen(referenceserver.Profiles(), referenceserver.Profiles()) {
		cells = append(cells, cell{Job: job.Job{Target: job.Reference, Provider: containers.Container, Profile: p, Seed: 1}})
	}
	return cells
}

// serverCells are those of the other servers, each with its versions from the
// oldest. A release that has the same version as an older one is left out.
func (r Request) serverCells(releases []string, offers map[string][]containers.Offer) (cells []cell) {
	for _, name := range r.Targets {
		var versions []string
		for _, release := range releases {
			for _, o := range offers[release] {
				if o.Target != name || slices.Contains(versions, o.Version) {
					continue
				}
				versions = append(versions, o.Version)
				for _, p := range r.chosen(o.Profiles, o.Representative) {
					cells = append(cells, cell{image: o.Image, slow: slices.Contains(o.Slow, p), Job: job.Job{
						Target: name, Release: o.Release, Provider: containers.Container, Profile: p, Seed: 1,
					}})
				}
			}
		}
	}
	return cells
}

// clientCell judges a client program.
func clientCell(p report.Peer) cell {
	c := job.Client{
		Program: p.Name, Provider: containers.Container, Release: p.Release, Seed: 1, Timeout: job.ClientTimeout, Does: string(subject.Visit),
	}
	return cell{image: p.Image, Job: job.Job{Target: p.Name, Release: p.Release, Provider: containers.Container, Seed: 1, Client: &c}}
}

func becauseOf(skipped []report.Skip) string {
	if len(skipped) == 0 {
		return ""
	}
	return fmt.Sprintf(": %s: %s", skipped[0].What, skipped[0].Why)
}

// chosen are those of a server's profiles that were asked for.
func (r Request) chosen(profiles, representative []string) []string {
	asked := func(name string) bool { return slices.Contains(r.Profiles, name) }
	var list []string
	for _, p := range profiles {
		if asked(AllProfiles) || asked(p) || asked(RepresentativeProfiles) && slices.Contains(representative, p) {
			list = append(list, p)
		}
	}
	return list
}

// clientPeers lists the clients of releases, each program's versions from the
// oldest, and what is missing. A release that has the same version as an older
// one is left out.
func (r Request) clientPeers(ctx context.Context, releases []string, progress func(string)) ([]report.Peer, []report.Skip, error) {
	all := []report.Peer{{Name: pairing.Reference}}
	var skipped []report.Skip
	for _, release := range releases {
		list, err := pairing.Offers(ctx, release, r.Clients, progress)
		if ctx.Err() != nil {
			return nil, nil, ctx.Err()
		}
		if err != nil {
			skipped = append(skipped, report.Skip{What: "clients of " + release, Why: err.Error()})
		}
		all = append(all, list...)
	}
	var chosen []report.Peer
	for _, name := range r.Clients {
		for _, p := range all {
			same := func(older report.Peer) bool { return older.Name == p.Name && older.Version == p.Version }
			if p.Name == name && !slices.ContainsFunc(chosen, same) {
				chosen = append(chosen, p)
			}
		}
	}
	return chosen, skipped, nil
}
