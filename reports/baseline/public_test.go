package baseline

import (
	"testing"

	"nbdconform/reports/result"
)

func TestCrashesAreShownOnlyWhereTheyAreNamed(t *testing.T) {
	crash := func(id string) result.Spec {
		return result.Spec{
			ID: id, Name: id, Group: "g", Clauses: []string{"c"}, Level: "MUST", Verdict: result.Crash,
			Message: "it died of bytes", Stderr: "assertion", Transcript: "bytes", Signature: "c: it died",
		}
	}
	withheld := crash("b")
	r := result.Result{Target: result.Target{Name: "srv", Version: "1.0"}, Specs: []result.Spec{
		crash("a"), withheld, crash("c"), {ID: "d", Verdict: result.Fail, Message: "wrong"},
	}}
	f, err := Parse("f", []byte("baseline: 2\nentries:\n"+
		"  - target: srv\n    spec: a\n    verdict: crash\n    signature: \"c: it died\"\n    reason: Published.\n"+
		"  - target: srv\n    withheld: "+Digest("srv", withheld)+"\n    reason: Told.\n"))
	if err != nil {
		t.Fatal(err)
	}
	got := Public(r, []File{*f})
	for i, want := range []result.Verdict{result.Crash, result.Skipped, result.Skipped, result.Fail} {
		if s := got.Specs[i]; s.Verdict != want || want == result.Skipped && (s.Message != NotPublic || s.Stderr+s.Transcript+s.Signature != "") {
			t.Errorf("%s: %+v", s.ID, s)
		}
	}
	if r.Specs[2].Verdict != result.Crash || got.Summary[result.Crash] != 1 {
		t.Error("the result itself was changed, or not counted anew")
	}
}
