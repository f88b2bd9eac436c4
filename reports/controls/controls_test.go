package controls

import (
	"strings"
	"testing"

	"nbdconform/reports/result"
)

func TestOnlyTheStatedFailureIsRed(t *testing.T) {
	list, err := All()
	if err != nil || len(list) == 0 {
		t.Fatal(list, err)
	}
	c := list[0]
	found := result.Spec{ID: c.Spec, Clauses: []string{"other", c.Clause}, Verdict: c.Verdict, Message: "so: " + c.Text}
	for name, tc := range map[string]struct {
		change func(*result.Spec)
		want   string
	}{
		"as stated":       {func(*result.Spec) {}, ""},
		"another spec":    {func(s *result.Spec) { s.ID = "other" }, "was not run"},
		"another verdict": {func(s *result.Spec) { s.Verdict = result.Hang }, "is hang, want"},
		"another clause":  {func(s *result.Spec) { s.Clauses = s.Clauses[:1] }, "among them"},
		"another text":    {func(s *result.Spec) { s.Message = "something else" }, "in it"},
	} {
		s := found
		tc.change(&s)
		got := c.Red(result.Result{Specs: []result.Spec{s}})
		if got == "" != (tc.want == "") || !strings.Contains(got, tc.want) {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
	if got := c.Green(result.Result{Specs: []result.Spec{found}}); !strings.Contains(got, "want pass") {
		t.Errorf("a failure is green: %q", got)
	}
	found.Verdict = result.Pass
	if got := c.Green(result.Result{Specs: []result.Spec{found}}); got != "" {
		t.Errorf("a pass is not green: %q", got)
	}
	if got := c.Green(result.Result{}); got == "" {
		t.Error("nothing is green")
	}
}
