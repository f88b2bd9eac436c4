package interop

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"

	"nbdconform/conformance/usage"
	"nbdconform/containers"
	"nbdconform/containers/clients"
	"nbdconform/containers/pairing"
	"nbdconform/reports/matrix"
)

// A Record is what was heard of the reference with one peer.
type Record struct {
	Server bool        // the reference was the server, and the peer the client
	Peer   matrix.Peer // the program that others wrote
	Items  usage.Set
}

// A Report is what the reference did with whom.
type Report struct {
	Releases []string
	Self     usage.Set // the reference with itself
	Records  []Record
	Pairings []matrix.Pairing
}

// A Progress is told how far a run is. Its methods may be called at any time.
type Progress interface {
	Plan(steps int)
	Start(step string)
	Done(step, how string)
}

// setups are the profiles in which the reference client drives a server.
var setups = map[string][]string{
	"qemu-nbd":            {"default", "read-only", "named", "qcow2", "min-block-4096", "tls-required", "tls-psk", "tls-anon"},
	"nbdkit":              {"default", "read-only", "min-block-4096", "oldstyle", "mask-handshake-0", "names", "eval-write", "tls", "tls-required", "tls-psk"},
	"qemu-storage-daemon": {"default"},
	"nbd-server":          {"default", "read-only", "rotational", "several-exports", "tls", "tls-required"},
}

// homes are the profiles in which the reference server meets clients.
var homes = []string{"default", "no-extended-headers"}

// A step is one peer.
type step struct {
	name string
	do   func(context.Context) (Record, []matrix.Pairing, error)
}

// Run has the reference client meet every server and the reference server every
// client program of the releases. An error means that there is no report.
func Run(ctx context.Context, releases []string, p Progress) (*Report, error) {
	r := &Report{Releases: releases}
	var steps []step
	for _, release := range releases {
		servers, err := containers.Offers(ctx, release, func(s string) { p.Done(s, "") })
		if err != nil {
			return nil, err
		}
		for _, o := range servers {
			if len(o.Profiles) == 0 { // the version can't be set up at all
				continue
			}
			steps = append(steps, step{o.Target + " " + release, func(ctx context.Context) (Record, []matrix.Pairing, error) {
				return meetServer(ctx, o)
			}})
		}
		programs, err := pairing.Offers(ctx, release, clients.Names(), nil)
		if err != nil {
			return nil, err
		}
		for _, peer := range programs {
			steps = append(steps, step{peer.String(), func(ctx context.Context) (Record, []matrix.Pairing, error) {
				return meetClient(ctx, peer)
			}})
		}
	}
	p.Plan(len(steps) + 1)
	p.Start("the reference with itself")
	var err error
	if r.Self, err = self(ctx); err != nil {
		return nil, err
	}
	p.Done("the reference with itself", fmt.Sprintf("%d items", len(r.Self)))
	err = r.all(ctx, steps, p)
	return r, err
}

func (r *Report) all(ctx context.Context, steps []step, p Progress) error {
	records, pairings, errs := make([]Record, len(steps)), make([][]matrix.Pairing, len(steps)), make([]error, len(steps))
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
	queue := make(chan int)
	var workers sync.WaitGroup
	for range 2 * runtime.NumCPU() {
		workers.Go(func() {
			for i := range queue {
				do(i)
			}
		})
	}
	for i := range steps {
		queue <- i
	}
	close(queue)
	workers.Wait()
	for i := range steps { // a container that was slow to start among others has another try
		if errs[i] != nil && ctx.Err() == nil {
			do(i)
		}
	}
	r.Records, r.Pairings = records, slices.Concat(pairings...)
	return errors.Join(append(errs, ctx.Err())...)
}

// meetServer drives a server in several profiles, and has the reference client
// do what people do with it.
func meetServer(ctx context.Context, o containers.Offer) (Record, []matrix.Pairing, error) {
	rec := Record{Items: usage.Set{}, Peer: matrix.Peer{Name: o.Target, Release: o.Release, Version: o.Version, Image: o.Image}}
	for _, profile := range setups[o.Target] {
		if !slices.Contains(o.Profiles, profile) {
			continue
		}
		t, err := containers.Open(ctx, containers.Request{Target: o.Target, Release: o.Release, Profile: profile})
		if err != nil {
			return rec, nil, err
		}
		items := drive(ctx, t)
		kind := usage.X509
		switch profile {
		case "tls-psk":
			kind = usage.PSK
		case "tls-anon":
			kind = usage.Anonymous
		}
		items.Join(withTLS(items, t.Profile().TLS, kind))
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
	pairings, err := rec.pair(ctx, c, s)
	return rec, pairings, err
}

// meetClient has a client program do what people do with it at the reference
// server.
func meetClient(ctx context.Context, peer matrix.Peer) (Record, []matrix.Pairing, error) {
	rec := Record{Server: true, Items: usage.Set{}, Peer: peer}
	c, err := pairing.OpenClient(ctx, peer.Name, peer.Release)
	if err != nil {
		return rec, nil, err
	}
	defer func() { _ = c.Close() }()
	var all []matrix.Pairing
	for _, profile := range homes {
		s, err := pairing.OpenServerAs(ctx, pairing.Reference, "", profile)
		if err != nil {
			return rec, nil, err
		}
		list, err := rec.pair(ctx, c, s)
		_ = s.Close()
		if err != nil {
			return rec, nil, err
		}
		for i := range list {
			if profile != homes[0] {
				list[i].Server.Name += ", " + profile
			}
		}
		all = append(all, list...)
	}
	return rec, all, errors.Join(rec.provoke(ctx, c), rec.encrypt(ctx, c))
}

// pair has a client and a server do everything.
func (rec *Record) pair(ctx context.Context, c *pairing.Client, s *pairing.Server) ([]matrix.Pairing, error) {
	results, err := (&pairing.Pair{Client: c, Server: s}).Do(ctx)
	var list []matrix.Pairing
	for _, r := range results {
		list = append(list, r.Pairing)
		if r.Outcome != matrix.Works && r.Outcome != matrix.Degraded {
			continue
		}
		rec.Items.Join(r.Observed.Items)
		switch r.Activity {
		case matrix.TLS:
			rec.Items.Add(usage.Item{Kind: usage.Extension, Name: usage.X509})
		case matrix.TLSKey:
			rec.Items.Add(usage.Item{Kind: usage.Extension, Name: usage.PSK})
		}
	}
	return list, err
}

// Known is a pairing that does not work, and not for a fault of the reference.
type Known struct {
	Client   string // what its name begins with
	Server   string // likewise
	Activity matrix.Activity
	Why      string
}

// known are all of them.
var known = []Known{
	{
		"qemu-img", "reference", matrix.CopyIn,
		"QEMU sends NBD_CMD_WRITE without NBD_CMD_FLAG_PAYLOAD_LEN once extended headers were negotiated, and the flag is mandatory",
	},
	{
		"reference", "nbd-server", matrix.Connect,
		"nbd-server answers NBD_OPT_INFO with a size of 0",
	},
	{
		"reference", "nbd-server", matrix.TLS,
		"nbd-server answers NBD_OPT_INFO with a size of 0",
	},
}

// Reason is why a pairing that does not work is no surprise, or "".
func Reason(p matrix.Pairing) string {
	for _, k := range known {
		if strings.HasPrefix(p.Client.Name, k.Client) && strings.HasPrefix(p.Server.Name, k.Server) && p.Activity == k.Activity {
			return k.Why
		}
	}
	return ""
}

// Failures are the pairings that don't work and that nobody expected.
func (r *Report) Failures() (unexpected, expected []matrix.Pairing) {
	for _, p := range r.Pairings {
		switch {
		case p.Outcome != matrix.Broken && p.Outcome != matrix.Corrupt:
		case Reason(p) == "":
			unexpected = append(unexpected, p)
		default:
			expected = append(expected, p)
		}
	}
	return unexpected, expected
}
