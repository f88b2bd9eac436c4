package result

import (
	"maps"
	"slices"
)

// formerWarning is what the verdict Warning is called in [FormerVersion].
const formerWarning Verdict = "weak"

// Former reports whether r is of [FormerVersion]: its signatures can't be
// compared with those of other results.
func (r Result) Former() bool { return r.SchemaVersion == FormerVersion }

func withCurrentNames(r Result) Result { return renamed(r, formerWarning, Warning) }
func withFormerNames(r Result) Result  { return renamed(r, Warning, formerWarning) }

// renamed is r with another name for a verdict. It shares nothing with r that it changes.
func renamed(r Result, from, to Verdict) Result {
	r.Specs = slices.Clone(r.Specs)
	for i := range r.Specs {
		if r.Specs[i].Verdict == from {
			r.Specs[i].Verdict = to
		}
	}
	r.Summary = maps.Clone(r.Summary)
	if n, ok := r.Summary[from]; ok {
		delete(r.Summary, from)
		r.Summary[to] = n
	}
	return r
}
