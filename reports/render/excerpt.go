package render

import (
	"fmt"
	"slices"
	"strings"

	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// excerpt is what stands around a marked line of a transcript: as many whole
// lines as fit into bytes, and how many were left out at either end. Without a
// mark the end is what matters.
func excerpt(transcript string, marks []result.Mark, clause string, bytes int) string {
	if len(transcript) <= bytes {
		return transcript
	}
	lines := strings.Split(strings.TrimRight(transcript, "\n"), "\n")
	at := len(lines) - 1
	if m := marked(marks, clause); m > 0 && m <= len(lines) {
		at = m - 1
	}
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
		fmt.Fprintf(&b, "[… %s before]\n", words.Count(from, "line", "lines"))
	}
	b.WriteString(shorten(strings.Join(lines[from:to], "\n"), bytes) + "\n")
	if rest := len(lines) - to; rest > 0 {
		fmt.Fprintf(&b, "[… %s more]\n", words.Count(rest, "line", "lines"))
	}
	return b.String()
}

// marked is the line that matters, from 1; 0: none. A mark that names the clause
// comes before that of the spec's expectation, and that before any other.
func marked(marks []result.Mark, clause string) int {
	for _, is := range []func(result.Mark) bool{
		func(m result.Mark) bool { return m.Clause == clause },
		func(m result.Mark) bool { return m.Clause == "" },
		func(result.Mark) bool { return true },
	} {
		if i := slices.IndexFunc(marks, is); i >= 0 {
			return marks[i].Line
		}
	}
	return 0
}
