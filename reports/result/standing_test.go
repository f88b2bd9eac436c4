package result

import (
	"strings"
	"testing"
)

// specsOf makes one spec per verdict; "blocked:x" is blocked by x.
func specsOf(verdicts ...string) []Spec {
	var specs []Spec
	for i, v := range verdicts {
		v, by, _ := strings.Cut(v, ":")
		specs = append(specs, Spec{
			ID: "spec." + string(rune('a'+i)), Name: "a spec", Group: "commands",
			Clauses: []string{"clause." + string(rune('a'+i))},
			Level:   "MUST", Verdict: Verdict(v), BlockedBy: by,
		})
	}
	return specs
}

func TestExit(t *testing.T) {
	tests := []struct {
		name     string
		verdicts []string
		want     int
		doubt    string
	}{
		{"one pass", []string{"pass"}, 0, ""},
		{"a warning alone was judged", []string{"warning"}, 0, ""},
		{"unsupported and skipped beside a pass", []string{"pass", "unsupported", "skipped"}, 0, ""},
		{"a fail", []string{"pass", "fail"}, 1, ""},
		{"a crash", []string{"crash"}, 1, ""},
		{"a hang", []string{"hang"}, 1, ""},
		{"no spec", nil, 2, "no spec ran"},
		{"only skips", []string{"skipped", "skipped", "unsupported"}, 2, "nothing was judged"},
		{"only inconclusive", []string{"inconclusive"}, 2, "nothing was judged"},
		{"an error", []string{"pass", "error"}, 2, "1 spec ended in an error of the suite: spec.b"},
		{"an error hides no failure", []string{"fail", "error"}, 1, "error of the suite"},
		{"an error hides no crash", []string{"error", "crash"}, 1, "error of the suite"},
		{"an error beside a recommendation", []string{"warning", "error"}, 2, "error of the suite"},
		{"an unknown verdict hides no failure", []string{"fail", "maybe"}, 1, "does not exist"},
		{"blocked by nothing", []string{"pass", "blocked"}, 2, "blocked, with no failure"},
		{"inconclusive beside passes", []string{"pass", "inconclusive"}, 2, "inconclusive, with no failure"},
		{"blocked beside a failure", []string{"fail", "blocked"}, 1, ""},
		{"inconclusive beside a crash", []string{"crash", "inconclusive"}, 1, ""},
		{"blocked by the spec that hung", []string{"hang", "blocked:spec.a"}, 1, ""},
		{"blocked by the clause that failed", []string{"fail", "blocked:clause.a"}, 1, ""},
		{"blocked by a spec that passed, beside a failure", []string{"pass", "fail", "blocked:spec.a"}, 1, ""},
		{"blocked by a warning", []string{"warning", "blocked:spec.a"}, 0, ""},
		{"blocked by the clause of a warning", []string{"warning", "blocked:clause.a"}, 0, ""},
		{"blocked by something else beside a warning", []string{"warning", "blocked:clause.c"}, 2, "spec.b"},
		{"blocked along a chain", []string{"fail", "blocked:spec.a", "blocked:spec.b"}, 1, ""},
		{"an unknown verdict", []string{"pass", "maybe"}, 2, "does not exist"},
		{"five errors", []string{"pass", "error", "error", "error", "error", "error"}, 2, "spec.b, spec.c, spec.d and 2 more"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := Result{Specs: specsOf(tt.verdicts...)}
			if got := r.Exit(); got != tt.want {
				t.Errorf("Exit() = %d, want %d (doubts %q)", got, tt.want, r.Doubts())
			}
			if doubts := strings.Join(r.Doubts(), "\n"); !strings.Contains(doubts, tt.doubt) || (tt.doubt == "") != (doubts == "") {
				t.Errorf("Doubts() = %q, want %q", doubts, tt.doubt)
			}
			want := []string{"conforms", "does not conform", "not to be trusted"}[tt.want]
			if got := r.Conclusion(); got != want {
				t.Errorf("Conclusion() = %q, want %q", got, want)
			}
		})
	}
}

// What the judge saw broken is broken beyond doubt, whichever spec it was in.
func TestExitOfWhatTheJudgeSaw(t *testing.T) {
	for name, tt := range map[string]struct {
		spec  string
		judge Verdict
		want  int
	}{
		"broken, within an error":        {"error", Fail, ExitFails},
		"broken, within an inconclusive": {"inconclusive", Fail, ExitFails},
		"kept, within an error":          {"error", Pass, ExitNotTrusted},
		"kept, within an inconclusive":   {"inconclusive", Pass, ExitNotTrusted},
	} {
		r := Result{Specs: append(specsOf(tt.spec), Spec{ID: JudgePrefix + "c", Group: JudgeGroup, Clauses: []string{"c"}, Level: "MUST", Verdict: tt.judge})}
		if got := r.Exit(); got != tt.want {
			t.Errorf("%s: Exit() = %d, want %d", name, got, tt.want)
		}
	}
}

func TestExitOfARunThatEndedEarly(t *testing.T) {
	r := Result{Specs: specsOf("pass", "fail"), EndedEarly: "signal: killed"}
	if r.Exit() != ExitNotTrusted || len(r.Doubts()) != 1 {
		t.Errorf("Exit() = %d, doubts %q", r.Exit(), r.Doubts())
	}
}

func TestCount(t *testing.T) {
	r := Result{Specs: specsOf("pass", "pass", "hang"), Summary: map[Verdict]int{Fail: 9}}
	r.Count()
	if len(r.Summary) != len(Verdicts) {
		t.Errorf("Summary has %d keys, want %d", len(r.Summary), len(Verdicts))
	}
	for _, v := range Verdicts {
		want := map[Verdict]int{Pass: 2, Hang: 1}[v]
		if n, ok := r.Summary[v]; !ok || n != want {
			t.Errorf("Summary[%s] = %d, %t, want %d", v, n, ok, want)
		}
	}
}
