package interop

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"

	"golang.org/x/sync/errgroup"

	"nbdconform/conformance/usage"
	"nbdconform/containers"
	"nbdconform/containers/clients"
	"nbdconform/containers/internal/servers"
	"nbdconform/containers/pairing"
	"nbdconform/reports/matrix"
)

// A Record is what was observed of the reference with one peer.
type Record struct {
	Server bool        // the reference was the server, and the peer the client
	Peer   matrix.Peer // the program of others
	Items  usage.Set
}

// A Pairing is one operation of the reference with another program.
type Pairing struct {
	matrix.Pairing
	Profile string // of the reference server; "": the reference is the client
}

// String names the operation and the two programs.
func (p Pairing) String() string {
	text := fmt.Sprintf("%s of %s with %s", p.Operation, p.Client, p.Server)
	if p.Profile != "" && p.Profile != referenceProfiles[0] {
		text += ", " + p.Profile
	}
	return text
}

// A Report is what was observed of the reference with every program.
type Report struct {
	Releases []string
	Self     usage.Set // the reference with itself
	Records  []Record
	Pairings []Pairing
}

// A Progress shows how far a run is. Its methods may be called at any time.
type Progress interface {
	Plan(steps int)
	Start(step string)
	Done(step, how string)
}

// referenceProfiles are the profiles of the reference server that clients are run
// against.
var referenceProfiles = []string{"default", "no-extended-headers"}

// A step is one peer.
type step struct {
	name string
	do   func(context.Context) (Record, []Pairing, error)
}

// Run runs the reference client against every server, and every client program
// against the reference server, of the releases. An error means that there is no
// report.
func Run(ctx context.Context, releases []string, p Progress) (*Report, error) {
	r := &Report{Releases: releases}
	var steps []step
	for _, release := range releases {
		offers, err := containers.Offers(ctx, release, func(s string) { p.Done(s, "") })
		if err != nil {
			return nil, err
		}
		for _, o := range offers {
			if len(o.Profiles) == 0 { // the version can't be set up at all
				continue
			}
			steps = append(steps, step{o.Target + " " + release, func(ctx context.Context) (Record, []Pairing, error) {
				return runServer(ctx, o)
			}})
		}
		programs, err := pairing.Offers(ctx, release, clients.Names(), nil)
		if err != nil {
			return nil, err
		}
		for _, peer := range programs {
			steps = append(steps, step{peer.String(), func(ctx context.Context) (Record, []Pairing, error) {
				return runClient(ctx, peer)
			}})
		}
	}
	p.Plan(len(steps) + 1)
	p.Start("the reference with itself")
	var err error
	if r.Self, err = withItself(ctx); err != nil {
		return nil, err
	}
	p.Done("the reference with itself", fmt.Sprintf("%d items", len(r.Self)))
	err = r.all(ctx, steps, p)
	return r, err
}

// all does the steps, several at once, and each that fails a second time: a
// container that was slow to start among others is not a failure.
func (r *Report) all(ctx context.Context, steps []step, p Progress) error {
	records, pairings, errs := make([]Record, len(steps)), make([][]Pairing, len(steps)), make([]error, len(steps))
	do := func(i int) {
		p.Start(steps[i].name)
		records[i], pairings[i], errs[i] = steps[i].do(ctx)
		how := fmt.Sprintf("%d items", len(records[i].Items))
		if errs[i] != nil {
			errs[i] = fmt.Errorf("%s: %w", steps[i].name, errs[i])
			how = errs[i].Error()
		}
		p.Done(steps[i].name, how)
	}
	var workers errgroup.Group
	workers.SetLimit(2 * runtime.NumCPU())
	for i := range steps {
		workers.Go(func() error {
			do(i)
			return nil // each step has its own error, and ends none of the others
		})
	}
	_ = workers.Wait()
	for i := range steps {
		if errs[i] != nil && ctx.Err() == nil {
			do(i)
		}
	}
	r.Records, r.Pairings = records, slices.Concat(pairings...)
	return errors.Join(append(errs, ctx.Err())...)
}

// runServer uses a server with the reference client in several profiles, and has
// the reference client do every operation with it.
func runServer(ctx context.Context, o containers.Offer) (Record, []Pairing, error) {
	rec := Record{Items: usage.Set{}, Peer: matrix.Peer{Name: o.Target, Release: o.Release, Version: o.Version, Image: o.Image}}
	p, err := servers.Find(o.Target)
	if err != nil {
		return rec, nil, err
	}
	for _, name := range p.Interop {
		if !slices.Contains(o.Profiles, name) {
			continue
		}
		profile, err := p.Profile(name)
		if err != nil {
			return rec, nil, err
		}
		t, err := containers.Open(ctx, containers.Request{Target: o.Target, Release: o.Release, Profile: name})
		if err != nil {
			return rec, nil, err
		}
		items := drive(ctx, t)
		items.Join(withTLS(items, t.Profile().TLS, extensionOf[profile.Kind]))
		rec.Items.Join(items)
		if err := t.Close(); err != nil {
			return rec, nil, err
		}
	}
	c, err := pairing.OpenClient(ctx, pairing.Reference, "")
	if err != nil {
		return rec, nil, err
	}
	defer func() { _ = c.Close() }()
	s, err := pairing.OpenServer(ctx, o.Target, o.Release)
	if err != nil {
		return rec, nil, err
	}
	defer func() { _ = s.Close() }()
	pairings, err := rec.pair(ctx, c, s, "")
	return rec, pairings, err
}

// runClient has a client program do every operation with the reference server,
// and runs it in every scenario.
func runClient(ctx context.Context, peer matrix.Peer) (Record, []Pairing, error) {
	rec := Record{Server: true, Items: usage.Set{}, Peer: peer}
	c, err := pairing.OpenClient(ctx, peer.Name, peer.Release)
	if err != nil {
		return rec, nil, err
	}
	defer func() { _ = c.Close() }()
	var all []Pairing
	for _, profile := range referenceProfiles {
		s, err := pairing.OpenServerAs(ctx, pairing.Reference, "", profile)
		if err != nil {
			return rec, nil, err
		}
		list, err := rec.pair(ctx, c, s, profile)
		_ = s.Close()
		if err != nil {
			return rec, nil, err
		}
		all = append(all, list...)
	}
	return rec, all, errors.Join(rec.runScenarios(ctx, c), rec.runWithGnuTLS(ctx, c))
}

// pair has a client do every operation with a server.
func (rec *Record) pair(ctx context.Context, c *pairing.Client, s *pairing.Server, profile string) ([]Pairing, error) {
	results, err := (&pairing.Pair{Client: c, Server: s}).Do(ctx)
	var list []Pairing
	for _, r := range results {
		list = append(list, Pairing{r.Pairing, profile})
		if r.Outcome != matrix.Works && r.Outcome != matrix.Degraded {
			continue
		}
		rec.Items.Join(r.Observed.Items)
		switch r.Operation {
		case matrix.TLS:
			rec.Items.Add(usage.Item{Kind: usage.Extension, Name: usage.X509})
		case matrix.TLSKey:
			rec.Items.Add(usage.Item{Kind: usage.Extension, Name: usage.PSK})
		}
	}
	return list, err
}
