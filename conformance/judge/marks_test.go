package judge

import (
	"strings"
	"testing"
)

// TestMarksAreAtTheirLines trips every check, and looks each mark of the
// transcript up in its text.
func TestMarksAreAtTheirLines(t *testing.T) {
	marks := 0
	for _, trip := range trips {
		c := &conversation{}
		trip.talk(c, true)
		j := c.tell(1 << 30)
		said := j.Transcript()
		if n := len(said.Messages); n > 0 {
			said.Mark(said.Messages[n-1].Index, "a remark of the spec")
		}
		text, list := said.Shown()
		lines := strings.Split(text, "\n")
		seen := map[string]bool{}
		for _, m := range list {
			want := "breaks " + m.Clause
			if m.Clause == "" {
				want = "!! a remark of the spec"
			}
			if m.Line < 1 || m.Line > len(lines) || !strings.HasPrefix(lines[m.Line-1], "!! ") || !strings.Contains(lines[m.Line-1], want) {
				t.Errorf("%s: no %q in line %d of\n%s", trip.name, want, m.Line, text)
			}
			if seen[m.Clause] {
				t.Errorf("%s: two marks for %q", trip.name, m.Clause)
			}
			seen[m.Clause] = true
			marks++
		}
		for _, v := range j.Violations() {
			if !seen[string(v.Clause)] {
				t.Errorf("%s: no mark for %s", trip.name, v.Clause)
			}
		}
	}
	if marks < len(trips) {
		t.Errorf("%d marks for %d trips", marks, len(trips))
	}
}
