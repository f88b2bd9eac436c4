package render

import (
	"regexp"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
	"github.com/jedib0t/go-pretty/v6/text"
)

var sgr = regexp.MustCompile("\x1b\\[[0-9;]*m")

// printable checks one screen of text: no line wider than the terminal, no
// character that a terminal would act on. Lines that start a command may
// overflow with one long word.
func printable(t *testing.T, screen string, overflow string) {
	t.Helper()
	for i, line := range strings.Split(screen, "\n") {
		if n := text.StringWidth(line); n > Columns && (overflow == "" || !strings.Contains(line, overflow)) {
			t.Errorf("line %d takes %d columns: %q", i+1, n, line)
		}
		if strings.TrimRight(line, " ") != line {
			t.Errorf("line %d has spaces at its end: %q", i+1, line)
		}
		for _, c := range line {
			if unicode.Is(unicode.Cc, c) || unicode.Is(unicode.Cf, c) && c != '\u200d' {
				t.Errorf("line %d has %U: %q", i+1, c, line)
			}
		}
	}
}

func TestTerminalIsPrintable(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			plain := string(rendered(t, r, formats["txt"]))
			printable(t, plain, "very-long/very-long")
			coloured := string(rendered(t, r, formats["ansi.txt"]))
			if diff := cmp.Diff(plain, sgr.ReplaceAllString(coloured, "")); diff != "" {
				t.Errorf("colour changes the text (-plain +coloured):\n%s", diff)
			}
			if len(r.Specs) > 0 && plain == coloured {
				t.Error("no colour where it was asked for")
			}
		})
	}
}

func TestTerminalShowsRootCausesFirst(t *testing.T) {
	screen := string(rendered(t, broken(), formats["txt"]))
	at := -1
	for _, id := range []string{"HANG  structured.chunk.done-flag", "CRASH  trim.beyond-end", "FAIL  write-zeroes.fast-zero.answers", "INCONCLUSIVE  meta.list.unknown", "WARNING  trim.empty"} {
		i := strings.Index(screen, id)
		if i <= at {
			t.Errorf("%q is at %d, want it after %d", id, i, at)
		}
		at = i
	}
	want := "qemu-nbd 7.2.22 (bookworm): 96 pass, 2 warning, 1 fail, 1 crash, 1 hang, 4\nblocked, 2 unsupported, 1 skipped, 1 inconclusive in 12.3 s: does not conform\n"
	if !strings.HasSuffix(screen, want) {
		t.Errorf("the screen ends with\n%s\nwant\n%s", screen[max(0, len(screen)-200):], want)
	}
}
