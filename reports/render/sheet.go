package render

import (
	"cmp"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// A sheet is a table of text that is shown on a terminal and in Markdown.
type sheet struct {
	title string
	note  string // a line below the title
	head  []string
	rows  [][]string
	right bool // all columns but the first are numbers
	room  int  // columns of the first column on a terminal; 0: as it needs
	gap   int  // columns between columns on a terminal; 0: two
}

// terminal is the sheet for Columns columns.
func (s sheet) terminal() string {
	tw := newTable(cmp.Or(s.gap, 2))
	columns := []table.ColumnConfig{{Number: 1, WidthMax: s.room, WidthMaxEnforcer: wrapLabel}}
	for i := range s.head[1:] {
		c := table.ColumnConfig{Number: i + 2}
		if s.right {
			c.Align, c.AlignHeader = text.AlignRight, text.AlignRight
		}
		columns = append(columns, c)
	}
	tw.SetColumnConfigs(columns)
	tw.AppendHeader(cells(s.head, visible))
	for _, r := range s.rows {
		tw.AppendRow(cells(r, visible))
	}
	above := s.title + "\n"
	if s.note != "" {
		above += s.note + "\n"
	}
	return above + tw.Render() + "\n"
}

// markdown is the sheet below a heading of the third level.
func (s sheet) markdown() string {
	var b strings.Builder
	b.WriteString("### " + markdownText(s.title) + "\n\n")
	if s.note != "" {
		b.WriteString(s.note + "\n\n")
	}
	line := func(row []string) {
		for _, c := range row {
			b.WriteString("| " + markdownText(c) + " ")
		}
		b.WriteString("|\n")
	}
	line(s.head)
	for i := range s.head {
		rule := "| :--- "
		if s.right && i > 0 {
			rule = "| ---: "
		}
		b.WriteString(rule)
	}
	b.WriteString("|\n")
	for _, r := range s.rows {
		line(r)
	}
	return b.String() + "\n"
}

func cells(row []string, show func(string) string) table.Row {
	list := make(table.Row, 0, len(row))
	for _, c := range row {
		list = append(list, show(c))
	}
	return list
}
