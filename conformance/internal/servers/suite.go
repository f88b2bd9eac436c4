// Package servers holds the specs for servers, one file for each part of the
// protocol.
//
// A spec is stimulus, blank line, expectation. What needs no stimulus of its
// own is the judge's: it watches every connection of every spec, and each of
// its checks becomes one more line of the result, named judge.CLAUSE, once a
// connection gave occasion for it.
package servers

import (
	"slices"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
)

// Judged lists the clauses that the judge checks of a server on every connection.
func Judged() []clause.ID {
	return slices.DeleteFunc(judge.Checks(), func(id clause.ID) bool {
		c, ok := clause.Get(id)
		return !ok || c.Side == clause.Client
	})
}
