// Package servers holds the specs for servers, one file for each part of the
// protocol.
//
// A spec is stimulus, blank line, expectation. What needs no stimulus of its
// own is the judge's: it watches every connection of every spec, and each of
// its checks becomes one more line of the result, named judge.CLAUSE, once a
// connection gave occasion for it.
package servers

import (
	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/runner"
)

// List lists all specs for servers; see [runner.List] for the filter.
func List(filter string) ([]runner.Listing, error) { return runner.List(clause.Server, filter) }
