package clause

import (
	"fmt"
	"slices"
)

// A Complaint is a kind of problem.
type Complaint string

// What can be wrong between a document and the catalogue.
const (
	Uncovered Complaint = "no clause for this sentence"
	Unleveled Complaint = "no clause of this level for this sentence"
	Stale     Complaint = "no such sentence in the document"
	Unfounded Complaint = "none of the clause's sentences has its level" // and nothing is disputed about it
)

// A Problem is a difference between a document and the catalogue.
type Problem struct {
	Complaint   Complaint
	Line        int    // of the sentence; 0 for a stale clause
	Section     string // of the sentence, or of the clause
	Fingerprint string // "" for an unfounded clause
	Level       Level  // the missing one, or the clause's
	Clause      ID     // "" for an uncovered sentence
	Text        string // of the sentence, or the clause's paraphrase
}

// String is one line of a report.
func (p Problem) String() string {
	where, what := "catalogue", string(p.Clause)
	if p.Line > 0 {
		where = fmt.Sprintf("line %d", p.Line)
	}
	if p.Fingerprint != "" {
		if what != "" {
			what += " "
		}
		what += p.Fingerprint
	}
	if p.Level != "" {
		what += " " + string(p.Level)
	}
	return fmt.Sprintf("%s: %s: %s (%s): %s", where, p.Complaint, what, p.Section, p.Text)
}

// Check compares a document with the catalogue: every normative sentence has
// a clause for each level in it, and every clause of that document has its
// sentences in it. Clauses of other documents may cover a sentence as well, by
// the same words or by a sentence that restates them, so that an extension's
// document that repeats the main one needs clauses only for what it adds. Problems of the document come first, in its order,
// then those of the clauses, in theirs.
func Check(md []byte, document string, clauses []Clause) []Problem {
	var out []Problem
	covering := map[string][]Level{}
	for _, c := range clauses {
		for _, f := range slices.Concat(c.Sentences, c.Restated[document]) {
			covering[f] = append(covering[f], c.Level)
		}
	}
	found := map[string][]Level{}
	for _, s := range Sentences(md) {
		found[s.Fingerprint] = s.Levels
		p := Problem{Line: s.Line, Section: s.Section, Fingerprint: s.Fingerprint, Text: s.Text}
		have, ok := covering[s.Fingerprint]
		if s.Normative() && !ok {
			p.Complaint = Uncovered
			out = append(out, p)
			continue
		}
		for _, l := range s.Levels {
			if !slices.Contains(have, l) {
				p.Complaint, p.Level = Unleveled, l
				out = append(out, p)
			}
		}
	}
	for _, c := range clauses {
		if c.Document == document {
			out = append(out, c.check(found)...)
		}
		out = append(out, c.stale(c.Restated[document], found)...)
	}
	return out
}

// check compares one clause with the levels of the sentences of a document.
func (c Clause) check(found map[string][]Level) []Problem {
	out := c.stale(c.Sentences, found)
	founded := false
	for _, f := range c.Sentences {
		levels, ok := found[f]
		founded = founded || !ok || slices.Contains(levels, c.Level)
	}
	if !founded && c.Disputed == "" && !c.Described {
		out = append(out, Problem{Complaint: Unfounded, Section: c.Section, Level: c.Level, Clause: c.ID, Text: c.Requires})
	}
	return out
}

// stale reports the sentences that are not in a document any more.
func (c Clause) stale(sentences []string, found map[string][]Level) []Problem {
	var out []Problem
	for _, f := range sentences {
		if _, ok := found[f]; !ok {
			out = append(out, Problem{Complaint: Stale, Section: c.Section, Fingerprint: f, Clause: c.ID, Text: c.Requires})
		}
	}
	return out
}
