package render

import (
	"fmt"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"

	"nbdconform/reports/result"
)

// short is the verdict where columns are narrow.
func short(v result.Verdict) string {
	switch v {
	case result.Blocked:
		return "block"
	case result.Unsupported:
		return "unsup"
	case result.Skipped:
		return "skip"
	case result.Inconclusive:
		return "incon"
	}
	return string(v)
}

// newTable is a table without lines around it: a heading, a rule, rows.
func newTable() table.Writer {
	tw := table.NewWriter()
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true, SeparateFooter: true}
	style.Format.Header, style.Format.Footer = text.FormatDefault, text.FormatDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", "  "
	tw.SetStyle(style)
	tw.SuppressTrailingSpaces()
	return tw
}

// columnNames names the verdict columns: whole words if they leave room for a
// label of at least labelMin columns, and the room that the label has.
func columnNames(verdicts []result.Verdict, labelMin, rest int) (names []string, room int) {
	for _, name := range []func(result.Verdict) string{func(v result.Verdict) string { return string(v) }, short} {
		names, room = nil, Columns-rest
		for _, v := range verdicts {
			names = append(names, name(v))
			room -= max(len(name(v)), 4) + 2
		}
		if room-2 >= labelMin {
			break
		}
	}
	return names, room - 2
}

// wrapLabel is the WidthMaxEnforcer of the label column.
func wrapLabel(s string, columns int) string { return strings.Join(wrap(s, columns), "\n") }

func groupTable(r result.Result, p paint) string {
	verdicts := used(r.Summary)
	names, room := columnNames(verdicts, 24, 0)
	tw := newTable()
	head, foot := table.Row{"group"}, table.Row{"all"}
	columns := []table.ColumnConfig{{Number: 1, WidthMax: room, WidthMaxEnforcer: wrapLabel}}
	for i, v := range verdicts {
		head, foot = append(head, names[i]), append(foot, r.Summary[v])
		columns = append(columns, countColumn(i+2, v, p))
	}
	tw.AppendHeader(head)
	for _, g := range groups(r) {
		row := table.Row{visible(g.Name)}
		for _, v := range verdicts {
			row = append(row, g.Counts[v])
		}
		tw.AppendRow(row)
	}
	tw.AppendFooter(foot)
	tw.SetColumnConfigs(columns)
	return tw.Render() + "\n"
}

// countColumn shows counts to the right; nothing is a dot, so that what is there stands out.
func countColumn(number int, v result.Verdict, p paint) table.ColumnConfig {
	show := func(n any) string {
		if n == 0 {
			return p.as("·", dim)
		}
		return p.as(fmt.Sprint(n), colourOf(v))
	}
	return table.ColumnConfig{
		Number: number, Align: text.AlignRight, AlignHeader: text.AlignRight, AlignFooter: text.AlignRight,
		WidthMin: 4, Transformer: show, TransformerFooter: show,
	}
}
