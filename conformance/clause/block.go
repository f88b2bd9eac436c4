package clause

import (
	"bytes"
	"regexp"
	"strings"
)

// A line is one line of a block, without its indentation and list mark.
type line struct {
	number int
	text   string
}

// A block is text that no sentence crosses the border of: a paragraph, a
// list item's paragraph, or one line of a message's layout.
type block struct {
	section string
	lines   []line
}

var (
	heading  = regexp.MustCompile(`^#{1,6}\s+(.*?)\s*#*$`)
	item     = regexp.MustCompile(`^(?:[-*+]|\d{1,3}[.)])\s+`)
	layout   = regexp.MustCompile(`^[SC]: `)                 // "S: 64 bits, ..."
	constant = regexp.MustCompile("^`(NBD_[A-Z0-9_]+)` \\(") // "`NBD_OPT_ABORT` (2)"
	fence    = regexp.MustCompile("^(```|~~~)")
)

// blocks cuts a Markdown document up. An item that defines a constant, such
// as "* `NBD_OPT_ABORT` (2)", names the section of everything indented below
// it; elsewhere the section is the nearest heading.
func blocks(md []byte) []block {
	var (
		out    []block
		open   block
		fenced bool
		head   string
		below  []definition
	)
	section := func() string {
		if len(below) > 0 {
			return below[len(below)-1].name
		}
		return head
	}
	flush := func() {
		if len(open.lines) > 0 {
			out = append(out, open)
		}
		open = block{}
	}
	for i, raw := range bytes.Split(md, []byte("\n")) {
		full := strings.TrimRight(strings.ReplaceAll(string(raw), "\t", "    "), "\r")
		text := strings.TrimSpace(full)
		if fence.MatchString(text) {
			flush()
			fenced = !fenced
			continue
		}
		if fenced {
			continue
		}
		if text == "" {
			flush()
			continue
		}
		if m := heading.FindStringSubmatch(full); m != nil {
			flush()
			head, below = strip(m[1]), nil
			continue
		}
		indent := len(full) - len(strings.TrimLeft(full, " "))
		mark := item.FindString(text)
		if mark != "" || layout.MatchString(text) {
			flush()
		}
		text = text[len(mark):]
		if len(open.lines) == 0 {
			for len(below) > 0 && indent <= below[len(below)-1].indent {
				below = below[:len(below)-1]
			}
			if m := constant.FindStringSubmatch(text); m != nil && mark != "" {
				below = append(below, definition{indent, m[1]})
			}
			open.section = section()
		}
		open.lines = append(open.lines, line{i + 1, text})
		if strings.HasSuffix(full, "  ") { // a hard line break
			flush()
		}
	}
	flush()
	return out
}

// A definition is a list item that defines a constant.
type definition struct {
	indent int
	name   string
}
