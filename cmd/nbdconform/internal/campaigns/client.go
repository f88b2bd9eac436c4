package campaigns

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/conformance/subject"
	"nbdconform/fuzz/campaign"
	"nbdconform/reports/fuzzing"
)

// IsClient reports whether the request is about a client.
func (r *Request) IsClient() bool { return r.Program != "" || r.Does != "" }

// checkClient refuses what makes no sense with --client.
func (r *Request) checkClient() error {
	switch {
	case r.Target != "" || r.URI != "" || r.Against != "" || r.Profile != "" || len(r.Corpus)+len(r.Baselines) > 0:
		return errors.New("a client visits our own server: leave out what says which server, and --corpus and --baseline")
	case r.Does != "" && len(r.Command) == 0:
		return fmt.Errorf("--does %s says what a command after -- does, and there is none", r.Does)
	case r.Does != "" && !slices.Contains(subject.Operations, subject.Operation(r.Does)):
		return fmt.Errorf("--does %s: use one of %s", r.Does, job.Join(subject.Operations))
	}
	who := r.program()
	return who.CheckProgram()
}

// program is the client that the request names.
func (r *Request) program() job.Client {
	return job.Client{Program: r.Program, Command: r.Command, Does: r.Does, Provider: r.Provider, Release: r.Release, Quirk: r.Quirk}
}

// client runs a campaign on a client program.
func (r *Request) client(ctx context.Context, show console.Campaign) (fuzzing.Record, error) {
	defer show.Close()
	who := r.program()
	c, err := who.Open(ctx, show.Step)
	if err != nil {
		return fuzzing.Record{}, err
	}
	defer func() { _ = c.Close() }()
	id := c.Identity()
	return campaign.RunClient(ctx, campaign.ClientOptions{
		Client: campaign.Client{Program: c, Timeout: 10 * max(r.Patience, time.Second)},
		Options: campaign.Options{
			Subject: fuzzing.Subject{
				Kind: "client", Name: id.Name, Version: id.Version, Provider: id.Provider, Release: id.Release, Image: id.Image, Quirk: r.Quirk, Command: id.Command,
			},
			Dir: r.Directory(), Goal: r.Time, Seed: r.Seed, Shard: r.shard, Shards: r.shards, Suite: r.Version, Progress: show.Progress,
		},
	})
}
