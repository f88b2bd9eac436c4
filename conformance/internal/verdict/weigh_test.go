package verdict

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/conformance/clause"
	"nbdconform/reports/result"
)

// said is a failure that is known by its code.
func said(code string) *result.Failure { return &result.Failure{Code: code} }

func end(v result.Verdict, by string) *End {
	return &End{Verdict: v, BlockedBy: by, Failure: result.Failure{Code: "end"}}
}

// codes are what decided, in order.
func codes(list []result.Failure) (all []string) {
	for _, f := range list {
		all = append(all, f.Code)
	}
	return all
}

// Every row was seen red once: with the rule that it is about taken out of
// Weigh, or moved behind the next one.
func TestWeigh(t *testing.T) {
	const main, other = clause.ID("cmd.read.data"), clause.ID("trans.cookie.echo")
	own := []result.Failure{{Clause: string(main), Code: "own"}}
	stray := []result.Failure{{Clause: string(other), Code: "stray"}}
	for name, tt := range map[string]struct {
		seen  Seen
		want  result.Verdict
		codes []string
		by    string
	}{
		// How the body ended, with nothing else to say.
		"the body runs to its end":        {seen: Seen{}, want: result.Pass},
		"an expectation is not met":       {seen: Seen{End: end(result.Fail, "")}, want: result.Fail, codes: []string{"end"}},
		"the body finds itself blocked":   {seen: Seen{End: end(result.Blocked, "x")}, want: result.Blocked, codes: []string{"end"}, by: "x"},
		"the subject lacks the feature":   {seen: Seen{End: end(result.Unsupported, "")}, want: result.Unsupported, codes: []string{"end"}},
		"the body comes to no conclusion": {seen: Seen{End: end(result.Inconclusive, "")}, want: result.Inconclusive, codes: []string{"end"}},
		"the suite fails":                 {seen: Seen{End: end(result.Error, "")}, want: result.Error, codes: []string{"end"}},
		"blocked by what the spec is about": {
			seen: Seen{Clauses: []clause.ID{main}, End: end(result.Blocked, string(main))}, want: result.Fail, codes: []string{"end"},
		},

		// What the judge saw.
		"a clause of the spec is broken": {seen: Seen{Own: own}, want: result.Fail, codes: []string{"own"}},
		"a clause of the spec is broken, and an expectation is not met": {
			seen: Seen{Own: own, End: end(result.Fail, "")}, want: result.Fail, codes: []string{"own", "end"},
		},
		"a clause of the spec is broken by a subject without the feature": {
			seen: Seen{Own: own, End: end(result.Unsupported, "")}, want: result.Fail, codes: []string{"own", "end"},
		},
		"a clause of the spec is broken, and the suite fails": {
			seen: Seen{Own: own, End: end(result.Error, "")}, want: result.Error, codes: []string{"end"},
		},
		"a clause of the spec is broken in silence": {
			seen: Seen{Own: own, End: end(result.Fail, ""), Silent: said("silent")}, want: result.Fail, codes: []string{"own", "end"},
		},
		"another clause is broken": {seen: Seen{Others: 1}, want: result.Pass},
		"another clause is broken, and an expectation is not met": {
			seen: Seen{Others: 1, End: end(result.Fail, "")}, want: result.Fail, codes: []string{"end"},
		},

		// Silence.
		"silence that the body accepts": {seen: Seen{Silent: said("silent")}, want: result.Pass},
		"silence in place of what was expected": {
			seen: Seen{Silent: said("silent"), End: end(result.Fail, "")}, want: result.Hang, codes: []string{"silent", "end"},
		},
		"silence on the way": {
			seen: Seen{Silent: said("silent"), End: end(result.Blocked, "x")}, want: result.Hang, codes: []string{"silent", "end"},
		},
		"silence, and the feature is missing": {
			seen: Seen{Silent: said("silent"), End: end(result.Unsupported, "")}, want: result.Unsupported, codes: []string{"end"},
		},

		// What excuses the subject.
		"the time of the spec was over first": {
			seen: Seen{Exhausted: said("exhausted"), End: end(result.Fail, "")}, want: result.Inconclusive, codes: []string{"exhausted", "end"},
		},
		"the time of the spec was over, and nothing was wrong": {seen: Seen{Exhausted: said("exhausted")}, want: result.Pass},
		"the time of the spec was over, but the judge saw enough": {
			seen: Seen{Own: own, Exhausted: said("exhausted"), End: end(result.Fail, "")}, want: result.Fail, codes: []string{"own", "end"},
		},
		"the environment explains the errors": {
			seen: Seen{Excuse: said("excuse"), End: end(result.Fail, "")}, want: result.Inconclusive, codes: []string{"excuse", "end"},
		},
		"the environment and the time": {
			seen: Seen{Excuse: said("excuse"), Exhausted: said("exhausted"), End: end(result.Fail, "")},
			want: result.Inconclusive, codes: []string{"excuse", "end"},
		},
		"the environment excuses no clause of the spec": {
			seen: Seen{Own: own, Excuse: said("excuse"), End: end(result.Fail, "")}, want: result.Fail, codes: []string{"own", "end"},
		},
		"the subject takes shorter payloads": {
			seen: Seen{Cramped: said("cramped"), End: end(result.Fail, "")}, want: result.Unsupported, codes: []string{"cramped"},
		},
		"the subject takes shorter payloads, which blocks": {
			seen: Seen{Cramped: said("cramped"), Excuse: said("excuse"), End: end(result.Blocked, "x")}, want: result.Unsupported, codes: []string{"cramped"},
		},
		"the subject takes shorter payloads, and all went well": {seen: Seen{Cramped: said("cramped")}, want: result.Pass},
		"short payloads excuse no clause of the spec": {
			seen: Seen{Own: own, Cramped: said("cramped"), End: end(result.Fail, "")}, want: result.Fail, codes: []string{"own", "end"},
		},

		// A conversation that can't be followed.
		"the conversation is derailed": {
			seen: Seen{Derailed: other, Others: 1, End: end(result.Fail, "")}, want: result.Blocked, codes: []string{"derailed", "end"}, by: string(other),
		},
		"the conversation is derailed, and the body did not mind": {seen: Seen{Derailed: other, Others: 1}, want: result.Pass},
		"the conversation is derailed by what the spec is about": {
			seen: Seen{Clauses: []clause.ID{main}, Own: own, Derailed: main, End: end(result.Fail, "")}, want: result.Fail, codes: []string{"own", "end"},
		},

		// The program under test.
		"a signal ends the program": {
			seen: Seen{Killed: said("killed"), End: end(result.Fail, "")}, want: result.Crash, codes: []string{"killed"},
		},
		"a signal ends the program, which broke a clause before": {
			seen: Seen{Killed: said("killed"), Own: own}, want: result.Crash, codes: []string{"killed"},
		},
		"a signal ends the program, and the suite fails": {
			seen: Seen{Killed: said("killed"), End: end(result.Error, "")}, want: result.Error, codes: []string{"end"},
		},
		"the program does not exit": {seen: Seen{Hung: said("hung")}, want: result.Hang, codes: []string{"hung"}},
		"the program does not exit, and an expectation is not met": {
			seen: Seen{Hung: said("hung"), End: end(result.Fail, "")}, want: result.Hang, codes: []string{"hung", "end"},
		},
		"the program does not exit, and broke another clause": {
			seen: Seen{Hung: said("hung"), Others: 1}, want: result.Hang, codes: []string{"hung"},
		},

		// What the suite did on its own side.
		"the suite breaks a clause unannounced":                             {seen: Seen{Stray: stray}, want: result.Error, codes: []string{"harness.stray"}},
		"the suite breaks a clause unannounced at a subject that broke one": {seen: Seen{Stray: stray, Others: 1}, want: result.Pass},
		"the suite breaks a clause for want of an answer": {
			seen: Seen{Stray: stray, Silent: said("silent")}, want: result.Hang, codes: []string{"silent"},
		},
		"the suite breaks a clause, and the spec failed": {
			seen: Seen{Stray: stray, End: end(result.Fail, "")}, want: result.Fail, codes: []string{"end"},
		},
		"the suite announces to break a clause and keeps it": {
			seen: Seen{Kept: []clause.ID{other}}, want: result.Error, codes: []string{"harness.kept"},
		},
		"the suite announces to break a clause and keeps it, at a subject that broke one": {
			seen: Seen{Kept: []clause.ID{other}, Others: 1}, want: result.Pass,
		},
		"the subject misled the suite": {
			seen: Seen{Stray: stray, Misled: &End{Verdict: result.Blocked, BlockedBy: "x", Failure: result.Failure{Code: "misled"}}},
			want: result.Blocked, codes: []string{"misled", "harness.stray"}, by: "x",
		},
		"the subject leaves no room to break a clause": {
			seen: Seen{Kept: []clause.ID{other}, Misled: &End{Verdict: result.Unsupported, Failure: result.Failure{Code: "misled"}}},
			want: result.Unsupported, codes: []string{"misled", "harness.kept"},
		},

		// Two reasons at once: the first of the rules decides.
		"the time of the spec was over, in silence": {
			seen: Seen{Exhausted: said("exhausted"), Silent: said("silent"), End: end(result.Fail, "")},
			want: result.Inconclusive, codes: []string{"exhausted", "end"},
		},
		"silence on a derailed conversation": {
			seen: Seen{Silent: said("silent"), Derailed: other, Others: 1, End: end(result.Fail, "")},
			want: result.Hang, codes: []string{"silent", "end"},
		},
		"the program does not exit, and lacks the feature": {
			seen: Seen{Hung: said("hung"), End: end(result.Unsupported, "")}, want: result.Unsupported, codes: []string{"end"},
		},
		"the suite breaks a clause for want of an answer, at a subject that broke one": {
			seen: Seen{Stray: stray, Silent: said("silent"), Others: 1}, want: result.Pass,
		},
		"the suite breaks one clause and keeps another": {
			seen: Seen{Stray: stray, Kept: []clause.ID{main}}, want: result.Error, codes: []string{"harness.stray"},
		},

		// Levels and disputes.
		"a SHOULD is broken": {seen: Seen{Level: clause.Should, Own: own}, want: result.Warning, codes: []string{"own"}},
		"an expectation of a SHOULD is not met": {
			seen: Seen{Level: clause.Should, End: end(result.Fail, "")}, want: result.Warning, codes: []string{"end"},
		},
		"silence in a spec for a SHOULD": {
			seen: Seen{Level: clause.Should, Silent: said("silent"), End: end(result.Fail, "")}, want: result.Hang, codes: []string{"silent", "end"},
		},
		"a disputed clause is broken": {seen: Seen{Disputed: "two readings", Own: own}, want: result.Warning, codes: []string{"own", "disputed"}},
		"a disputed clause blocks": {
			seen: Seen{Disputed: "two readings", End: end(result.Blocked, "x")}, want: result.Blocked, codes: []string{"end"}, by: "x",
		},
		"a disputed clause is kept": {seen: Seen{Disputed: "two readings"}, want: result.Pass},
	} {
		t.Run(name, func(t *testing.T) {
			d := Weigh(tt.seen)
			if d.Verdict != tt.want || d.BlockedBy != tt.by {
				t.Errorf("%s by %q, want %s by %q", d.Verdict, d.BlockedBy, tt.want, tt.by)
			}
			if diff := cmp.Diff(tt.codes, codes(d.Failures)); diff != "" {
				t.Errorf("what decided (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTry(t *testing.T) {
	for name, tt := range map[string]struct {
		body func()
		want *End
	}{
		"to its end":   {func() {}, nil},
		"failed":       {func() { Fail(result.Failure{Code: "c"}) }, &End{Verdict: result.Fail, Failure: result.Failure{Code: "c"}}},
		"blocked":      {func() { Blocked("x", "c", 3) }, &End{Verdict: result.Blocked, BlockedBy: "x", Failure: result.Because("c", 3)}},
		"unsupported":  {func() { Unsupported("c") }, &End{Verdict: result.Unsupported, Failure: result.Because("c")}},
		"inconclusive": {func() { Inconclusive("c") }, &End{Verdict: result.Inconclusive, Failure: result.Because("c")}},
		"harness":      {func() { Harness("c") }, &End{Verdict: result.Error, Failure: result.Because("harness", result.Term("c"))}},
	} {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, Try(tt.body)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	if end := Try(func() { panic("a fault of ours") }); end == nil || end.Verdict != result.Error || end.Failure.Code != "harness.panic" {
		t.Errorf("a panic: %+v", end)
	}
}
