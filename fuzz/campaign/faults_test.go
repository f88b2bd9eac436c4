package campaign

import (
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/conformance/subject"
)

// However a fault script was made, no two faults are of a kind, and its text reads back.
func TestFaultScriptsReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var before FaultScript
	for range 2000 {
		m := FaultScript{subject.Map, randomFaults(r)}
		m = m.mutate(r, before)
		got, err := ParseFaults(m.String())
		if err != nil {
			t.Fatalf("%v:\n%v", err, m)
		}
		if len(m.Faults) == 0 {
			m.Faults = nil
		}
		if d := cmp.Diff(m, got, cmp.AllowUnexported(fault{})); d != "" {
			t.Fatal(d)
		}
		before = m
	}
}

// A literal has names for contents, wherever a piece of them begins, and bytes
// for the rest.
func TestLiteral(t *testing.T) {
	var b []byte
	b = append(b, 1, 2, 3)
	b = append(b, contents(onServer)[4096:8192]...)
	b = append(b, contents(local)[copied-512:]...)
	b = append(b, 4)
	want := `b("010203") + server[4096:8192] + local[1048064:1048576] + b("04")`
	if got := literal(b); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestPartsHaveCookiesThatAreWhole(t *testing.T) {
	got := parts([]byte("0123456789abcdef"), 100, []place{{98, 0}, {104, 1}, {112, 2}})
	if want := `b("30313233"), 1, b("63646566")`; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

// The corpus of a campaign that an earlier version began is read too.
func TestFaultScriptsOfEarlierVersionsAreRead(t *testing.T) {
	dir := t.TempDir()
	text := map[string]string{
		"a.moves":  "# reached: map: success\nactivity map\nfail 1\n",
		"b.faults": "# reached: map: success\noperation map\nfail 2\n",
	}
	for name, s := range text {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(s), 0o600); err != nil {
			t.Fatal(err)
		}
		if !IsFaultScript(name) {
			t.Errorf("%s is no fault script", name)
		}
	}
	got, err := faultForm.read(dir)
	if err != nil || len(got) != len(text) {
		t.Fatalf("read %d of %d, error %v", len(got), len(text), err)
	}
	for i, e := range got {
		want := FaultScript{subject.Map, []fault{{kind: failing, n: i + 1}}}
		if d := cmp.Diff(want, e.input, cmp.AllowUnexported(fault{})); d != "" {
			t.Error(d)
		}
	}
}
