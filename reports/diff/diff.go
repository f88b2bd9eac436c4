// Package diff says how two results differ, spec by spec.
package diff

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"nbdconform/reports/result"
)

// A Kind is what became of a spec between two results.
type Kind string

// The kinds, in the order in which they are told.
const (
	Regressed Kind = "regressed" // worse than before
	Removed   Kind = "removed"   // only in the first result
	Changed   Kind = "changed"   // the same trouble in another way, or no longer or newly asked
	Fixed     Kind = "fixed"     // better than before
	Added     Kind = "added"     // only in the second result
)

// Kinds lists every kind.
var Kinds = []Kind{Regressed, Removed, Changed, Fixed, Added}

// A Line is one spec that differs.
type Line struct {
	Kind       Kind           `json:"kind"`
	Spec       string         `json:"spec"`
	Clauses    []string       `json:"clauses"`
	Before     result.Verdict `json:"before,omitempty"`
	After      result.Verdict `json:"after,omitempty"`
	WasLike    string         `json:"signatureBefore,omitempty"`
	IsLike     string         `json:"signatureAfter,omitempty"`
	Reproduce  string         `json:"reproduce,omitempty"`
	judgeAlone bool
}

// A Report is how the second result differs from the first.
type Report struct {
	Before result.Target `json:"before"`
	After  result.Target `json:"after"`
	// VerdictsAlone says that one result is of schema 1 and the other is not:
	// their signatures can't be compared.
	VerdictsAlone bool   `json:"verdictsAlone,omitempty"`
	Same          int    `json:"same"` // specs that do not differ
	Lines         []Line `json:"lines"`
}

// Worse reports whether something regressed or is missing. A line of the judge
// that only one result has is no loss: nothing gave occasion for it.
func (r Report) Worse() bool {
	return slices.ContainsFunc(r.Lines, func(l Line) bool {
		return l.Kind == Regressed || l.Kind == Removed && !l.judgeAlone || l.Kind == Added && l.judgeAlone && l.After.Broken()
	})
}

// badness orders the verdicts that answer the question of a spec, or should
// have. Those that are missing here do not compare.
var badness = map[result.Verdict]int{
	result.Pass: 0, result.Warning: 1, result.Inconclusive: 2, result.Blocked: 3, result.Fail: 4, result.Hang: 5, result.Crash: 6, "corrupt": 7,
}

// Of compares two results.
func Of(before, after result.Result) Report {
	r := Report{Before: before.Target, After: after.Target, VerdictsAlone: before.Former() != after.Former(), Lines: []Line{}}
	old := map[string]result.Spec{}
	for _, s := range before.Specs {
		old[s.ID] = s
	}
	for _, s := range after.Specs {
		was, ok := old[s.ID]
		delete(old, s.ID)
		switch {
		case !ok:
			r.Lines = append(r.Lines, line(Added, result.Spec{}, s))
		case was.Verdict == s.Verdict && (r.VerdictsAlone || signature(was) == signature(s)):
			r.Same++
		default:
			r.Lines = append(r.Lines, line(kind(was, s), was, s))
		}
	}
	for _, s := range old {
		r.Lines = append(r.Lines, line(Removed, s, result.Spec{}))
	}
	slices.SortFunc(r.Lines, func(a, b Line) int {
		return cmp.Or(cmp.Compare(slices.Index(Kinds, a.Kind), slices.Index(Kinds, b.Kind)), cmp.Compare(a.Spec, b.Spec))
	})
	return r
}

func kind(was, is result.Spec) Kind {
	a, comparable := badness[was.Verdict]
	b, also := badness[is.Verdict]
	switch {
	case !comparable && is.Verdict.Broken():
		return Regressed
	case !comparable || !also || a == b:
		return Changed
	case a < b:
		return Regressed
	}
	return Fixed
}

func line(k Kind, was, is result.Spec) Line {
	s := is
	if s.ID == "" {
		s = was
	}
	return Line{
		Kind: k, Spec: s.ID, Clauses: s.Clauses, Before: was.Verdict, After: is.Verdict,
		WasLike: signature(was), IsLike: signature(is), Reproduce: is.Reproduce,
		judgeAlone: s.Group == result.JudgeGroup,
	}
}

func signature(s result.Spec) string {
	if s.Signature != "" {
		return s.Signature
	}
	return result.SignatureOf(s)
}

// Text writes a report for people.
func Text(r Report) string {
	var b strings.Builder
	if r.Before.Name != r.After.Name {
		fmt.Fprintf(&b, "Two targets: %s, then %s.\n", r.Before.Name, r.After.Name)
	}
	if r.VerdictsAlone {
		b.WriteString("One result is of schema 1: signatures can't be compared with those of schema 2, so only verdicts are.\n")
	}
	counts := map[Kind]int{}
	for _, l := range r.Lines {
		counts[l.Kind]++
		fmt.Fprintf(&b, "%-9s  %s  %s\n", l.Kind, l.Spec, l.verdicts())
		if l.Kind == Regressed || l.Kind == Changed {
			told(&b, "was", l.WasLike)
			told(&b, "is ", l.IsLike)
		}
	}
	var parts []string
	for _, k := range Kinds {
		if counts[k] > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", counts[k], k))
		}
	}
	parts = append(parts, fmt.Sprintf("%d the same", r.Same))
	fmt.Fprintln(&b, strings.Join(parts, ", "))
	return b.String()
}

func told(b *strings.Builder, what, signature string) {
	if signature != "" {
		if r := []rune(signature); len(r) > 68 {
			signature = string(r[:65]) + "..."
		}
		fmt.Fprintf(b, "    %s: %s\n", what, signature)
	}
}

func (l Line) verdicts() string {
	switch {
	case l.Before == "":
		return string(l.After)
	case l.After == "":
		return "was " + string(l.Before)
	case l.Before == l.After:
		return string(l.After) + ", in another way"
	}
	return fmt.Sprintf("%s, was %s", l.After, l.Before)
}
