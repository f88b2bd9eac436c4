package score

import (
	"slices"
	"testing"

	serverquirk "nbdconform/reference/quirk/server"
)

func TestEveryReasonIsAboutAQuirk(t *testing.T) {
	for c := range unreachable {
		if !slices.ContainsFunc(serverquirk.All(), func(q serverquirk.Quirk) bool { return q.Breaks == c }) {
			t.Errorf("no quirk breaks %s", c)
		}
	}
	n := 0
	for _, q := range serverquirk.All() {
		if Unreachable(q) == otherDraft {
			n++
		}
	}
	if n == 0 {
		t.Errorf("no quirk is in the draft %s", draft)
	}
}
