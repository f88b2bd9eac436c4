package servers

import (
	"cmp"
	"fmt"
	"slices"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/judge"
	"nbdconform/conformance/trial"
	"nbdconform/reports/result"
)

// JudgePrefix opens the id of a line that stands for one check of the judge.
const JudgePrefix = "judge."

// Judged lists the clauses that the judge holds a server to on every connection.
func Judged() []clause.ID {
	return slices.DeleteFunc(judge.Checks(), func(id clause.ID) bool {
		c, ok := clause.Get(id)
		return !ok || c.Side == clause.Client
	})
}

// judged gathers what the judge found on the connections of all specs.
type judged struct {
	broken map[clause.ID][]trial.Violation
	kept   map[clause.ID]int // connections that gave occasion
}

func newJudged() *judged {
	return &judged{broken: map[clause.ID][]trial.Violation{}, kept: map[clause.ID]int{}}
}

func (j *judged) add(o trial.Outcome) {
	for _, v := range o.Violations {
		if len(j.broken[v.Clause]) > 0 {
			v.Evidence = nil // the first is enough, and bytes take room
		}
		j.broken[v.Clause] = append(j.broken[v.Clause], v)
	}
	for _, c := range o.Kept {
		j.kept[c]++
	}
}

// A judgedLine is a line of the result with what there is to show for it.
type judgedLine struct {
	result.Spec
	evidence *trial.Evidence
}

// lines are the outcomes, one for each clause that came up and binds a server.
func (j *judged) lines() []judgedLine {
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
	var lines []judgedLine
	for _, id := range came {
		c, ok := clause.Get(id)
		if ok && c.Side != clause.Client {
			lines = append(lines, j.line(c))
		}
	}
	return lines
}

func (j *judged) line(c clause.Clause) judgedLine {
	line := judgedLine{Spec: result.Spec{
		ID: JudgePrefix + string(c.ID), Name: c.Requires, Group: result.JudgeGroup, Level: string(c.Level),
		Clauses: []string{string(c.ID)}, Verdict: result.Pass, Requires: c.Requires, Section: c.Section,
	}}
	seen := j.broken[c.ID]
	if len(seen) == 0 {
		return line
	}
	line.Verdict = result.Fail
	if c.Level != clause.Must {
		line.Verdict = result.Weak
	}
	// The order of the specs shall not matter, lest the line be another with every seed.
	first := slices.MinFunc(seen, func(a, b trial.Violation) int {
		return cmp.Or(cmp.Compare(result.Normal(a.Detail), result.Normal(b.Detail)), cmp.Compare(a.Spec, b.Spec))
	})
	line.Message = first.Detail
	if c.Disputed != "" {
		line.Verdict = result.Weak
		line.Message = "the clause is disputed: " + c.Disputed + "\n" + first.Detail
	}
	if specs := specsOf(seen); len(specs) > 1 {
		line.Message += fmt.Sprintf("\nseen in %d specs, here in %s", len(specs), first.Spec)
	} else {
		line.Message += "\nseen in " + specs[0]
	}
	line.Transcript = first.Transcript
	line.Location = first.Spec
	line.evidence = first.Evidence
	return line
}

// specsOf lists the specs in which a clause was broken, in order, each once.
func specsOf(seen []trial.Violation) []string {
	var specs []string
	for _, v := range seen {
		if !slices.Contains(specs, v.Spec) {
			specs = append(specs, v.Spec)
		}
	}
	return specs
}
