package baseline

import (
	"slices"

	"nbdconform/reports/result"
)

// NotPublic stands in place of what Public takes out.
const NotPublic = "withheld: its maintainers are told first"

// Public is r as everybody may see it. A crash that no entry names, because it
// is withheld or nobody has looked at it yet, counts as skipped and says nothing
// of how it came about. r is left as it is.
func Public(r result.Result, files []File) result.Result {
	r.Specs = slices.Clone(r.Specs)
	for i := range r.Specs {
		s := &r.Specs[i]
		if s.Verdict != result.Crash || named(files, r.Target, *s) {
			continue
		}
		*s = result.Spec{
			ID: s.ID, Name: s.Name, Group: s.Group, Clauses: s.Clauses, Level: s.Level, Needs: s.Needs,
			Verdict: result.Skipped, Message: NotPublic,
		}
	}
	r.Count()
	return r
}

// named reports whether an entry that is not withheld knows the failure.
func named(files []File, t result.Target, s result.Spec) bool {
	for _, f := range files {
		for _, e := range f.Entries {
			if e.Withheld == "" && e.applies(t) && e.knows(t.Name, s) {
				return true
			}
		}
	}
	return false
}
