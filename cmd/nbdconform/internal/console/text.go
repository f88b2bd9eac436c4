package console

import (
	"strings"

	"github.com/jedib0t/go-pretty/v6/text"
)

// columns is the width that text is fitted to.
const columns = 80

// Wrap breaks text at 80 columns, each line after an indent.
func Wrap(words, indent string) string {
	return indent + strings.ReplaceAll(text.WrapSoft(strings.Join(strings.Fields(words), " "), columns-len(indent)), "\n", "\n"+indent)
}

// Indented puts an indent before every line.
func Indented(lines string) string {
	return "  " + strings.ReplaceAll(lines, "\n", "\n  ")
}

// Visible replaces what would act on a terminal.
func Visible(s string) string {
	return strings.Map(func(c rune) rune {
		if c < ' ' || c >= 0x7f && c < 0xa0 {
			return '?'
		}
		return c
	}, strings.ToValidUTF8(s, "?"))
}

// Paragraph is a text of several lines after a word.
func Paragraph(word, text string) string {
	return word + strings.TrimLeft(Wrap(Visible(text), "  "), " ") + "\n"
}
