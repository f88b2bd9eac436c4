package runner

import (
	"cmp"
	"slices"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/reports/result"
)

// Discovery is the place of violations that come before the first spec.
const Discovery = "discovery"

// A Tally gathers what the judge found on the connections of all specs.
type Tally struct {
	broken map[clause.ID][]outcome.Violation // the first in order comes first, and has evidence
	kept   map[clause.ID]int                 // connections that gave occasion
}

// NewTally returns an empty tally.
func NewTally() *Tally {
	return &Tally{broken: map[clause.ID][]outcome.Violation{}, kept: map[clause.ID]int{}}
}

// Add counts what came of one spec.
func (j *Tally) Add(o outcome.Outcome) {
	for _, v := range o.Violations {
		j.broken[v.Clause] = append(j.broken[v.Clause], v)
		seen := j.broken[v.Clause]
		// The first in order is enough, and bytes take room.
		if len(seen) > 1 && inOrder(v, seen[0]) < 0 {
			seen[0], seen[len(seen)-1] = v, seen[0]
		}
		if last := len(seen) - 1; last > 0 {
			seen[last].Evidence = nil
		}
	}
	for _, c := range o.Kept {
		j.kept[c]++
	}
}

// A Line is a line of the result with what there is to show for it.
type Line struct {
	result.Spec
	Evidence *outcome.Evidence
}

// Lines are the outcomes, one for each clause that came up and binds the side.
func (j *Tally) Lines(side clause.Side) []Line {
	var came []clause.ID
	for c := range j.broken {
		came = append(came, c)
	}
	for c := range j.kept {
		if len(j.broken[c]) == 0 {
			came = append(came, c)
		}
	}
	slices.Sort(came)
	var lines []Line
	for _, id := range came {
		c, ok := clause.Get(id)
		if ok && (c.Side == side || c.Side == clause.Both) {
			lines = append(lines, j.line(c))
		}
	}
	return lines
}

func (j *Tally) line(c clause.Clause) Line {
	line := Line{Spec: result.Spec{
		ID: result.JudgePrefix + string(c.ID), Name: c.Requires, Group: result.JudgeGroup, Level: string(c.Level),
		Clauses: []string{string(c.ID)}, Verdict: result.Pass, Requires: c.Requires, Section: c.Section,
	}}
	seen := j.broken[c.ID]
	if len(seen) == 0 {
		return line
	}
	line.Verdict = result.Fail
	if c.Level != clause.Must {
		line.Verdict = result.Warning
	}
	first := seen[0]
	line.Failures = []result.Failure{first.Failure()}
	if c.Disputed != "" {
		line.Verdict = result.Warning
		line.Failures = append(line.Failures, result.Because("disputed", result.Text(c.Disputed)))
	}
	if specs := specsOf(seen); len(specs) > 1 {
		line.Failures = append(line.Failures, result.Because("seen-in-specs", len(specs), first.Spec))
	} else {
		line.Failures = append(line.Failures, result.Because("seen-in", specs[0]))
	}
	line.Transcript, line.Marks = first.Transcript, first.Marks
	line.Location = first.Spec
	line.Evidence = first.Evidence
	return line
}

// inOrder compares violations of a clause. The order of the specs shall not
// matter, lest the line be another with every seed.
func inOrder(a, b outcome.Violation) int {
	return cmp.Or(cmp.Compare(a.Failure().Signature(), b.Failure().Signature()), cmp.Compare(a.Spec, b.Spec))
}

// specsOf lists the specs in which a clause was broken, each once, that of the line first.
func specsOf(seen []outcome.Violation) []string {
	var specs []string
	for _, v := range seen {
		if !slices.Contains(specs, v.Spec) {
			specs = append(specs, v.Spec)
		}
	}
	return specs
}
