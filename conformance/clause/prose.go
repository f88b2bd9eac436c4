package clause

import (
	"regexp"
	"unicode"
)

// Prose is the text of a block without its Markdown marks. The slices run in
// parallel.
type prose struct {
	runes  []rune
	lines  []int  // the line that the rune stands in
	code   []bool // the rune is part of a code span
	marked []bool // the rune is the first of a code span or of emphasis
}

// plain joins lines, collapses white space, and takes away code marks,
// emphasis, backslashes before punctuation, and the addresses of links.
func plain(lines []line) prose {
	var p prose
	var in []rune
	var at []int
	for i, l := range lines {
		text := l.text
		if i > 0 {
			text = " " + text
		}
		for _, r := range text {
			in, at = append(in, r), append(at, l.number)
		}
	}
	in, at = dropAddresses(in, at)

	add := func(i int, r rune, code, marked bool) {
		if unicode.IsSpace(r) {
			if n := len(p.runes); n == 0 || p.runes[n-1] == ' ' {
				return
			}
			r = ' '
		}
		p.runes, p.lines = append(p.runes, straight(r)), append(p.lines, at[i])
		p.code, p.marked = append(p.code, code), append(p.marked, marked)
	}
	code, fresh := false, false
	for i, r := range in {
		switch {
		case r == '`':
			code = !code
			fresh = code
		case code:
			add(i, r, true, fresh)
			fresh = false
		case r == '*' && emphasis(in, i):
			fresh = true
		case r == '\\' && i+1 < len(in) && unicode.IsPunct(in[i+1]):
		default:
			add(i, r, false, fresh)
			fresh = false
		}
	}
	for n := len(p.runes); n > 0 && p.runes[n-1] == ' '; n-- {
		p.runes = p.runes[:n-1]
	}
	return p
}

// strip is plain for a single line.
func strip(text string) string {
	return string(plain([]line{{0, text}}).runes)
}

// emphasis tells whether the asterisk at i is a mark rather than a product
// ("8*2") or a character of its own (" * ").
func emphasis(in []rune, i int) bool {
	word := func(j int) bool {
		return j >= 0 && j < len(in) && (unicode.IsLetter(in[j]) || unicode.IsDigit(in[j]))
	}
	gap := func(j int) bool { return j < 0 || j >= len(in) || unicode.IsSpace(in[j]) }
	return !(word(i-1) && word(i+1)) && !(gap(i-1) && gap(i+1))
}

// straight maps typographic quotation marks to plain ones.
func straight(r rune) rune {
	switch r {
	case '‘', '’':
		return '\''
	case '“', '”':
		return '"'
	}
	return r
}

var link = regexp.MustCompile(`\[([^\]\[]+)\]\([^()\s]+\)`)

// dropAddresses turns "[text](address)" into "text".
func dropAddresses(in []rune, at []int) ([]rune, []int) {
	text := string(in)
	var out []rune
	var lines []int
	last := 0
	for _, m := range link.FindAllStringSubmatchIndex(text, -1) {
		from, to := m[2], m[3]
		out, lines = keep(out, lines, text, at, last, m[0])
		out, lines = keep(out, lines, text, at, from, to)
		last = m[1]
	}
	return keep(out, lines, text, at, last, len(text))
}

// keep appends the runes of text[from:to], given in bytes.
func keep(out []rune, lines []int, text string, at []int, from, to int) ([]rune, []int) {
	n := len([]rune(text[:from]))
	for _, r := range text[from:to] {
		out, lines = append(out, r), append(lines, at[n])
		n++
	}
	return out, lines
}
