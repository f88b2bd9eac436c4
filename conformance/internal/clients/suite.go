// Package clients holds the specs for client programs, one file for each part of
// the protocol.
//
// The program connects to a reference server, which behaves in some way that
// the specification allows, or does not. What needs no stimulus of its own is
// the judge's: it watches what the client sends on every connection, and each of
// its checks becomes one more line of the result, named judge.CLAUSE, once a
// connection gave occasion for it.
package clients

import (
	"slices"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
)

// Judged lists the clauses that the judge checks of a client on every connection.
func Judged() []clause.ID {
	return slices.DeleteFunc(judge.Checks(), func(id clause.ID) bool {
		c, ok := clause.Get(id)
		return !ok || c.Side == clause.Server
	})
}
