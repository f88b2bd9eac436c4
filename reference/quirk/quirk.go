// Package quirk is what the two catalogues of deliberate misbehaviour have in
// common: [nbdconform/reference/quirk/server] has the quirks of the reference
// server, [nbdconform/reference/quirk/client] those of the reference client.
//
// A quirk is one named departure from the specification, written in a few lines
// with the hooks of the reference. The specs prove with it that they can fail.
// Most quirks break one clause; the allowed ones are unusual and correct, and no
// spec may fail on them.
//
// Specs import the quirks of the side that they test by the name quirk. Everything
// else uses the names of the packages, serverquirk and clientquirk.
package quirk

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync/atomic"
)

// Facts are what is known of a quirk, whatever its side.
type Facts struct {
	Name      string   // lower case, with dashes; unique on its side
	Breaks    string   // id of the clause that is broken; "" if Allowed
	Allowed   bool     // unusual, and correct
	Permitted []string // with Allowed: ids of the clauses that permit what it does
	Doc       string   // what it does, as a sentence without a subject
}

// A Quirk is a quirk of either side.
type Quirk interface{ Facts() Facts }

// A Catalogue has the quirks of one side. Its zero value is empty.
type Catalogue[Q Quirk] struct{ byName map[string]Q }

// Add puts q into the catalogue and returns it. Every quirk is a variable whose
// declaration does so, so that specs name quirks and the compiler checks them.
func (c *Catalogue[Q]) Add(q Q) Q {
	name := q.Facts().Name
	if _, taken := c.byName[name]; taken || name == "" {
		panic(fmt.Sprintf("quirk %q is there twice, or has no name", name))
	}
	if c.byName == nil {
		c.byName = make(map[string]Q)
	}
	c.byName[name] = q
	return q
}

// Get returns the quirk of the name.
func (c *Catalogue[Q]) Get(name string) (Q, bool) {
	q, ok := c.byName[name]
	return q, ok
}

// All returns the quirks in alphabetical order.
func (c *Catalogue[Q]) All() []Q {
	return slices.SortedFunc(maps.Values(c.byName), func(a, b Q) int {
		return strings.Compare(a.Facts().Name, b.Facts().Name)
	})
}

// A Count says how often quirks that are in use have changed something.
type Count struct{ n atomic.Int64 }

// Add counts one change.
func (c *Count) Add() { c.n.Add(1) }

// Any reports whether there were changes.
func (c *Count) Any() bool { return c.n.Load() > 0 }
