package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"nbdconform/reports/result"
)

// A finding is a spec that needs somebody's attention.
type finding struct {
	result.Spec
	Blocks []string // ids of the specs that this one stands in the way of
}

// findings lists the specs that failed and those that the suite could not
// judge, in the order in which to look at them: root causes first, that is
// what blocks most, then crashes, hangs and failures, MUST before SHOULD.
func findings(r result.Result) []finding {
	var list []finding
	for _, s := range r.Specs {
		switch s.Verdict {
		case result.Crash, result.Hang, result.Fail, result.Error, result.Inconclusive:
			list = append(list, finding{Spec: s, Blocks: blockedBy(r, s)})
		}
	}
	slices.SortStableFunc(list, func(a, b finding) int {
		return cmp.Or(
			cmp.Compare(urgency(a.Verdict)/3, urgency(b.Verdict)/3), // theirs before ours
			-cmp.Compare(len(a.Blocks), len(b.Blocks)),
			cmp.Compare(urgency(a.Verdict), urgency(b.Verdict)),
			cmp.Compare(rank(a.Level), rank(b.Level)),
		)
	})
	return list
}

func blockedBy(r result.Result, s result.Spec) []string {
	var ids []string
	for _, b := range r.Specs {
		if b.Verdict == result.Blocked && b.BlockedBy != "" &&
			(b.BlockedBy == s.ID || slices.Contains(s.Clauses, b.BlockedBy)) {
			ids = append(ids, b.ID)
		}
	}
	return ids
}

func urgency(v result.Verdict) int {
	return slices.Index([]result.Verdict{result.Crash, result.Hang, result.Fail, result.Error, result.Inconclusive}, v)
}

func rank(level string) int { return slices.Index([]string{"MUST", "SHOULD", "MAY"}, level) }

// withVerdict lists the specs of r that have one of the verdicts.
func withVerdict(r result.Result, verdicts ...result.Verdict) []result.Spec {
	var list []result.Spec
	for _, s := range r.Specs {
		if slices.Contains(verdicts, s.Verdict) {
			list = append(list, s)
		}
	}
	return list
}

// A group is the specs of one part of the protocol.
type group struct {
	Name   string
	Counts map[result.Verdict]int
	Specs  []result.Spec
}

// groups gathers the specs by group, in the order in which groups first appear.
func groups(r result.Result) []group {
	var list []group
	at := map[string]int{}
	for _, s := range r.Specs {
		name := groupName(s)
		i, ok := at[name]
		if !ok {
			i = len(list)
			at[name] = i
			list = append(list, group{Name: name, Counts: map[result.Verdict]int{}})
		}
		list[i].Counts[s.Verdict]++
		list[i].Specs = append(list[i].Specs, s)
	}
	return list
}

func groupName(s result.Spec) string { return cmp.Or(s.Group, "other") }

// counted returns r with a Summary that was counted here and now.
func counted(r result.Result) result.Result {
	r.Count()
	return r
}

// targetName is the target the way people say it: qemu-nbd 7.2.22 (bookworm).
func targetName(t result.Target) string {
	name := t.Name
	if t.Version != "" {
		name += " " + t.Version
	}
	if t.Release != "" {
		name += " (" + t.Release + ")"
	}
	return name
}

// tally is "131 pass, 2 warning": the verdicts that occur. Passes are always
// named, so that a run without one says so.
func tally(r result.Result) string {
	if len(r.Specs) == 0 {
		return "no spec ran"
	}
	var parts []string
	for _, v := range result.Verdicts {
		if n := r.Summary[v]; n > 0 || v == result.Pass {
			parts = append(parts, fmt.Sprintf("%d %s", n, v))
		}
	}
	return strings.Join(parts, ", ")
}

// used lists the verdicts that occur in any of the counts; pass and fail always count as used.
func used(counts ...map[result.Verdict]int) []result.Verdict {
	var list []result.Verdict
	for _, v := range result.Verdicts {
		if v == result.Pass || v == result.Fail ||
			slices.ContainsFunc(counts, func(c map[result.Verdict]int) bool { return c[v] > 0 }) {
			list = append(list, v)
		}
	}
	return list
}

// oneLine is the text on one line of at most limit runes.
func oneLine(text string, limit int) string {
	s := strings.Join(strings.Fields(text), " ")
	if r := []rune(s); len(r) > limit {
		return string(r[:limit-1]) + "…"
	}
	return s
}
