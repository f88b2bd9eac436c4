package runs

import (
	"context"
	"strings"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/conformance/caller"
	"nbdconform/conformance/clients"
	"nbdconform/conformance/encounter"
	"nbdconform/conformance/runner"
	"nbdconform/conformance/servers"
	"nbdconform/conformance/session"
	"nbdconform/reports/result"
)

// server opens the server and runs the suite on it.
func (c *child) server(ctx context.Context) error {
	all, err := servers.List(c.job.Filter)
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
	subject, err := session.Discover(ctx, t, session.Options{
		Export: c.job.Export, Destructive: t.Profile().Destructive, Timeout: c.job.Timeout, Record: c.job.EvidenceDir != "",
	})
	if err != nil {
		return err
	}
	subject.Seed = c.job.Seed
	return c.round(ctx, subject, planned)
}

// client opens the client program and runs the suite on it.
func (c *child) client(ctx context.Context) error {
	who := c.job.Client
	all, err := clients.List(who.Filter)
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
	subject, err := encounter.Discover(ctx, program, encounter.Options{Timeout: who.Timeout, Record: c.job.EvidenceDir != ""})
	if err != nil {
		return err
	}
	return c.round(ctx, subject, planned)
}

// isJudge reports whether a line of a result is the judge's, and no spec's.
func isJudge(s result.Spec) bool { return strings.HasPrefix(s.ID, runner.JudgePrefix) }

// filterFor is the filter that runs a spec alone; for a line of the judge, the
// spec in which the clause was first broken.
func filterFor(j *job.Job, s result.Spec) string {
	if !isJudge(s) {
		return s.ID
	}
	switch s.Location {
	case "":
		return s.Clauses[0]
	case session.Discovery: // comes before any spec
		if j.Client != nil {
			return encounter.Baseline + "." + string(caller.Visit)
		}
		return session.FixedSpec
	}
	return s.Location
}
