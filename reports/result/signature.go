package result

import (
	"cmp"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// Troubled says whether v is an outcome that a baseline has to know of: the
// question of the spec was answered badly, or the target kept it from being asked.
func (v Verdict) Troubled() bool {
	switch v {
	case Pass, Unsupported, Skipped, Error:
		return false
	}
	return true
}

// maxSignature bounds a signature, in bytes.
const maxSignature = 240

// SignatureOf is a text that stands for the kind of trouble that s is in: the
// clause, what was expected and the kind of what came. Two runs that meet the
// same bug get the same text: numbers, bytes, addresses, durations and what a
// server says in its own words are left out. It is "" for a spec without trouble.
//
// A crash is known by how the program ended and by its last assertion, since
// what the client saw of it is a matter of timing.
func SignatureOf(s Spec) string {
	if !s.Verdict.Troubled() {
		return ""
	}
	var text string
	switch lines := meaning(s.Message); {
	case s.Verdict == Crash:
		text = cmp.Or(Normal(s.Exit), "gone")
		if a := assertion(s.Stderr); a != "" {
			text += "; " + Normal(a)
		}
	case s.Verdict == Blocked && s.BlockedBy != "":
		text = "by " + s.BlockedBy
	default:
		text = essence(lines)
	}
	if len(s.Clauses) > 0 && !strings.HasPrefix(text, s.Clauses[0]+": ") {
		text = s.Clauses[0] + ": " + text
	}
	return shortened(text)
}

// disputedPrefix opens the line that says why a failure counts as weak only.
const disputedPrefix = "the clause is disputed: "

// meaning are the lines of a message that tell of the failure.
func meaning(message string) []string {
	var lines []string
	for line := range strings.SplitSeq(message, "\n") {
		switch {
		case strings.HasPrefix(line, disputedPrefix), strings.HasPrefix(line, "seen in "), strings.TrimSpace(line) == "":
		default:
			lines = append(lines, line)
		}
	}
	return lines
}

// essence is what the lines of a message come to: those up to the first that
// says what was wanted, and the kinds of answer below it if it ends with a colon.
func essence(lines []string) string {
	const most = 6 // of lines, where none says what was wanted
	var parts []string
	for i, line := range lines {
		if i == most {
			break
		}
		parts = append(parts, Normal(line))
		switch {
		case clausePrefix.MatchString(line) && i == 0:
			return parts[0] // the judge has said all
		case !strings.Contains(line, "want "):
		case strings.HasSuffix(line, ":"):
			return strings.Join(append(parts, kinds(lines[i+1:])...), "; ")
		default:
			return strings.Join(parts, "; ")
		}
	}
	return strings.Join(parts, "; ")
}

var clausePrefix = regexp.MustCompile(`^[a-z0-9-]+(\.[a-z0-9-]+)+: `)

// kinds are the indented lines that follow, each once and in alphabetical
// order: how often a server says a thing varies.
func kinds(lines []string) []string {
	var all []string
	for _, line := range lines {
		if !strings.HasPrefix(line, " ") {
			break
		}
		all = append(all, Normal(line))
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// What varies from one run to the next, and what stands in its place. The
// order matters.
var volatile = []struct {
	pattern *regexp.Regexp
	by      string
}{
	{regexp.MustCompile(`\((reading|writing|dialing|read|write|dial) [^()]*(\([^()]*\)[^()]*)*\)`), ""}, // how a connection ended
	{regexp.MustCompile(`: (reading|writing|read|write) .*$`), ""},
	{regexp.MustCompile(`\b\d+(\.\d+)?(ns|µs|us|ms|s|m)\b`), "T"},
	{regexp.MustCompile(`\b\d{1,3}(\.\d{1,3}){3}(:\d+)?\b`), "ADDR"},
	{regexp.MustCompile(`\b0x[0-9a-fA-F]+\b`), "N"},
	{regexp.MustCompile(`\b[0-9a-f]{8,}(\.\.\.|\b)`), "HEX"},
	{regexp.MustCompile(`#[a-z]+\d+\b`), "#N"}, // a name that QEMU made up
	{regexp.MustCompile(`\b\d+(\.\d+)?\b`), "N"},
	{regexp.MustCompile(`\bN( N)+\b`), "N"},
	{regexp.MustCompile(`\s+`), " "},
}

var quoted = regexp.MustCompile(`"(?:[^"\\]|\\.)*"`)

// inOwnWords hides quoted text of more than one plain word: names are kept,
// what a server says is not.
func inOwnWords(q string) string {
	if strings.ContainsAny(q, " \\\t") {
		return `"..."`
	}
	return q
}

// Normal is a line of a message without what varies between two runs.
func Normal(line string) string {
	line = quoted.ReplaceAllStringFunc(strings.ToValidUTF8(line, "?"), inOwnWords)
	for _, v := range volatile {
		line = v.pattern.ReplaceAllString(line, v.by)
	}
	line = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return '?'
		}
		return r
	}, line)
	return strings.TrimSpace(line)
}

var asserted = regexp.MustCompile(`(?i)assert|^panic: |^fatal error: |ERROR: AddressSanitizer|runtime error:`)

// assertion is the last line of a program's stderr that says what it died of, or "".
func assertion(stderr string) string {
	for _, line := range slices.Backward(strings.Split(stderr, "\n")) {
		if asserted.MatchString(line) {
			return line
		}
	}
	return ""
}

func shortened(s string) string {
	if len(s) <= maxSignature {
		return s
	}
	cut := maxSignature
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return strings.TrimSpace(s[:cut])
}
