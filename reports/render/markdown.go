package render

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"

	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// markdownFindings is how many findings Markdown tells in full: step summaries
// are limited to a megabyte.
const (
	markdownFindings = 50
	markdownBytes    = 4 << 10 // of one message or transcript
)

// Markdown writes a step summary: the conclusion, the counts, the findings
// with their details folded away.
func Markdown(w io.Writer, r result.Result) error {
	var b bytes.Buffer
	r = counted(r)
	fmt.Fprintf(&b, "## %s %s: %s\n\n", conclusionSymbol(r), markdownText(targetName(r.Target)), r.Conclusion())
	fmt.Fprintf(&b, "%s in %.1f s. ", tally(r), r.Seconds)
	fmt.Fprintf(&b, "Suite %s %s, document %s.\n\n", markdownText(r.Suite.Name), markdownText(r.Suite.Version),
		markdownText(strings.TrimSpace(r.Document.Name+" "+r.Document.Revision)))
	for _, d := range r.Doubts() {
		fmt.Fprintf(&b, "> **%s:** %s\n\n", inDoubt(r), markdownText(d))
	}
	markdownGroups(&b, r)
	list := findings(r)
	for i, f := range list {
		if i == markdownFindings {
			fmt.Fprintf(&b, "%s more: see the report.\n\n", words.Count(len(list)-i, "finding", "findings"))
			break
		}
		markdownFinding(&b, f)
	}
	if warnings := withVerdict(r, result.Warning); len(warnings) > 0 {
		b.WriteString("### Warnings\n\n")
		for _, s := range warnings {
			fmt.Fprintf(&b, "- %s %s: %s\n", symbol(s.Verdict), markdownCode(s.ID), markdownText(oneLine(s.Message, 300)))
		}
		b.WriteString("\n")
	}
	if r.Reproduce != "" {
		b.WriteString("### Reproduce\n\n" + fenced(r.Reproduce, "sh"))
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing markdown: %w", err)
	}
	return nil
}

func markdownGroups(b *bytes.Buffer, r result.Result) {
	if len(r.Specs) == 0 {
		return
	}
	verdicts := used(r.Summary)
	b.WriteString("| group |")
	rule := "| :--- |"
	for _, v := range verdicts {
		fmt.Fprintf(b, " %s %s |", symbol(v), v)
		rule += " ---: |"
	}
	b.WriteString("\n" + rule + "\n")
	for _, g := range groups(r) {
		fmt.Fprintf(b, "| %s |", markdownText(oneLine(g.Name, 80)))
		for _, v := range verdicts {
			fmt.Fprintf(b, " %s |", cmp.Or(strings.TrimLeft(fmt.Sprint(g.Counts[v]), "0"), "·"))
		}
		b.WriteString("\n")
	}
	b.WriteString("\n")
}

func markdownFinding(b *bytes.Buffer, f finding) {
	fmt.Fprintf(b, "### %s %s: %s\n\n", symbol(f.Verdict), f.Verdict, markdownCode(f.ID))
	fmt.Fprintf(b, "%s\n\n", markdownText(oneLine(f.Name, 300)))
	var clauses []string
	for _, c := range f.Clauses {
		clauses = append(clauses, markdownCode(c))
	}
	for _, line := range [][2]string{
		{"Clause", strings.TrimSpace(strings.Join(clauses, ", ") + " " + markdownText(f.Level))},
		{"Section", markdownText(oneLine(f.Section, 300))},
		{"Requires", markdownText(oneLine(f.Requires, 1000))},
		{"Ended", markdownText(oneLine(f.Exit, 300))},
		{"Evidence", evidenceCode(f.Evidence)},
	} {
		if line[1] != "" {
			fmt.Fprintf(b, "- **%s:** %s\n", line[0], line[1])
		}
	}
	if n := len(f.Blocks); n > 0 {
		fmt.Fprintf(b, "- **Blocks:** %s\n", words.Count(n, "spec", "specs"))
	}
	b.WriteString("\n" + fenced(head(f.Message, markdownBytes), "text"))
	if f.Transcript != "" {
		b.WriteString("<details><summary>Transcript</summary>\n\n" + fenced(head(f.Transcript, markdownBytes), "text") + "</details>\n\n")
	}
	if f.Reproduce != "" {
		b.WriteString(fenced(f.Reproduce, "sh"))
	}
}

func evidenceCode(dir string) string {
	if dir == "" {
		return ""
	}
	return markdownCode(dir)
}

// fenced is a code block whose fence is longer than any run of backticks inside.
func fenced(s, language string) string {
	fence := "```"
	for strings.Contains(s, fence) {
		fence += "`"
	}
	return fence + language + "\n" + strings.TrimRight(visible(s), "\n") + "\n" + fence + "\n\n"
}

// markdownCode is s as inline code, on one line, also inside of tables.
func markdownCode(s string) string {
	s = strings.NewReplacer("`", "'", "|", "¦").Replace(oneLine(visible(s), 200))
	return "`" + s + "`"
}

// markdownText escapes what Markdown or the HTML inside it would read as markup.
func markdownText(s string) string {
	var b strings.Builder
	for _, c := range strings.ReplaceAll(visible(s), "\n", " ") {
		switch c {
		case '&':
			b.WriteString("&amp;")
			continue
		case '<':
			b.WriteString("&lt;")
			continue
		case '\\', '`', '*', '_', '[', ']', '|', '#', '~', '>', '@':
			b.WriteByte('\\')
		}
		b.WriteRune(c)
	}
	return b.String()
}

// head is the beginning of s, at most n bytes and whole characters.
func head(s string, n int) string {
	if len(s) <= n {
		return s
	}
	return strings.ToValidUTF8(s[:n], "") + fmt.Sprintf("\n[%d bytes left out]", len(s)-n)
}
