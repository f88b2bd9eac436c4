package result

import (
	"fmt"
	"slices"
	"strings"
)

// The exit statuses of a run.
const (
	ExitConforms   = 0
	ExitFails      = 1
	ExitNotTrusted = 2
)

// Count fills r.Summary from r.Specs. Every verdict is present afterwards, zero or not.
func (r *Result) Count() {
	r.Summary = make(map[Verdict]int, len(Verdicts))
	for _, v := range Verdicts {
		r.Summary[v] = 0
	}
	for _, s := range r.Specs {
		r.Summary[s.Verdict]++
	}
}

// Broken says whether v alone makes a target not conforming.
func (v Verdict) Broken() bool { return v == Fail || v == Crash || v == Hang }

// Judged says whether v is an answer to the question that the spec asked.
func (v Verdict) Judged() bool { return v == Pass || v == Warning || v.Broken() }

// judged says whether s answers a question that was asked. What the judge saw
// beside it answers none, unless it was a breach.
func (s Spec) judged() bool {
	return s.Verdict.Judged() && (s.Group != JudgeGroup || s.Verdict.Broken())
}

// Exit is the exit status of the run: 0 conforms, 1 does not, 2 the run itself
// is not to be trusted.
//
// Warning, unsupported and skipped specs and observations leave a run conforming.
// What was seen broken is broken, whatever became of other specs: an error or an
// inconclusive spec beside it leaves the status at 1, and is one of the Doubts
// all the same. A run that ended early says 2, for how much more there was to
// see is not known. Exit looks at the specs, never at Summary.
func (r Result) Exit() int {
	switch {
	case r.EndedEarly != "":
		return ExitNotTrusted
	case slices.ContainsFunc(r.Specs, func(s Spec) bool { return s.Verdict.Broken() }):
		return ExitFails
	case len(r.Doubts()) > 0:
		return ExitNotTrusted
	}
	return ExitConforms
}

// Conclusion is Exit in words.
func (r Result) Conclusion() string {
	switch r.Exit() {
	case ExitConforms:
		return "conforms"
	case ExitFails:
		return "does not conform"
	}
	return "not to be trusted"
}

// Doubts lists the reasons why the run is not to be trusted as a whole, one
// sentence each. Nil means that it is. Where Exit is ExitFails they are about
// other specs than those that failed.
//
// Blocked and inconclusive specs need a failure of the run that explains them.
// It need not be what BlockedBy names: a server that breaks one clause is often
// seen breaking another. A recommendation that was not followed explains only
// what it is named for.
func (r Result) Doubts() []string {
	if len(r.Specs) == 0 {
		return []string{"no spec ran"}
	}
	var doubts []string
	if r.EndedEarly != "" {
		first, _, _ := strings.Cut(r.EndedEarly, "\n")
		doubts = append(doubts, "the run ended early: "+first)
	}
	if !slices.ContainsFunc(r.Specs, Spec.judged) {
		doubts = append(doubts, "nothing was judged: no spec passed or failed")
	}
	explained := slices.ContainsFunc(r.Specs, func(s Spec) bool { return s.Verdict.Broken() })
	unheeded := map[string]bool{} // clauses and specs of recommendations that were not followed
	for _, s := range r.Specs {
		if s.Verdict == Warning {
			unheeded[s.ID] = true
			for _, c := range s.Clauses {
				unheeded[c] = true
			}
		}
	}
	var errors, strangers, blocked, inconclusive []string
	for _, s := range r.Specs {
		switch {
		case s.Verdict == Error:
			errors = append(errors, s.ID)
		case s.Verdict == Blocked && !explained && !unheeded[s.BlockedBy]:
			blocked = append(blocked, s.ID)
		case s.Verdict == Inconclusive && !explained:
			inconclusive = append(inconclusive, s.ID)
		case !slices.Contains(Verdicts, s.Verdict):
			strangers = append(strangers, s.ID)
		}
	}
	doubts = appendDoubt(doubts, errors, "ended in an error of the suite")
	doubts = appendDoubt(doubts, strangers, "ended in a verdict that does not exist")
	doubts = appendDoubt(doubts, blocked, "blocked, with no failure in this run that explains it")
	return appendDoubt(doubts, inconclusive, "inconclusive, with no failure in this run that explains it")
}

func appendDoubt(doubts, ids []string, what string) []string {
	const shown = 3
	switch n := len(ids); {
	case n == 0:
		return doubts
	case n > shown:
		return append(doubts, fmt.Sprintf("%d specs %s: %s and %d more", n, what, strings.Join(ids[:shown], ", "), n-shown))
	case n > 1:
		return append(doubts, fmt.Sprintf("%d specs %s: %s", n, what, strings.Join(ids, ", ")))
	}
	return append(doubts, fmt.Sprintf("1 spec %s: %s", what, ids[0]))
}
