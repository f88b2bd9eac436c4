package campaign

import (
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/conformance/subject"
)

// However moves come about, no two are of a sort, and they are read as they were
// written.
func TestMovesReadBack(t *testing.T) {
	r := rand.New(rand.NewPCG(1, 2))
	var before Moves
	for range 2000 {
		m := Moves{subject.Map, randomMoves(r)}
		m = m.mutate(r, before)
		got, err := ParseMoves(m.String())
		if err != nil {
			t.Fatalf("%v:\n%v", err, m)
		}
		if len(m.List) == 0 {
			m.List = nil
		}
		if d := cmp.Diff(m, got, cmp.AllowUnexported(move{})); d != "" {
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
