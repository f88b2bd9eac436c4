package judge

import (
	"slices"
	"testing"

	"nbdconform/conformance/clause"
)

func TestEveryCheckIsInTheCatalogue(t *testing.T) {
	seen := map[clause.ID]check{}
	for c, row := range table {
		entry, ok := clause.Get(row.id)
		if !ok {
			t.Errorf("check %d cites %q, which is no clause", c, row.id)
			continue
		}
		if wants := entry.Level == clause.Must; wants != row.must {
			t.Errorf("%s is a %s, the table says must=%v", row.id, entry.Level, row.must)
		}
		if other, twice := seen[row.id]; twice {
			t.Errorf("%s stands for checks %d and %d", row.id, other, c)
		}
		seen[row.id] = check(c)
	}
	if !slices.IsSorted(Checks()) || len(Checks()) != len(seen) {
		t.Errorf("Checks() lists %d clauses, sorted %v; the table has %d", len(Checks()), slices.IsSorted(Checks()), len(seen))
	}
}
