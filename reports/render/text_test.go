package render

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWrap(t *testing.T) {
	tests := []struct {
		name    string
		text    string
		columns int
		want    []string
	}{
		{"short", "a b", 10, []string{"a b"}},
		{"at spaces", "alpha beta gamma", 11, []string{"alpha beta", "gamma"}},
		{"exactly full", "alpha beta", 10, []string{"alpha beta"}},
		{"keeps inner spaces", "a   b", 10, []string{"a   b"}},
		{"keeps the indentation", "  alpha beta", 8, []string{"  alpha", "  beta"}},
		{"long word", "abcdefghij", 4, []string{"abcd", "efgh", "ij"}},
		{"long word after a short one", "ab cdefghij", 4, []string{"ab", "cdef", "ghij"}},
		{"wide characters", "日本語日本語", 5, []string{"日本", "語日", "本語"}},
		{"too narrow for one character", "日本", 1, []string{"日", "本"}},
		{"accents stay on their letter", "ae\u0301ae\u0301", 1, []string{"a", "e\u0301", "a", "e\u0301"}},
		{"an emoji of several runes", "\U0001f468\u200d\U0001f469\u200d\U0001f467x", 2, []string{"\U0001f468\u200d\U0001f469\u200d\U0001f467", "x"}},
		{"blank lines inside", "a\n\nb\n\n", 5, []string{"a", "", "b"}},
		{"nothing", "", 5, []string{""}},
		{"spaces alone", "       ", 5, []string{""}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, wrap(tt.text, tt.columns)); diff != "" {
				t.Errorf("wrap (-want +got):\n%s", diff)
			}
		})
	}
}

func TestVisible(t *testing.T) {
	for in, want := range map[string]string{
		"a\r\nb\rc":         `a` + "\n" + `b\x0dc`,
		"\x1b[31m":          `\x1b[31m`,
		"\xff":              `\xff`,
		"\u009b":            `\x9b`,
		"\u202e":            `\u202e`,
		"\U000e0001":        `\U000e0001`,
		"é 日 \ufffd ☃":      "é 日 \ufffd ☃",
		"a\tb":              "a    b",
		"trailing return\r": `trailing return\x0d`,
	} {
		if got := visible(in); got != want {
			t.Errorf("visible(%q) = %q, want %q", in, got, want)
		}
	}
}

func TestWrapCommand(t *testing.T) {
	command := `nbdconform run --filter 'level: MUST && x' --name "two words" --escaped a\ b --uri nbd://localhost:10809/disk`
	lines := wrapCommand(command, 40)
	for i, l := range lines {
		if width(l) > 40 {
			t.Errorf("line %q takes %d columns", l, width(l))
		}
		if (i < len(lines)-1) != strings.HasSuffix(l, ` \`) {
			t.Errorf("line %q: want a backslash at the end of all but the last", l)
		}
	}
	if got := strings.ReplaceAll(strings.Join(lines, "\n"), " \\\n  ", " "); got != command {
		t.Errorf("joined again: %s\nwant %s", got, command)
	}
}

func FuzzWrap(f *testing.F) {
	f.Add("alpha beta", 5)
	f.Add("日本語\n  e\u0301", 1)
	f.Add(" 0語0000000000", 0)
	f.Add("\x1b\xff  \u200d", 3)
	f.Fuzz(func(t *testing.T, s string, columns int) {
		columns = 2 + (columns&0x7fffffff)%200
		text := visible(s)
		lines := wrap(text, columns)
		for _, l := range lines {
			if width(l) > columns {
				t.Errorf("wrap(%q, %d): %q takes %d", text, columns, l, width(l))
			}
		}
		letters := func(s string) string { return strings.Join(strings.Fields(s), "") }
		if got, want := letters(strings.Join(lines, " ")), letters(text); got != want {
			t.Errorf("wrap(%q, %d) kept %q", text, columns, got)
		}
	})
}
