package render

import (
	"fmt"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/rivo/uniseg"
)

// visible makes text safe to print on a terminal: what would move the cursor,
// change colours, reorder the line or hide in it is written as an escape.
// Newlines stay, tabs become spaces.
func visible(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case c == '\n':
			b.WriteByte('\n')
		case c == '\t':
			b.WriteString("    ")
		case c == '\r' && strings.HasPrefix(s[i+1:], "\n"):
		case hidden(c):
			b.WriteString(escaped(c))
		default:
			b.WriteRune(c)
		}
		i += n
	}
	return b.String()
}

// hidden says whether c is a control or format character. The zero-width
// joiner is not: emoji are made with it.
func hidden(c rune) bool {
	const joiner = '\u200d'
	return c != joiner && unicode.In(c, unicode.Cc, unicode.Cf, unicode.Zl, unicode.Zp, unicode.Co, unicode.Cs)
}

func escaped(c rune) string {
	switch {
	case c < 0x100:
		return fmt.Sprintf(`\x%02x`, c)
	case c < 0x10000:
		return fmt.Sprintf(`\u%04x`, c)
	}
	return fmt.Sprintf(`\U%08x`, c)
}

// width is the number of terminal columns that s takes.
func width(s string) int { return uniseg.StringWidth(s) }

// wrap breaks visible text into lines of at most columns. Breaks go to spaces
// where there are any; lines keep their indentation and the spaces inside
// them, so that hex dumps stay dumps.
func wrap(s string, columns int) []string {
	var lines []string
	for line := range strings.SplitSeq(strings.TrimRight(s, "\n "), "\n") {
		lines = append(lines, wrapLine(strings.TrimRight(line, " "), columns)...)
	}
	return lines
}

func wrapLine(line string, columns int) []string {
	if width(line) <= columns {
		return []string{line}
	}
	body := strings.TrimLeft(line, " ")
	indent := strings.Repeat(" ", min(len(line)-len(body), columns/2, max(columns-2, 0)))
	var lines []string
	current := indent
	for body != "" {
		word := strings.TrimLeft(body, " ")
		gap := body[:len(body)-len(word)]
		if end := strings.IndexByte(word, ' '); end >= 0 {
			word = word[:end]
		}
		body = body[len(gap)+len(word):]
		if width(current)+width(gap)+width(word) <= columns {
			current += gap + word
			continue
		}
		if current != indent {
			lines = append(lines, current)
		}
		for width(indent)+width(word) > columns {
			head := fitting(word, columns-width(indent))
			lines = append(lines, indent+head)
			word = word[len(head):]
		}
		current = indent + word
	}
	if current != indent {
		lines = append(lines, current)
	}
	return lines
}

// fitting is the longest beginning of s that takes at most columns, but at
// least one character. Characters are never split.
func fitting(s string, columns int) string {
	taken := 0
	g := uniseg.NewGraphemes(s)
	for g.Next() {
		start, _ := g.Positions()
		if taken += g.Width(); taken > columns && start > 0 {
			return s[:start]
		}
	}
	return s
}

// wrapCommand breaks a shell command into lines that can still be copied: each
// but the last ends in a backslash. Words stay whole: one that is longer than
// the line overflows rather than become another command.
func wrapCommand(command string, columns int) []string {
	var lines []string
	current := ""
	for _, word := range shellWords(visible(command)) {
		switch {
		case current == "":
			current = word
		case width(current)+1+width(word)+2 <= columns:
			current += " " + word
		default:
			lines = append(lines, current+` \`)
			current = "  " + word
		}
	}
	return append(lines, current)
}

// shellWords splits at the spaces that are outside of quotes.
func shellWords(s string) []string {
	var words []string
	var quote rune
	start := 0
	literal := false
	for i, c := range s {
		switch {
		case literal:
			literal = false
		case c == '\\' && quote != '\'':
			literal = true
		case quote != 0:
			if c == quote {
				quote = 0
			}
		case c == '\'' || c == '"':
			quote = c
		case c == ' ' || c == '\n':
			if i > start {
				words = append(words, s[start:i])
			}
			start = i + 1
		}
	}
	if start < len(s) {
		words = append(words, s[start:])
	}
	return words
}
