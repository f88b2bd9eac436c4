package baseline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"nbdconform/reports/result"
)

// A Kind is what is wrong between a result and its baseline.
type Kind string

// The kinds of finding, in the order in which they are told.
const (
	New        Kind = "new"        // a failure without an entry
	Changed    Kind = "changed"    // a failure other than the one that the entry has
	Passes     Kind = "passes"     // an entry whose spec passes
	Stale      Kind = "stale"      // an entry that matches nothing
	Expired    Kind = "expired"    // an entry whose last day is over
	Unreasoned Kind = "unreasoned" // an entry that nobody has given a reason for
)

var kindsInOrder = []Kind{New, Changed, Passes, Stale, Expired, Unreasoned}

// A Finding makes the gate red.
type Finding struct {
	Kind   Kind
	Spec   *result.Spec // nil for an entry that matches nothing
	Entry  *Entry       // nil for a failure without one
	File   string       // where Entry stands
	Detail string
}

// A Report is what became of a result at the gate.
type Report struct {
	Target   result.Target
	Findings []Finding
	Known    int      // failures that an entry waves through
	Withheld int      // of these, by an entry that does not say what it is about
	Flaky    []string // specs of flaky entries that passed this time
	Applied  int      // entries that are about this target and version
	Unasked  int      // of these, about specs that the filter of the run left out
	Judged   int      // specs with a verdict on the target
	Others   []string // targets of the baseline's entries, if none is about this one
}

// Green reports whether the target is no worse than the baseline says.
func (r Report) Green() bool { return len(r.Findings) == 0 }

// An applied entry is one that is about the target of the result.
type applied struct {
	*Entry
	file string
	used bool // a failure matches it
	told bool // a finding speaks of it
}

// Check holds a result against the entries of some files. The caller has made
// sure that the result is to be trusted: see [result.Result.Doubts].
func Check(r result.Result, files []File, now time.Time) Report {
	c := checker{result: r, report: Report{Target: r.Target}}
	others := map[string]bool{}
	for i := range files {
		for j := range files[i].Entries {
			e := &files[i].Entries[j]
			others[e.Target] = true
			if e.applies(r.Target) {
				c.entries = append(c.entries, &applied{Entry: e, file: files[i].Name})
			}
		}
	}
	c.report.Applied = len(c.entries)
	if len(c.entries) == 0 {
		for t := range others {
			c.report.Others = append(c.report.Others, t)
		}
		slices.Sort(c.report.Others)
	}
	for i := range r.Specs {
		s := &r.Specs[i]
		if s.Verdict.Judged() {
			c.report.Judged++
		}
		if s.Verdict.Troubled() {
			c.failure(s)
		}
	}
	for _, e := range c.entries {
		c.entry(e, now)
	}
	slices.SortStableFunc(c.report.Findings, func(a, b Finding) int {
		return cmp.Compare(slices.Index(kindsInOrder, a.Kind), slices.Index(kindsInOrder, b.Kind))
	})
	return c.report
}

type checker struct {
	result  result.Result
	entries []*applied
	report  Report
}

func (c *checker) add(f Finding) { c.report.Findings = append(c.report.Findings, f) }

// failure looks for the entries that know s.
func (c *checker) failure(s *result.Spec) {
	known, withheld := false, false
	var near *applied
	for _, e := range c.entries {
		switch {
		case e.knows(c.result.Target.Name, *s):
			e.used, known = true, true
			withheld = withheld || e.Withheld != ""
		case e.names(*s) && !e.wildcard() && e.expected(c.result.Target.Profile) && (near == nil || e.Verdict == s.Verdict):
			near = e
		}
	}
	switch {
	case known:
		c.report.Known++
		if withheld {
			c.report.Withheld++
		}
	case near != nil:
		near.told = true
		c.add(Finding{Changed, s, near.Entry, near.file, changed(near.Entry, s)})
	default:
		c.add(Finding{Kind: New, Spec: s})
	}
}

// changed says in which way a failure is not the one that an entry is about.
func changed(e *Entry, s *result.Spec) string {
	if e.Verdict != s.Verdict {
		return fmt.Sprintf("was %s, is %s", e.Verdict, s.Verdict)
	}
	return "was: " + strings.Join(e.Signature, "\nor:  ") + "\nis:  " + signature(*s)
}

// entry finds what is wrong with an entry itself, once all failures are placed.
func (c *checker) entry(e *applied, now time.Time) {
	at := func(k Kind, detail string) Finding {
		return Finding{Kind: k, Entry: e.Entry, File: e.file, Detail: detail}
	}
	if e.expired(now) {
		c.add(at(Expired, "expired on "+e.Expires))
	}
	if !e.reasoned() {
		c.add(at(Unreasoned, "its reason is "+e.Reason))
	}
	if e.used || e.told || !e.expected(c.result.Target.Profile) {
		return
	}
	if e.Withheld != "" {
		if !e.Flaky && c.result.Suite.Filter == "" {
			c.add(at(Stale, "no failure of this run has its digest"))
		}
		return
	}
	spec := c.subject(e.Entry)
	filtered := c.result.Suite.Filter != ""
	switch {
	case spec == nil && e.Flaky && isJudged(e.Spec): // gave no occasion this time
	case spec == nil && filtered, spec != nil && filtered && spec.Group == result.JudgeGroup:
		c.report.Unasked++
	case spec == nil:
		c.add(at(Stale, "the run has no such spec"))
	case spec.Verdict == result.Pass && e.Flaky:
		c.report.Flaky = append(c.report.Flaky, spec.ID)
	case spec.Verdict == result.Pass:
		f := at(Passes, "")
		f.Spec = spec
		c.add(f)
	case spec.Verdict.Troubled() && e.Flaky && c.explained(spec): // another entry has what came this time
	default:
		f := at(Stale, fmt.Sprintf("the spec ended as %s", spec.Verdict))
		f.Spec = spec
		c.add(f)
	}
}

// explained reports whether some entry knows what became of a spec.
func (c *checker) explained(s *result.Spec) bool {
	return slices.ContainsFunc(c.entries, func(e *applied) bool { return e.knows(c.result.Target.Name, *s) })
}

func isJudged(id string) bool { return strings.HasPrefix(id, result.JudgePrefix) }

// subject is the spec that an unused entry is about: for a wildcard one that
// does not pass, if there is any, and a line of the judge only for want of a spec.
func (c *checker) subject(e *Entry) *result.Spec {
	var found *result.Spec
	weight := func(s *result.Spec) int {
		w := 0
		if s.Group == result.JudgeGroup {
			w = 2
		}
		if s.Verdict == result.Pass {
			w++
		}
		return w
	}
	for i := range c.result.Specs {
		s := &c.result.Specs[i]
		if e.names(*s) && (found == nil || weight(s) < weight(found)) {
			found = s
		}
	}
	return found
}

// Knows reports whether an entry of the file is about this failure of this target.
func (f File) Knows(t result.Target, s result.Spec) bool {
	return slices.ContainsFunc(f.Entries, func(e Entry) bool { return e.applies(t) && e.knows(t.Name, s) })
}
