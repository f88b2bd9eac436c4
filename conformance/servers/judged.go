package servers

import (
	"slices"

	"nbdconform/conformance/census"
	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
)

// JudgePrefix opens the id of a line that stands for one check of the judge.
const JudgePrefix = census.JudgePrefix

// Judged lists the clauses that the judge holds a server to on every connection.
func Judged() []clause.ID {
	return slices.DeleteFunc(judge.Checks(), func(id clause.ID) bool {
		c, ok := clause.Get(id)
		return !ok || c.Side == clause.Client
	})
}
