package bench

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestRowsAreChosenByText(t *testing.T) {
	for text, want := range map[string]int{
		"":                 10, // all of one network
		"tcp, ":            0,
		"4K rand":          5,
		"fio, 4K":          3,
		"simple":           2,
		"unix, fio, 2M":    1,
		"256K seq write":   1,
		"reference client": 4,
	} {
		p := Plan{}
		if text != "" {
			p.Rows = []string{"nothing like it", text}
		}
		got := 0
		for _, l := range loads {
			got += len(p.rows("unix", l))
		}
		if got != want {
			t.Errorf("%q: %d rows, want %d", text, got, want)
		}
	}
	fio := loads[0]
	if d := cmp.Diff(Rows, Plan{Rows: []string{"rand", "seq"}}.rows("tcp", fio)); d != "" {
		t.Error(d)
	}
}
