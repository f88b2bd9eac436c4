package main

import (
	"cmp"
	"context"
	"fmt"

	"nbdconform/conformance/target"
	"nbdconform/conformance/target/inprocess"
	"nbdconform/fuzz/campaign"
	"nbdconform/reports/baseline"
	"nbdconform/reports/fuzzing"
	"nbdconform/reports/result"
)

// campaign fuzzes one target in one profile.
func (o *fuzzOrder) campaign(ctx context.Context, show fuzzDisplay) (fuzzing.Record, error) {
	defer show.close()
	bench, subject, err := benchOf(ctx, &o.order, show.step)
	if err != nil {
		return fuzzing.Record{}, err
	}
	defer func() { _ = bench.Close() }()
	opts := campaign.Options{
		Subject: subject, Bench: bench, Guide: campaign.Reference{Profile: o.guide()},
		Dir: o.dir(), Goal: o.Time, Seed: o.Seed, Shard: o.shard, Shards: o.shards, Suite: version(),
		Seeds: o.Corpus, ReadOnly: o.URI != "" && !o.Destructive, Patience: o.Patience, Progress: show.progress,
	}
	if opts.Known, err = o.known(subject); err != nil {
		return fuzzing.Record{}, err
	}
	if o.Against != "" {
		other, err := o.other()
		if err != nil {
			return fuzzing.Record{}, err
		}
		b, about, err := benchOf(ctx, &other, show.step)
		if err != nil {
			return fuzzing.Record{}, err
		}
		defer func() { _ = b.Close() }()
		opts.Against, opts.AgainstSubject = b, about
	}
	return campaign.Run(ctx, opts)
}

// guide is the profile of the reference server that is nearest.
func (o *fuzzOrder) guide() string {
	for _, p := range inprocess.Profiles() {
		if p == o.Profile {
			return p
		}
	}
	return ""
}

// known lists the clauses that a subject is known to break.
func (o *fuzzOrder) known(s fuzzing.Subject) (map[string]string, error) {
	if len(o.Baselines) == 0 {
		return nil, nil
	}
	files, err := baseline.Load(o.Baselines...)
	if err != nil {
		return nil, err
	}
	return baseline.Clauses(files, result.Target{Name: s.Name, Version: s.Version, Suite: s.Suite, Profile: s.Profile}), nil
}

// benchOf starts, or finds, what an order names.
func benchOf(ctx context.Context, o *order, progress func(string)) (campaign.Bench, fuzzing.Subject, error) {
	if o.Target == reference {
		r := campaign.Reference{Profile: o.Profile, Quirk: o.Quirk}
		_, about, err := inprocess.Config(o.Profile, inprocess.DefaultSize, o.Quirk)
		return r, fuzzing.Subject{
			Kind: "server", Name: reference, Provider: "in-process", Version: version(), Profile: about.Name, Quirk: o.Quirk,
		}, err
	}
	t, err := o.open(ctx, progress)
	if err != nil {
		return nil, fuzzing.Subject{}, fmt.Errorf("%s: %w", cmp.Or(o.Target, o.URI, "the command"), err)
	}
	return campaign.Served(t), subjectOf(t), nil
}

func subjectOf(t target.Target) fuzzing.Subject {
	id := t.Identity()
	return fuzzing.Subject{
		Kind: "server", Name: id.Name, Version: id.Version, Provider: id.Provider, Suite: id.Suite,
		Profile: t.Profile().Name, Image: id.Image, Command: id.Command,
	}
}
