package baseline

import (
	"bytes"
	"cmp"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// Text writes a report for people: what changed first, what to do about each,
// and one closing line. update is the command that edits the baseline.
func Text(r Report, update string) string {
	var b strings.Builder
	for i, f := range r.Findings {
		if i > 0 {
			b.WriteByte('\n')
		}
		f.write(&b, r.Target)
	}
	if !r.Green() {
		b.WriteByte('\n')
	}
	if len(r.Others) > 0 {
		fmt.Fprintf(&b, "No entry is about %s: the baseline knows %s.\n", Title(r.Target), strings.Join(r.Others, ", "))
	}
	if len(r.Flaky) > 0 {
		fmt.Fprintf(&b, "Passed this time, known as flaky: %s\n", strings.Join(r.Flaky, ", "))
	}
	if r.Withheld > 0 {
		fmt.Fprintf(&b, "%s withheld until %s public.\n", words.Count(r.Withheld, "known failure is", "known failures are"), words.Pick(r.Withheld, "it is", "they are"))
	}
	if r.Unasked > 0 {
		fmt.Fprintf(&b, "%s about what the filter left out.\n", words.Count(r.Unasked, "entry is", "entries are"))
	}
	if r.Green() {
		fmt.Fprintf(&b, "%s: green, %s judged, %s as the baseline has it\n", Title(r.Target), words.Count(r.Judged, "spec", "specs"), words.Count(r.Known, "failure", "failures"))
		return b.String()
	}
	if update != "" {
		fmt.Fprintf(&b, "To take all of this over, and then give reasons:\n  %s\n", update)
	}
	fmt.Fprintf(&b, "%s: red, %s\n", Title(r.Target), r.tally())
	return b.String()
}

func (r Report) tally() string {
	names := map[Kind][2]string{
		New:        {"new failure", "new failures"},
		Changed:    {"changed failure", "changed failures"},
		Passes:     {"unexpected pass", "unexpected passes"},
		Stale:      {"stale entry", "stale entries"},
		Expired:    {"expired entry", "expired entries"},
		Unreasoned: {"entry without a reason", "entries without a reason"},
	}
	var parts []string
	for _, k := range kindsInOrder {
		n := 0
		for _, f := range r.Findings {
			if f.Kind == k {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, words.Count(n, names[k][0], names[k][1]))
		}
	}
	return strings.Join(parts, ", ")
}

// Title names a target in a line.
func Title(t result.Target) string {
	parts := []string{t.Name}
	if t.Release != "" {
		parts = append(parts, t.Release)
	}
	if t.Version != "" {
		parts = append(parts, "("+t.Version+")")
	}
	if t.Profile != "" && t.Profile != "default" {
		parts = append(parts, t.Profile)
	}
	return strings.Join(parts, " ")
}

func (f Finding) write(b *strings.Builder, t result.Target) {
	switch f.Kind {
	case New:
		fmt.Fprintf(b, "NEW %s  %s\n", strings.ToUpper(string(f.Spec.Verdict)), f.Spec.ID)
		f.story(b)
		b.WriteString("fix it, or add to the baseline with a reason in place of TODO:\n")
		b.WriteString(EntryText(NewEntry(t, *f.Spec)))
	case Changed:
		fmt.Fprintf(b, "CHANGED %s  %s  (%s)\n", strings.ToUpper(string(f.Spec.Verdict)), f.Spec.ID, f.place())
		indent(b, "  ", f.Detail)
		f.story(b)
		b.WriteString("look at it again; if it is to be put up with, the entry becomes:\n")
		b.WriteString(EntryText(NewEntry(t, *f.Spec)))
	case Passes:
		fmt.Fprintf(b, "PASSES  %s  (%s)\n", f.Spec.ID, f.place())
		b.WriteString("the failure is gone: " + f.removal(t) + "\n")
	case Stale:
		fmt.Fprintf(b, "STALE  %s  (%s)\n", f.Entry.subject(), f.place())
		fmt.Fprintf(b, "the entry matches nothing: %s\n", f.Detail)
		if f.Spec != nil && f.Spec.Message != "" {
			indent(b, "  ", firstLines(f.Spec.Message, 3))
		}
		b.WriteString(f.removal(t) + "\n")
	case Expired:
		fmt.Fprintf(b, "EXPIRED  %s  (%s)\n", f.Entry.subject(), f.place())
		fmt.Fprintf(b, "it %s: look at the failure again, then move the date or remove the entry\n", f.Detail)
	case Unreasoned:
		fmt.Fprintf(b, "NO REASON  %s  (%s)\n", f.Entry.subject(), f.place())
		b.WriteString("say in the entry why this failure is put up with\n")
	}
}

// removal says what to do with an entry that this version no longer needs.
func (f Finding) removal(t result.Target) string {
	if len(f.Entry.Versions) > 0 && t.Version != "" {
		return fmt.Sprintf("take %s out of the entry's versions, or remove the entry", t.Version)
	}
	return "remove the entry"
}

func (f Finding) place() string { return fmt.Sprintf("%s:%d", f.File, f.Entry.Line) }

// story is what is known of the failure: its message and how to see it again.
func (f Finding) story(b *strings.Builder) {
	indent(b, "  ", firstLines(f.Spec.Message, 6))
	if f.Spec.Exit != "" {
		fmt.Fprintf(b, "  exit: %s\n", f.Spec.Exit)
	}
	if f.Spec.Reproduce != "" {
		fmt.Fprintf(b, "  again: %s\n", f.Spec.Reproduce)
	}
}

func (e Entry) subject() string {
	if e.Withheld != "" {
		return "a withheld entry"
	}
	return cmp.Or(e.Spec, "clause "+e.Clause)
}

// EntryText is an entry as it stands in a file.
func EntryText(e Entry) string {
	var buf bytes.Buffer
	enc := yaml.NewEncoder(&buf)
	enc.SetIndent(2)
	if err := enc.Encode([]Entry{e}); err != nil {
		panic(err) // an Entry is texts and a flag
	}
	return indented("  ", buf.String())
}

func indent(b *strings.Builder, by, text string) {
	if text != "" {
		b.WriteString(indented(by, text+"\n"))
	}
}

func indented(by, text string) string {
	lines := strings.SplitAfter(text, "\n")
	for i, l := range lines {
		if strings.TrimSpace(l) != "" {
			lines[i] = by + l
		}
	}
	return strings.Join(lines, "")
}

// firstLines cuts a message to n lines of 76 columns, without control characters.
func firstLines(text string, n int) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	if len(lines) > n {
		lines = append(lines[:n], "...")
	}
	for i, l := range lines {
		l = strings.Map(func(r rune) rune {
			if r < ' ' || r == 0x7f || 0x80 <= r && r < 0xa0 {
				return '.'
			}
			return r
		}, strings.ToValidUTF8(l, "?"))
		if r := []rune(l); len(r) > 76 {
			l = string(r[:73]) + "..."
		}
		lines[i] = l
	}
	return strings.Join(lines, "\n")
}
