package render

import (
	"fmt"
	"strings"
	"testing"
)

func TestExcerptShowsWhatIsMarked(t *testing.T) {
	said := func(marks map[int]string) string {
		var b strings.Builder
		for i := range 200 {
			fmt.Fprintf(&b, "C: %8d  NBD_CMD_READ\n", i)
			if m := marks[i]; m != "" {
				b.WriteString("!! " + m + "\n")
			}
		}
		return b.String()
	}
	const room = 600
	for name, tc := range map[string]struct {
		marks map[int]string
		want  string
		lacks string
	}{
		"the clause":      {map[int]string{20: "client breaks x.y: a", 90: "server breaks a.b: c"}, "C:       90  NBD_CMD_READ\n!! server breaks a.b: c\nC:       91", "x.y"},
		"its own name":    {map[int]string{20: "server breaks a.b.c: d", 90: "server breaks a.b: c"}, "!! server breaks a.b: c\n", "a.b.c"},
		"the spec's":      {map[int]string{20: "client breaks x.y: a", 90: "this does not do: b"}, "!! this does not do: b\n", "x.y"},
		"any":             {map[int]string{20: "client breaks x.y: a"}, "!! client breaks x.y: a\n", "199"},
		"none":            {nil, "C:      199  NBD_CMD_READ\n", "more]"},
		"the first line":  {map[int]string{0: "server breaks a.b: c"}, "C:        0  NBD_CMD_READ\n!! server", "before]"},
		"a very long one": {map[int]string{90: "server breaks a.b: " + strings.Repeat("long ", 2000)}, "!! server breaks a.b: long", "C:"},
	} {
		got := excerpt(said(tc.marks), "a.b", room)
		if !strings.Contains(got, tc.want) || strings.Contains(got, tc.lacks) || len(got) > room+100 {
			t.Errorf("%s: %d bytes, want %q and no %q in:\n%s", name, len(got), tc.want, tc.lacks, got)
		}
	}
	if short := said(nil)[:100]; excerpt(short, "a.b", room) != short {
		t.Error("what fits is not left as it is")
	}
}
