package baseline

import (
	"fmt"
	"testing"
	"time"

	"nbdconform/reports/result"
)

func TestEntriesByProfile(t *testing.T) {
	failing := result.Spec{ID: "a", Clauses: []string{"c"}, Verdict: result.Fail, Failures: []result.Failure{{Code: "m"}}}
	passing := result.Spec{ID: "a", Clauses: []string{"c"}, Verdict: result.Pass}
	other := result.Spec{ID: "a", Clauses: []string{"c"}, Verdict: result.Fail, Failures: []result.Failure{{Code: "something-else"}}}
	for _, tc := range []struct {
		entry, run string
		spec       result.Spec
		want       []Kind
	}{
		{"", "default", failing, nil},
		{"", "default", passing, []Kind{Passes}},
		{"", "tls", failing, nil},
		{"", "tls", passing, nil},
		{"", "tls", other, []Kind{New}},
		{"", "default", other, []Kind{Changed}},
		{"tls", "tls", failing, nil},
		{"tls", "tls", passing, []Kind{Passes}},
		{"tls", "default", failing, []Kind{New}},
		{"tls", "default", passing, nil},
		{"cow tls*", "tls-required", failing, nil},
		{"cow tls*", "tls-required", passing, []Kind{Passes}},
		{"cow tls*", "file", failing, []Kind{New}},
	} {
		f, err := Parse("known.yaml", fmt.Appendf(nil, "baseline: 2\nentries:\n  - target: s\n    profile: %q\n    spec: a\n"+
			"    clause: c\n    verdict: fail\n    signature: %q\n    reason: because\n", tc.entry, signature(failing)))
		if err != nil {
			t.Fatal(err)
		}
		r := result.Result{Target: result.Target{Name: "s", Profile: tc.run}, Specs: []result.Spec{tc.spec}}
		var got []Kind
		for _, g := range Check(r, []File{*f}, time.Now()).Findings {
			got = append(got, g.Kind)
		}
		if fmt.Sprint(got) != fmt.Sprint(tc.want) {
			t.Errorf("entry for %q, run in %q: %v, want %v", tc.entry, tc.run, got, tc.want)
		}
	}
}
