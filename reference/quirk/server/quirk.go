// Package serverquirk is the catalogue of deliberate misbehaviour of the
// reference server. The specs for servers prove with it that they can fail, and
// the specs for clients use it as a stimulus.
package serverquirk

import (
	"slices"

	"nbdconform/reference/quirk"
	"nbdconform/reference/server"
)

// A Quirk is one departure of a server from what clients expect. Its zero value conforms.
type Quirk struct {
	Name    string // lower case, with dashes; unique
	Breaks  string // id of the clause that is broken; "" if Allowed
	Allowed bool   // unusual, and correct
	// Permitted, with Allowed, has the ids of the clauses that permit what it
	// does. The proof that it is allowed is what these are tested by, so it has to
	// be what specs come across in Profile of the reference server, "" for the
	// default.
	Permitted []string
	Profile   string
	Unwell    bool   // with Allowed: requests fail for what is no matter of the protocol, so that specs may be inconclusive
	Unseen    string // why no spec for servers can notice it; it may serve as a stimulus for clients
	Doc       string // what it does, as a sentence without a subject

	Hooks  server.Hooks         // without state
	New    func() server.Hooks  // instead of Hooks: makes those of one connection, which may have state
	Config func(*server.Config) // changes the server as a whole, before it starts; may set hooks with state of the server
}

// Facts implements [quirk.Quirk].
func (q Quirk) Facts() quirk.Facts {
	return quirk.Facts{Name: q.Name, Breaks: q.Breaks, Allowed: q.Allowed, Permitted: q.Permitted, Doc: q.Doc}
}

// Apply puts the quirk into the configuration of a server, in place of the
// hooks that are there.
func (q Quirk) Apply(cfg *server.Config) {
	cfg.Hooks, cfg.ConnHooks = &q.Hooks, q.New
	if q.Config != nil {
		cfg.Exports = slices.Clone(cfg.Exports) // they may be shared with another server
		q.Config(cfg)
	}
}

var catalogue quirk.Catalogue[Quirk]

// register adds q to the catalogue.
func register(q Quirk) Quirk { return catalogue.Add(q) }

// Get returns the quirk of the name.
func Get(name string) (Quirk, bool) { return catalogue.Get(name) }

// All returns the quirks in alphabetical order.
func All() []Quirk { return catalogue.All() }

// skip makes hooks that don't enforce the clauses.
func skip(clauses ...string) server.Hooks {
	m := make(map[string]bool, len(clauses))
	for _, c := range clauses {
		m[c] = true
	}
	return server.Hooks{Skip: m}
}
