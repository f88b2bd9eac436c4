package clause

import (
	"crypto/sha256"
	"encoding/hex"
	"regexp"
	"slices"
	"strings"
	"unicode"
)

// A Sentence is one sentence of a document.
type Sentence struct {
	Line        int    // where it starts, from 1
	Section     string // the constant that it helps to define, or the heading above it
	Text        string // without Markdown marks, white space collapsed
	Fingerprint string
	Levels      []Level // what the upper-case words in it demand; nil if it has none
}

// Normative tells whether the sentence has an upper-case word of RFC 2119.
func (s Sentence) Normative() bool { return len(s.Levels) > 0 }

// Fingerprint names a sentence: the first 12 hex digits of the SHA-256 of
// its text. Where it stands does not count, so that sentences survive being
// moved and equal sentences have equal fingerprints.
func Fingerprint(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:6])
}

// Sentences splits a Markdown document into sentences, normative and not. No
// sentence crosses the border of a paragraph, of a list item or of a line of
// a message's layout; semicolons and colons do not end one.
func Sentences(md []byte) []Sentence {
	var out []Sentence
	for _, b := range blocks(md) {
		p := plain(b.lines)
		for _, span := range p.split() {
			text := string(p.runes[span.from:span.to])
			out = append(out, Sentence{
				Line:        p.lines[span.from],
				Section:     b.section,
				Text:        text,
				Fingerprint: Fingerprint(text),
				Levels:      levels(text),
			})
		}
	}
	return out
}

// A keyword in quotation marks is talked about, not used. MAY NOT, which RFC
// 2119 lacks, is read as a prohibition.
var keyword = regexp.MustCompile(`(^|[^"'\w])(MUST|SHALL|REQUIRED|SHOULD|RECOMMENDED|MAY NOT|MAY|OPTIONAL)($|[^"'\w])`)

var keywordLevel = map[string]Level{
	"MUST": Must, "SHALL": Must, "REQUIRED": Must, "MAY NOT": Must,
	"SHOULD": Should, "RECOMMENDED": Should,
	"MAY": May, "OPTIONAL": May,
}

// levels lists the levels of a text once each, in order of appearance.
func levels(text string) []Level {
	var out []Level
	for _, m := range keyword.FindAllStringSubmatch(text, -1) {
		if l := keywordLevel[m[2]]; !slices.Contains(out, l) {
			out = append(out, l)
		}
	}
	return out
}

// A span is a half-open range of runes.
type span struct{ from, to int }

// split finds the sentences. One ends at ".", "!" or "?" and any closing
// marks, before a space and something that can start a sentence: a capital,
// a digit, an opening mark, or a code span or emphasis. It does not end in a
// code span, after an abbreviation, or inside parentheses, unless the
// parenthesis is a sentence of its own.
func (p prose) split() []span {
	var out []span
	closing := p.parentheses()
	start, inside := 0, -1 // inside: where the parenthesis that we are in closes
	for i := 0; i < len(p.runes); i++ {
		if end, ok := closing[i]; ok && i > start && i > inside {
			inside = end
		}
		if i <= inside || p.code[i] || !strings.ContainsRune(".!?", p.runes[i]) {
			continue
		}
		end := i + 1
		for end < len(p.runes) && strings.ContainsRune(`)]"'`, p.runes[end]) {
			end++
		}
		if end >= len(p.runes) || p.runes[end] != ' ' || !p.starts(end+1) || p.abbreviated(i) {
			continue
		}
		out = append(out, span{start, end})
		start, i = end+1, end
	}
	if start < len(p.runes) {
		out = append(out, span{start, len(p.runes)})
	}
	return out
}

// starts tells whether a sentence can start at rune i.
func (p prose) starts(i int) bool {
	r := p.runes[i]
	return p.marked[i] || unicode.IsUpper(r) || unicode.IsDigit(r) || strings.ContainsRune(`("'[`, r)
}

// abbreviated tells whether the full stop at i belongs to an abbreviation
// that does not end a sentence.
func (p prose) abbreviated(i int) bool {
	from := i
	for from > 0 && p.runes[from-1] != ' ' {
		from--
	}
	switch strings.ToLower(strings.TrimLeft(string(p.runes[from:i]), `("'[`)) {
	case "e.g", "i.e", "cf", "vs", "resp", "approx":
		return true
	}
	return false
}

// parentheses maps each opening parenthesis that is closed to where it is.
func (p prose) parentheses() map[int]int {
	closing := map[int]int{}
	var open []int
	for i, r := range p.runes {
		switch {
		case p.code[i]:
		case r == '(':
			open = append(open, i)
		case r == ')' && len(open) > 0:
			closing[open[len(open)-1]] = i
			open = open[:len(open)-1]
		}
	}
	return closing
}
