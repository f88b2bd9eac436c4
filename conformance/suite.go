package conformance

import (
	"context"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/clients"
	"nbdconform/conformance/internal/encounter"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/conformance/internal/runner"
	"nbdconform/conformance/internal/servers"
	"nbdconform/conformance/internal/session"
	"nbdconform/conformance/internal/spec"
	"nbdconform/conformance/subject"
	"nbdconform/reports/result"
)

type (
	// A Subject is a server or a client under test, with what was found out about
	// it before the first spec.
	Subject = runner.Subject
	// A Listing is one spec in a list.
	Listing = runner.Listing
	// A Spec is what a spec says of itself.
	Spec = spec.Spec
	// A Config says what a round runs and where it tells about it.
	Config = runner.Config
	// A Round is one run of the specs on one subject.
	Round = runner.Round
	// Evidence is what there is to show for one line of a result.
	Evidence = outcome.Evidence
	// ServerOptions are what the user decides about a run on a server.
	ServerOptions = session.Options
	// ClientOptions are what the user decides about a run on a client.
	ClientOptions = encounter.Options
)

// Document is the revision of the specification that the specs go by.
var Document = runner.Document

// List lists all specs for servers or for clients in the order of their ids, and
// marks those that the filter selects: a spec's id, a clause's id, or a label
// filter. A filter that can't be read is an error.
func List(side clause.Side, filter string) ([]Listing, error) { return runner.List(side, filter) }

// Judged lists the clauses that the judge holds servers or clients to on every
// connection.
func Judged(side clause.Side) []clause.ID {
	if side == clause.Client {
		return clients.Judged()
	}
	return servers.Judged()
}

// DiscoverServer connects to a server and finds out what it has. The error is
// that of a server on which nothing can be tested.
func DiscoverServer(ctx context.Context, t subject.Server, o ServerOptions) (Subject, error) {
	s, err := session.Discover(ctx, t, o)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// DiscoverClient has a client do what it claims it can do with a server that
// behaves. The error is that of a client that can't be run.
func DiscoverClient(ctx context.Context, c subject.Client, o ClientOptions) (Subject, error) {
	s, err := encounter.Discover(ctx, c, o)
	if err != nil {
		return nil, err
	}
	return s, nil
}

// NewRound makes a round of the specs that the filter selects. None at all is an
// error.
func NewRound(c Config) (*Round, error) { return runner.NewRound(c) }

// FilterFor is the filter that runs alone what a line of a result is about: the
// spec, or for a line of the judge the spec in which the clause was first broken.
func FilterFor(side clause.Side, line result.Spec) string {
	if line.Group != result.JudgeGroup {
		return line.ID
	}
	switch {
	case line.Location == "":
		return line.Clauses[0]
	case line.Location != runner.Discovery:
		return line.Location
	case side == clause.Client: // before any spec
		return encounter.Baseline + "." + string(subject.Visit)
	}
	return session.FixedSpec
}
