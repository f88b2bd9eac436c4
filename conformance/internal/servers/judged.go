package servers

import (
	"slices"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
)

// Judged lists the clauses that the judge holds a server to on every connection.
func Judged() []clause.ID {
	return slices.DeleteFunc(judge.Checks(), func(id clause.ID) bool {
		c, ok := clause.Get(id)
		return !ok || c.Side == clause.Client
	})
}
