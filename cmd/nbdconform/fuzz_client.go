package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"nbdconform/conformance/caller"
	"nbdconform/fuzz/campaign"
	"nbdconform/reports/fuzzing"
)

// client reports whether the order is about a client.
func (o *fuzzOrder) client() bool { return o.Client != "" || o.Does != "" }

// checkClient refuses what makes no sense with --client.
func (o *fuzzOrder) checkClient() error {
	switch {
	case o.Target != "" || o.URI != "" || o.Against != "" || o.Profile != "" || len(o.Corpus)+len(o.Baselines) > 0:
		return errors.New("a client visits our own server: leave out what says which server, and --corpus and --baseline")
	case o.Does != "" && len(o.Command) == 0:
		return fmt.Errorf("--does %s says what a command behind -- does, and there is none", o.Does)
	case o.Does != "" && !slices.Contains(caller.Activities, caller.Activity(o.Does)):
		return fmt.Errorf("--does %s: use one of %s", o.Does, join(caller.Activities))
	}
	who := o.program()
	return who.checkProgram()
}

// program is the client that the order names.
func (o *fuzzOrder) program() clientOrder {
	return clientOrder{Program: o.Client, Command: o.Command, Does: o.Does, Provider: o.Provider, Suite: o.Suite, Quirk: o.Quirk}
}

// fuzzClient runs a campaign on a client program.
func (o *fuzzOrder) fuzzClient(ctx context.Context, show fuzzDisplay) (fuzzing.Record, error) {
	defer show.close()
	who := o.program()
	c, err := who.open(ctx, show.step)
	if err != nil {
		return fuzzing.Record{}, err
	}
	defer func() { _ = c.Close() }()
	id := c.Identity()
	return campaign.RunClient(ctx, campaign.ClientOptions{
		Guest: campaign.Guest{Caller: c, Timeout: 10 * max(o.Patience, time.Second)},
		Options: campaign.Options{
			Subject: fuzzing.Subject{
				Kind: "client", Name: id.Name, Version: id.Version, Provider: id.Provider, Suite: id.Suite, Image: id.Image, Quirk: o.Quirk, Command: id.Command,
			},
			Dir: o.dir(), Goal: o.Time, Seed: o.Seed, Shard: o.shard, Shards: o.shards, Suite: version(), Progress: show.progress,
		},
	})
}
