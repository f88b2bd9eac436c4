package render

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// Columns is the width of the terminal output.
const Columns = 80

const (
	keyColumns   = 11 // the column of words such as "requires"
	messageLines = 24 // of one message; the rest is in the report
	stderrLines  = 5
)

// Terminal writes the summary for people: what failed, root causes first, then
// a table of groups and verdicts, then one closing line. It is at most Columns
// wide; only a single word of a command may overflow, because a command that
// was broken inside a word can't be copied.
func Terminal(w io.Writer, r result.Result, color bool) error {
	t := &terminal{Writer: bufio.NewWriter(w), paint: paint(color)}
	r = counted(r)
	for _, f := range findings(r) {
		t.finding(f)
	}
	t.warnings(withVerdict(r, result.Warning))
	if len(r.Specs) > 0 {
		_, _ = t.WriteString(groupTable(r, t.paint))
		_, _ = t.WriteString("\n")
	}
	if n := len(r.Observations); n > 0 {
		t.lines(wrap(words.Count(n, "observation", "observations")+" where the document is silent: see the report", Columns))
	}
	t.closing(r)
	if err := t.Flush(); err != nil {
		return fmt.Errorf("writing terminal summary: %w", err)
	}
	return nil
}

type terminal struct {
	*bufio.Writer
	paint paint
}

func (t *terminal) lines(lines []string) {
	for _, l := range lines {
		_, _ = t.WriteString(l + "\n")
	}
}

// finding writes one spec as a head line and a list of facts.
func (t *terminal) finding(f finding) {
	verdict := strings.ToUpper(string(f.Verdict))
	for i, line := range wrap(visible(f.ID), Columns-len(verdict)-2) {
		if i == 0 {
			_, _ = t.WriteString(t.paint.as(verdict, bold, colourOf(f.Verdict)) + "  ")
		} else {
			_, _ = t.WriteString(strings.Repeat(" ", len(verdict)+2))
		}
		_, _ = t.WriteString(t.paint.as(line, bold) + "\n")
	}
	for _, line := range wrap(visible(f.Name), Columns-2) {
		_, _ = t.WriteString("  " + line + "\n")
	}
	if len(f.Clauses) > 0 {
		t.fact("clause", strings.Join(f.Clauses, ", ")+" ("+f.Level+")")
	}
	t.fact("section", f.Section)
	t.fact("requires", f.Requires)
	t.message(visible(cmp.Or(f.Message, "no reason was recorded")))
	t.fact("exit", f.Exit)
	if f.Stderr != "" {
		t.factLines("stderr", last(wrap(visible(f.Stderr), Columns-keyColumns), stderrLines))
	}
	if n := len(f.Blocks); n > 0 {
		t.fact("blocks", words.Count(n, "spec", "specs")+": "+oneLine(strings.Join(f.Blocks, ", "), 200))
	}
	t.fact("evidence", f.Evidence)
	if f.Reproduce != "" {
		t.factLines("again", wrapCommand(f.Reproduce, Columns-keyColumns))
	}
	_, _ = t.WriteString("\n")
}

// message writes the first line as a fact and gives the rest, decoded messages
// and hex dumps more often than not, as much of the width as it needs.
func (t *terminal) message(text string) {
	first, rest, _ := strings.Cut(strings.Trim(text, "\n"), "\n")
	t.factLines("because", limit(wrap(first, Columns-keyColumns), messageLines))
	if rest == "" {
		return
	}
	indent := "    "
	for line := range strings.SplitSeq(rest, "\n") {
		if n := width(line); n > Columns-4 && n <= Columns-2 {
			indent = "  "
		}
	}
	for _, line := range limit(wrap(rest, Columns-len(indent)), messageLines) {
		if line != "" {
			line = indent + line
		}
		_, _ = t.WriteString(line + "\n")
	}
}

func (t *terminal) fact(key, value string) {
	if value != "" {
		t.factLines(key, wrap(visible(value), Columns-keyColumns))
	}
}

func (t *terminal) factLines(key string, lines []string) {
	for i, line := range lines {
		if i > 0 {
			key = ""
		}
		head := fmt.Sprintf("  %-*s", keyColumns-2, key)
		if line == "" {
			head = strings.TrimRight(head, " ")
		}
		_, _ = t.WriteString(t.paint.as(head, dim) + line + "\n")
	}
}

// warnings writes the broken SHOULDs, briefly.
func (t *terminal) warnings(specs []result.Spec) {
	for _, s := range specs {
		_, _ = t.WriteString(t.paint.as("WARNING", bold, colourOf(s.Verdict)) + "  ")
		for i, line := range limit(wrap(visible(s.ID+": "+oneLine(s.Message, 500)), Columns-9), 4) {
			if i > 0 {
				_, _ = t.WriteString("         ")
			}
			_, _ = t.WriteString(line + "\n")
		}
	}
	if len(specs) > 0 {
		_, _ = t.WriteString("\n")
	}
}

// closing writes the line that people read first.
func (t *terminal) closing(r result.Result) {
	for _, d := range r.Doubts() {
		t.lines(wrap(strings.ToLower(inDoubt(r))+": "+visible(d), Columns))
	}
	const noBreak = "\u00a0" // keeps the words of the conclusion on one line
	conclusion := strings.ReplaceAll(r.Conclusion(), " ", noBreak)
	line := fmt.Sprintf("%s: %s in %.1f s: %s", visible(targetName(r.Target)), tally(r), r.Seconds, conclusion)
	text := strings.TrimSuffix(strings.Join(wrap(line, Columns), "\n"), conclusion)
	_, _ = t.WriteString(text + t.paint.as(r.Conclusion(), bold, conclusionColour(r)) + "\n")
}

// inDoubt opens a doubt: about the whole run, or about the rest of one that
// found the target broken.
func inDoubt(r result.Result) string {
	if r.Exit() == result.ExitFails {
		return "In doubt"
	}
	return "Not to be trusted"
}

func limit(lines []string, n int) []string {
	if len(lines) <= n {
		return lines
	}
	return append(lines[:n-1:n-1], fmt.Sprintf("(%s more in the report)", words.Count(len(lines)-n+1, "line", "lines")))
}

func last(lines []string, n int) []string {
	if len(lines) <= n {
		return lines
	}
	return lines[len(lines)-n:]
}
