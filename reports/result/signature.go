package result

import (
	"cmp"
	"regexp"
	"slices"
	"strconv"
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

// SignatureOf stands for the kind of trouble that s is in, computed from the
// fields of its failures: the clause, the codes, and the names among the values.
// Two runs that meet the same bug get the same one: numbers, bytes, durations,
// and texts in a server's own words are left out. It is "" for a spec without
// trouble.
//
// A crash is known by how the program exited and by its last assertion, since
// what the client received by then is a matter of timing.
func SignatureOf(s Spec) string {
	if !s.Verdict.Troubled() {
		return ""
	}
	var text string
	switch {
	case s.Verdict == Crash:
		text = cmp.Or(normal(s.Exit), "gone")
		if a := assertion(s.Stderr); a != "" {
			text += "; " + normal(a)
		}
	case s.Verdict == Blocked && s.BlockedBy != "":
		text = "by " + s.BlockedBy
	default:
		text = kindOf(s)
	}
	if len(s.Clauses) > 0 {
		text = s.Clauses[0] + ": " + text
	}
	return shortened(text)
}

// kindOf is the signature of the failure that decided. Silence and an excuse
// need what they are about: the failure after them.
func kindOf(s Spec) string {
	decisive := 1
	if s.Verdict == Hang || s.Verdict == Inconclusive {
		decisive = 2
	}
	var parts []string
	for _, f := range s.Failures[:min(decisive, len(s.Failures))] {
		sig := f.Signature()
		if f.Clause != "" && (len(s.Clauses) == 0 || f.Clause != s.Clauses[0]) {
			sig = f.Clause + ": " + sig
		}
		parts = append(parts, sig)
	}
	return strings.Join(parts, "; ")
}

// Signature is the kind of a failure: its codes and the names among its values.
func (f Failure) Signature() string {
	sig := f.Code
	if e := symbols(f.Expected); e != "" {
		sig += " " + e
	}
	if r := symbols(f.Received); r != "" {
		sig += " / " + r
	}
	if f.About != nil {
		about := f.About.Code
		if v := symbols(f.About.Values); v != "" {
			about += "(" + v + ")"
		}
		sig = about + "; " + sig
	}
	return sig
}

func symbols(list []Value) string {
	var parts []string
	for _, v := range list {
		if s := v.symbol(); s != "" {
			parts = append(parts, s)
		}
	}
	return strings.Join(parts, ", ")
}

// madeUp are parts of names that a program makes up for each run.
var madeUp = regexp.MustCompile(`#[a-z]+\d+\b`)

// symbol is what a value has to say of the kind of a failure, or "".
func (v Value) symbol() string {
	switch v.Type {
	case NumberValue, TextValue, BytesValue, DurationValue:
		return ""
	case TruthValue:
		return strconv.FormatBool(v.Number == 1)
	case NameValue:
		return madeUp.ReplaceAllString(v.Name, "#N")
	case ListValue:
		return symbols(v.Values)
	case LinesValue: // how often a server says a thing varies
		var parts []string
		for _, e := range v.Values {
			if s := e.symbol(); s != "" {
				parts = append(parts, s)
			}
		}
		slices.Sort(parts)
		return strings.Join(slices.Compact(parts), ", ")
	case TermValue:
		if s := symbols(v.Values); s != "" {
			return v.Name + "(" + s + ")"
		}
		return v.Name
	}
	known := slices.DeleteFunc(strings.Split(v.Name, "|"), func(s string) bool { // flags, or one name
		return s == "" || strings.HasPrefix(s, "0x") || strings.Contains(s, "(")
	})
	return cmp.Or(strings.Join(known, "|"), v.Type)
}

// What varies from one run to the next, and what stands in its place. The
// order matters.
var volatile = []struct {
	pattern *regexp.Regexp
	by      string
}{
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

// normal is a line that a program wrote, without what varies between two runs.
func normal(line string) string {
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
