package render

import (
	"fmt"
	"slices"
	"strings"
)

// excerpt is what stands around the marked message of a transcript: as many
// whole lines as fit into bytes, and how many were left out at either end. A mark
// that names the clause comes before one that does not; without a mark the end
// is what matters.
func excerpt(transcript, clause string, bytes int) string {
	if len(transcript) <= bytes {
		return transcript
	}
	lines := strings.Split(strings.TrimRight(transcript, "\n"), "\n")
	at := marked(lines, clause)
	from, to := at, at+1 // of what is kept
	for size := len(lines[at]) + 1; ; {
		grown := false
		// What was said before explains more than what came of it.
		for _, step := range []int{-1, -1, 1} {
			next := to
			if step < 0 {
				next = from - 1
			}
			if next < 0 || next >= len(lines) || size+len(lines[next])+1 > bytes {
				continue
			}
			size += len(lines[next]) + 1
			from, to, grown = min(from, next), max(to, next+1), true
		}
		if !grown {
			break
		}
	}
	var b strings.Builder
	if from > 0 {
		fmt.Fprintf(&b, "[… %s before]\n", plural(from, "line"))
	}
	b.WriteString(shorten(strings.Join(lines[from:to], "\n"), bytes) + "\n")
	if rest := len(lines) - to; rest > 0 {
		fmt.Fprintf(&b, "[… %s more]\n", plural(rest, "line"))
	}
	return b.String()
}

// marked is the line that matters.
func marked(lines []string, clause string) int {
	for _, mark := range []string{"breaks " + clause + ": ", "!! this does not do", "!! "} {
		is := func(line string) bool { return strings.HasPrefix(line, "!! ") && strings.Contains(line, mark) }
		if i := slices.IndexFunc(lines, is); i >= 0 {
			return i
		}
	}
	return len(lines) - 1
}
