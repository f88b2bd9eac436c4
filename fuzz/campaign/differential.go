package campaign

import (
	"fmt"
	"slices"
	"strings"

	"nbdconform/fuzz/internal/script"
	"nbdconform/fuzz/session"
	"nbdconform/reports/fuzzing"
)

// compare runs a script on the other target as well, and keeps what is answered
// differently.
func (c *campaign) compare(s script.Script, one session.Result) error {
	other, err := c.Against.Run(c.ctx, s, Care{Patience: c.Patience, Trace: true, Seen: func(f string) bool { return c.silent[f] || c.hasSeen(f) }})
	if err != nil || c.ctx.Err() != nil {
		return err
	}
	for _, d := range differences(one, other) {
		var clauses []string
		d.Verdict, clauses = verdict(c.Subject.Name, one, c.AgainstSubject.Name, other, d)
		d.Difference.Clauses, d.Script = clauses, s.String()
		c.record.AddDifference(d.Difference)
	}
	for _, f := range other.Findings {
		c.silent[f.Signature()] = f.Kind == session.Hang // not worth waiting for again
		if disturbs(f) {
			return c.Against.Fresh(c.ctx)
		}
	}
	return nil
}

// A split is a difference, and where in the script it is.
type split struct {
	fuzzing.Difference
	op int
}

// differences lists, for each connection, the first thing that is answered
// differently: what comes behind may be a consequence.
func differences(one, other session.Result) (list []split) {
	type key struct{ conn, op int }
	answers := make(map[key]session.Answer)
	for _, a := range other.Answers {
		answers[key{a.Conn, a.Op}] = a
	}
	var done []int
	ordered := slices.Clone(one.Answers)
	slices.SortStableFunc(ordered, func(a, b session.Answer) int { return a.Op - b.Op })
	for _, a := range ordered {
		b, ok := answers[key{a.Conn, a.Op}]
		if !ok || slices.Contains(done, a.Conn) || a.Said == b.Said && a.Mode == b.Mode {
			continue
		}
		done = append(done, a.Conn)
		if a.Said == b.Said {
			continue // they differ in what was negotiated, which is told by the option that did it
		}
		list = append(list, split{fuzzing.Difference{
			Asked: a.Asked, Mode: a.Mode.String(), One: a.Said, Other: b.Said, Count: 1,
		}, a.Op})
	}
	return list
}

// verdict says whether either side broke a clause where they part: what the
// judge or the model found at that operation.
func verdict(nameOne string, one session.Result, nameOther string, other session.Result, d split) (string, []string) {
	var words, clauses []string
	for _, side := range []struct {
		name, said string
		r          session.Result
	}{{nameOne, d.One, one}, {nameOther, d.Other, other}} {
		for _, f := range side.r.Findings {
			here := f.Op == d.op || f.Op == d.op+1
			if f.Kind == session.Crash { // which is seen behind the script
				here = side.said == session.HangsUp || side.said == session.NoAnswer
			}
			if !here || f.Clause == "" {
				continue
			}
			text := fmt.Sprintf("%s (%s)", f.Clause, side.name)
			if !slices.Contains(words, text) {
				words, clauses = append(words, text), append(clauses, string(f.Clause))
			}
		}
	}
	if len(words) == 0 {
		return BothAllowed, nil
	}
	return "violates " + strings.Join(words, ", "), clauses
}

// BothAllowed is the verdict on a difference in which no clause is broken.
const BothAllowed = "both allowed"
