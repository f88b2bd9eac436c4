// Package clientquirk is the catalogue of deliberate misbehaviour of the
// reference client. The specs for clients prove with it that they can fail.
package clientquirk

import (
	"nbdconform/reference/client"
	"nbdconform/reference/quirk"
)

// A Quirk is one departure of a client from what servers expect. Its zero value conforms.
type Quirk struct {
	Name      string   // lower case, with dashes; unique
	Breaks    string   // id of the clause that is broken; "" if Allowed
	Allowed   bool     // unusual, and correct
	Permitted []string // with Allowed: ids of the clauses that permit what it does, which specs come across
	Doc       string   // what it does, as a sentence without a subject

	Hooks  client.Hooks         // without state
	New    func() client.Hooks  // instead of Hooks: makes those of one connection, which may have state
	Config func(*client.Config) // changes the client as a whole, before it connects
}

// Facts implements [quirk.Quirk].
func (q Quirk) Facts() quirk.Facts {
	return quirk.Facts{Name: q.Name, Breaks: q.Breaks, Allowed: q.Allowed, Permitted: q.Permitted, Doc: q.Doc}
}

var catalogue quirk.Catalogue[Quirk]

// register adds q to the catalogue.
func register(q Quirk) Quirk { return catalogue.Add(q) }

// Get returns the quirk of the name.
func Get(name string) (Quirk, bool) { return catalogue.Get(name) }

// All returns the quirks in alphabetical order.
func All() []Quirk { return catalogue.All() }
