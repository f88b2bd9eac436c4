package clause

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCheck(t *testing.T) {
	const md = "# S\n\nIt MUST be. It MAY be otherwise.\n\nNothing here.\n"
	must, may := Fingerprint("It MUST be."), Fingerprint("It MAY be otherwise.")
	const gone = "000000000000"
	clauses := func(level Level, fingerprints ...string) []Clause {
		return []Clause{
			{ID: "s.may", Level: May, Document: "d", Section: "S", Requires: "M.", Sentences: []string{may}},
			{ID: "s.must", Level: level, Document: "d", Section: "S", Requires: "R.", Sentences: fingerprints},
		}
	}
	disputed := clauses(Should, may)
	disputed[1].Disputed = "Both ways."
	for name, c := range map[string]struct {
		clauses []Clause
		want    []string
	}{
		"in agreement": {clauses(Must, must), nil},
		"a sentence without a clause": {
			clauses(Must, must)[1:],
			[]string{"line 3: no clause for this sentence: " + may + " (S): It MAY be otherwise."},
		},
		"a sentence without a clause of its level": {
			clauses(Should, must),
			[]string{
				"line 3: no clause of this level for this sentence: " + must + " MUST (S): It MUST be.",
				"catalogue: none of the clause's sentences has its level: s.must SHOULD (S): R.",
			},
		},
		"a stale clause": {
			clauses(Must, must, gone),
			[]string{"catalogue: no such sentence in the document: s.must " + gone + " (S): R."},
		},
		"a sentence that restates a clause of another document": {
			append(clauses(Must, must)[:1], Clause{
				ID: "x.must", Level: Must, Document: "x", Sentences: []string{gone},
				Restated: map[string][]string{"d": {must}},
			}), nil,
		},
		"a stale restatement": {
			append(clauses(Must, must), Clause{
				ID: "x.must", Level: Must, Document: "x", Section: "X", Requires: "R.", Sentences: []string{gone},
				Restated: map[string][]string{"d": {gone}},
			}),
			[]string{"catalogue: no such sentence in the document: x.must " + gone + " (X): R."},
		},
		"a disputed clause of another level": {
			append(disputed, clauses(Must, must)[1]), nil,
		},
		"a stale clause of another document": {
			append(clauses(Must, must), Clause{ID: "s.x", Level: May, Document: "x", Sentences: []string{gone}}), nil,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var got []string
			for _, p := range Check([]byte(md), "d", c.clauses) {
				got = append(got, p.String())
			}
			if d := cmp.Diff(c.want, got); d != "" {
				t.Errorf("problems (-want +got):\n%s", d)
			}
		})
	}
}
