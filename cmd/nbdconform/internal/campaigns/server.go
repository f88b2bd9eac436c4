package campaigns

import (
	"cmp"
	"context"
	"fmt"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/fuzz/campaign"
	"nbdconform/reports/baseline"
	"nbdconform/reports/fuzzing"
	"nbdconform/reports/result"
)

// server fuzzes one target in one profile.
func (r *Request) server(ctx context.Context, show console.Campaign) (fuzzing.Record, error) {
	defer show.Close()
	server, subject, err := r.serverOf(ctx, &r.Job, show.Step)
	if err != nil {
		return fuzzing.Record{}, err
	}
	defer func() { _ = server.Close() }()
	opts := campaign.Options{
		Subject: subject, Server: server, Guide: campaign.Reference{Profile: r.guide()},
		Dir: r.Directory(), Goal: r.Time, Seed: r.Seed, Shard: r.shard, Shards: r.shards, Suite: r.Version,
		Seeds: r.Corpus, ReadOnly: r.URI != "" && !r.Destructive, Patience: r.Patience, Progress: show.Progress,
	}
	if opts.Known, err = r.known(subject); err != nil {
		return fuzzing.Record{}, err
	}
	if r.Against != "" {
		other, err := r.other()
		if err != nil {
			return fuzzing.Record{}, err
		}
		b, about, err := r.serverOf(ctx, &other, show.Step)
		if err != nil {
			return fuzzing.Record{}, err
		}
		defer func() { _ = b.Close() }()
		opts.Against, opts.AgainstSubject = b, about
	}
	return campaign.Run(ctx, opts)
}

// guide is the profile of the reference server that is nearest.
func (r *Request) guide() string {
	for _, p := range referenceserver.Profiles() {
		if p == r.Profile {
			return p
		}
	}
	return ""
}

// known lists the clauses that a subject is known to break.
func (r *Request) known(s fuzzing.Subject) (map[string]string, error) {
	if len(r.Baselines) == 0 {
		return nil, nil
	}
	files, err := baseline.Load(r.Baselines...)
	if err != nil {
		return nil, err
	}
	return baseline.Clauses(files, result.Target{Name: s.Name, Version: s.Version, Release: s.Release, Profile: s.Profile}), nil
}

// serverOf starts, or finds, what a job names.
func (r *Request) serverOf(ctx context.Context, j *job.Job, progress func(string)) (campaign.Server, fuzzing.Subject, error) {
	if j.Target == job.Reference {
		own := campaign.Reference{Profile: j.Profile, Quirk: j.Quirk}
		_, about, err := referenceserver.Config(j.Profile, referenceserver.DefaultSize, j.Quirk)
		return own, fuzzing.Subject{
			Kind: "server", Name: job.Reference, Provider: subject.InProcess, Version: r.Version, Profile: about.Name, Quirk: j.Quirk,
		}, err
	}
	t, err := j.Open(ctx, progress)
	if err != nil {
		return nil, fuzzing.Subject{}, fmt.Errorf("%s: %w", cmp.Or(j.Target, j.URI, "the command"), err)
	}
	return campaign.Served(t), subjectOf(t), nil
}

func subjectOf(t subject.Server) fuzzing.Subject {
	id := t.Identity()
	return fuzzing.Subject{
		Kind: "server", Name: id.Name, Version: id.Version, Provider: id.Provider, Release: id.Release,
		Profile: t.Profile().Name, Image: id.Image, Command: id.Command,
	}
}
