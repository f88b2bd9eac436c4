package runs

import (
	"context"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/conformance"
	"nbdconform/conformance/clause"
	"nbdconform/reports/result"
)

// server opens the server and runs the suite on it.
func (c *child) server(ctx context.Context) error {
	all, err := conformance.List(clause.Server, c.job.Filter)
	if err != nil {
		return err
	}
	planned, err := c.plan(all, "nbdconform list")
	if err != nil {
		return err
	}
	t, err := c.job.Open(ctx, c.progress)
	if err != nil {
		return err
	}
	defer func() { _ = t.Close() }()
	subject, err := conformance.DiscoverServer(ctx, t, conformance.ServerOptions{
		Export: c.job.Export, Destructive: t.Profile().Destructive, Timeout: c.job.Timeout, Record: c.job.EvidenceDir != "",
		Seed: c.job.Seed,
	})
	if err != nil {
		return err
	}
	return c.round(ctx, subject, planned)
}

// client opens the client program and runs the suite on it.
func (c *child) client(ctx context.Context) error {
	who := c.job.Client
	all, err := conformance.List(clause.Client, who.Filter)
	if err != nil {
		return err
	}
	planned, err := c.plan(all, "nbdconform list --clients")
	if err != nil {
		return err
	}
	program, err := who.Open(ctx, c.progress)
	if err != nil {
		return err
	}
	defer func() { _ = program.Close() }()
	subject, err := conformance.DiscoverClient(ctx, program, conformance.ClientOptions{Timeout: who.Timeout, Record: c.job.EvidenceDir != ""})
	if err != nil {
		return err
	}
	return c.round(ctx, subject, planned)
}

// filterFor is the filter that runs alone what a line of the result is about.
func filterFor(j *job.Job, s result.Spec) string { return conformance.FilterFor(side(j), s) }

func side(j *job.Job) clause.Side {
	if j.Client != nil {
		return clause.Client
	}
	return clause.Server
}
