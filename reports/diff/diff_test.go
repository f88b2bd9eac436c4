package diff

import (
	"strings"
	"testing"

	"nbdconform/reports/result"
)

func spec(id string, v result.Verdict, signature string) result.Spec {
	return result.Spec{ID: id, Verdict: v, Signature: signature, Message: "why"}
}

func TestOf(t *testing.T) {
	a := result.Result{Specs: []result.Spec{
		spec("a.same", result.Fail, "x"), spec("b.fixed", result.Hang, "x"), spec("c.broke", result.Pass, ""),
		spec("d.other", result.Fail, "x"), spec("e.gone", result.Pass, ""), spec("f.lost", result.Pass, ""), spec("g.worse", result.Fail, "x"),
		spec("i.new-and-bad", result.Unsupported, ""),
	}}
	b := result.Result{Specs: []result.Spec{
		spec("a.same", result.Fail, "x"), spec("b.fixed", result.Fail, "y"), spec("c.broke", result.Warning, "x"),
		spec("d.other", result.Fail, "y"), spec("f.lost", result.Unsupported, ""), spec("g.worse", result.Crash, "z"), spec("h.new", result.Pass, ""),
		spec("i.new-and-bad", result.Fail, "x"),
	}}
	r := Of(a, b)
	var got []string
	for _, l := range r.Lines {
		got = append(got, string(l.Kind)+" "+l.Spec)
	}
	want := "regressed c.broke, regressed g.worse, regressed i.new-and-bad, removed e.gone, changed d.other, changed f.lost, fixed b.fixed, added h.new"
	if g := strings.Join(got, ", "); g != want || r.Same != 1 || !r.Worse() {
		t.Errorf("same %d, worse %v\ngot  %s\nwant %s", r.Same, r.Worse(), g, want)
	}
	if text := Text(r); !strings.HasSuffix(text, "3 regressed, 1 removed, 2 changed, 1 fixed, 1 added, 1 the same\n") {
		t.Error(text)
	}
	if r := Of(a, a); r.Worse() || len(r.Lines) != 0 || r.Same != len(a.Specs) {
		t.Errorf("%+v", r)
	}
}

func TestOfResultsOfTwoSchemas(t *testing.T) {
	a := result.Result{SchemaVersion: result.FormerVersion, Specs: []result.Spec{
		spec("a.same", result.Fail, "want x"), spec("b.fixed", result.Fail, "want x"), spec("c.broke", result.Pass, ""),
	}}
	b := result.Result{SchemaVersion: result.SchemaVersion, Specs: []result.Spec{
		spec("a.same", result.Fail, "x"), spec("b.fixed", result.Pass, ""), spec("c.broke", result.Warning, "y"),
	}}
	const note = "signatures can't be compared"
	r := Of(a, b)
	if r.Same != 1 || len(r.Lines) != 2 || !r.Worse() || !strings.Contains(Text(r), note) {
		t.Errorf("same %d, worse %v\n%s", r.Same, r.Worse(), Text(r))
	}
	b.SchemaVersion = result.FormerVersion
	if r := Of(a, b); r.Same != 0 || strings.Contains(Text(r), note) {
		t.Errorf("two results of schema 1: same %d\n%s", r.Same, Text(r))
	}
}

func TestWorse(t *testing.T) {
	judged := func(v result.Verdict) result.Result {
		s := spec("judge.cookie", v, "")
		s.Group = result.JudgeGroup
		return result.Result{Specs: []result.Spec{s}}
	}
	none := result.Result{}
	for name, tc := range map[string]struct {
		a, b result.Result
		want bool
	}{
		"a line of the judge that gave no occasion": {judged(result.Pass), none, false},
		"a line of the judge that came up":          {none, judged(result.Pass), false},
		"a line of the judge that came up broken":   {none, judged(result.Fail), true},
		"a spec that is missing":                    {result.Result{Specs: []result.Spec{spec("a", result.Fail, "")}}, none, true},
		"a spec that is new":                        {none, result.Result{Specs: []result.Spec{spec("a", result.Pass, "")}}, false},
	} {
		if got := Of(tc.a, tc.b).Worse(); got != tc.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
