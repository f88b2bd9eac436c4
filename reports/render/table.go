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

// newTable is a table without lines around it: a heading, a rule, rows, and
// gap spaces between columns.
func newTable(gap int) table.Writer {
	tw := table.NewWriter()
	style := table.StyleLight
	style.Options = table.Options{SeparateHeader: true, SeparateFooter: true}
	style.Format.Header, style.Format.Footer = text.FormatDefault, text.FormatDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", strings.Repeat(" ", gap)
	tw.SetStyle(style)
	tw.SuppressTrailingSpaces()
	return tw
}

// A layout fits a label, the verdict columns and some rest into the line.
type layout struct {
	names []string // of the verdict columns
	room  int      // for the label
	gap   int      // between columns
}

// layoutOf prefers whole words and wide gaps, as long as that leaves at least
// labelMin columns for the label.
func layoutOf(verdicts []result.Verdict, labelMin, rest int) layout {
	whole := func(v result.Verdict) string { return string(v) }
	var l layout
	for _, try := range []struct {
		name func(result.Verdict) string
		gap  int
	}{{whole, 2}, {short, 2}, {short, 1}} {
		l = layout{gap: try.gap, room: Columns - rest - 2*try.gap}
		for _, v := range verdicts {
			l.names = append(l.names, try.name(v))
			l.room -= max(len(try.name(v)), 4) + try.gap
		}
		if l.room >= labelMin {
			break
		}
	}
	return l
}

// wrapLabel is the WidthMaxEnforcer of the label column.
func wrapLabel(s string, columns int) string { return strings.Join(wrap(s, columns), "\n") }

func groupTable(r result.Result, p paint) string {
	verdicts := used(r.Summary)
	l := layoutOf(verdicts, 24, 0)
	tw := newTable(l.gap)
	head, foot := table.Row{"group"}, table.Row{"all"}
	columns := []table.ColumnConfig{{Number: 1, WidthMax: l.room, WidthMaxEnforcer: wrapLabel}}
	for i, v := range verdicts {
		head, foot = append(head, l.names[i]), append(foot, r.Summary[v])
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
