package render

import (
	"fmt"
	"strings"
	"testing"

	"nbdconform/reports/result"
)

func TestExcerptShowsWhatIsMarked(t *testing.T) {
	// Every mark reads the same: nothing is found by what it says.
	said := func(at map[int]string) (string, []result.Mark) {
		var b strings.Builder
		var marks []result.Mark
		lines := 0
		for i := range 200 {
			fmt.Fprintf(&b, "C: %8d  NBD_CMD_READ\n", i)
			lines++
			if clause, ok := at[i]; ok {
				fmt.Fprintf(&b, "?? %d\n", i)
				lines++
				marks = append(marks, result.Mark{Line: lines, Clause: clause})
			}
		}
		return b.String(), marks
	}
	const room = 600
	for name, tc := range map[string]struct {
		marks map[int]string
		want  string
		lacks string
	}{
		"the clause":     {map[int]string{20: "x.y", 90: "a.b"}, "C:       90  NBD_CMD_READ\n?? 90\nC:       91", "?? 20"},
		"its own name":   {map[int]string{20: "a.b.c", 90: "a.b"}, "?? 90\n", "?? 20"},
		"the spec's":     {map[int]string{20: "x.y", 90: ""}, "?? 90\n", "?? 20"},
		"any":            {map[int]string{20: "x.y"}, "?? 20\n", "199"},
		"none":           {nil, "C:      199  NBD_CMD_READ\n", "more]"},
		"the first line": {map[int]string{0: "a.b"}, "C:        0  NBD_CMD_READ\n?? 0\n", "before]"},
	} {
		text, marks := said(tc.marks)
		got := excerpt(text, marks, "a.b", room)
		if !strings.Contains(got, tc.want) || strings.Contains(got, tc.lacks) || len(got) > room+100 {
			t.Errorf("%s: %d bytes, want %q and no %q in:\n%s", name, len(got), tc.want, tc.lacks, got)
		}
	}

	long := "C: one\n!! " + strings.Repeat("long ", 2000) + "\n" + strings.Repeat("C: more\n", 100)
	if got := excerpt(long, []result.Mark{{Line: 2, Clause: "a.b"}}, "a.b", room); !strings.HasPrefix(got, "[") || !strings.Contains(got, "!! long") || len(got) > room+100 {
		t.Errorf("a very long line: %s", got)
	}
	text, marks := said(nil)
	if short := text[:100]; excerpt(short, marks, "a.b", room) != short {
		t.Error("what fits is not left as it is")
	}
	if got := excerpt(text, []result.Mark{{Line: 100000}}, "a.b", room); !strings.Contains(got, "C:      199") {
		t.Errorf("a mark outside the transcript: %s", got)
	}
}
