package quirk

import (
	"fmt"
	"slices"

	"nbdconform/reference/client"
	"nbdconform/reference/server"
)

// A Side is the party of the protocol that misbehaves.
type Side string

// The sides.
const (
	Server Side = "server"
	Client Side = "client"
)

// A Quirk is one departure from what everybody expects. Its zero value conforms.
type Quirk struct {
	Name    string // lower case, with dashes; unique
	Side    Side   // "" in register: Server
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

	// Of a client's quirk, likewise:
	ClientHooks  client.Hooks
	NewClient    func() client.Hooks
	ClientConfig func(*client.Config)
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

var (
	all    []Quirk
	byName = make(map[string]Quirk)

	clients       []Quirk
	clientsByName = make(map[string]Quirk)
)

// register adds q to the catalogue. Every quirk is a variable whose
// declaration calls it, so that specs name quirks and the compiler checks them.
func register(q Quirk) Quirk {
	if q.Side == "" {
		q.Side = Server
	}
	if _, taken := byName[q.Name]; taken || q.Name == "" {
		panic(fmt.Sprintf("quirk %q is there twice, or has no name", q.Name))
	}
	byName[q.Name] = q
	all = append(all, q)
	return q
}

// Get returns the quirk of the name.
func Get(name string) (Quirk, bool) {
	q, ok := byName[name]
	return q, ok
}

// registerClient adds a misbehaviour of the reference client.
func registerClient(q Quirk) Quirk {
	q.Side = Client
	if _, taken := clientsByName[q.Name]; taken || q.Name == "" {
		panic(fmt.Sprintf("client quirk %q is there twice, or has no name", q.Name))
	}
	clientsByName[q.Name] = q
	clients = append(clients, q)
	return q
}

// GetClient returns the client's quirk of the name.
func GetClient(name string) (Quirk, bool) {
	q, ok := clientsByName[name]
	return q, ok
}

// AllClient returns the quirks of the reference client, in alphabetical order.
func AllClient() []Quirk { return sorted(clients) }

// All returns the quirks of the reference server, in alphabetical order.
func All() []Quirk { return sorted(all) }

func sorted(list []Quirk) []Quirk {
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Quirk) int {
		if a.Name < b.Name {
			return -1
		}
		return 1
	})
	return list
}

// skip makes hooks that don't enforce the clauses.
func skip(clauses ...string) server.Hooks {
	m := make(map[string]bool, len(clauses))
	for _, c := range clauses {
		m[c] = true
	}
	return server.Hooks{Skip: m}
}
