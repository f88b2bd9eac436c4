package render

import (
	"bytes"
	"cmp"
	"fmt"
	"io"
	"strings"

	"github.com/jedib0t/go-pretty/v6/table"

	"nbdconform/reports/result"
)

// Matrix writes several runs side by side: one line for each target, the
// verdict counts across, at most Columns wide. Verdicts that no run has are
// left out.
func Matrix(w io.Writer, results []result.Result) error {
	results, verdicts := matrixOf(results)
	l := layoutOf(verdicts, 20, len("conforms"))
	tw := newTable(l.gap)
	head := table.Row{"target"}
	columns := []table.ColumnConfig{{Number: 1, WidthMax: l.room, WidthMaxEnforcer: wrapLabel}}
	for i, v := range verdicts {
		head = append(head, l.names[i])
		columns = append(columns, countColumn(i+2, v, false))
	}
	tw.AppendHeader(append(head, "conforms"))
	for _, r := range results {
		row := table.Row{visible(label(r))}
		for _, v := range verdicts {
			row = append(row, r.Summary[v])
		}
		tw.AppendRow(append(row, conformsWord(r)))
	}
	tw.SetColumnConfigs(columns)
	if _, err := io.WriteString(w, tw.Render()+"\n"); err != nil {
		return fmt.Errorf("writing matrix: %w", err)
	}
	return nil
}

// MatrixMarkdown is Matrix as a Markdown table.
func MatrixMarkdown(w io.Writer, results []result.Result) error {
	var b bytes.Buffer
	results, verdicts := matrixOf(results)
	b.WriteString("| target |")
	rule := "| :--- |"
	for _, v := range verdicts {
		fmt.Fprintf(&b, " %s |", v)
		rule += " ---: |"
	}
	fmt.Fprintf(&b, " conclusion |\n%s :--- |\n", rule)
	for _, r := range results {
		fmt.Fprintf(&b, "| %s |", markdownText(oneLine(label(r), 120)))
		for _, v := range verdicts {
			fmt.Fprintf(&b, " %s |", cmp.Or(strings.TrimLeft(fmt.Sprint(r.Summary[v]), "0"), "·"))
		}
		fmt.Fprintf(&b, " %s %s |\n", conclusionSymbol(r), r.Conclusion())
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing matrix: %w", err)
	}
	return nil
}

// conformsWord answers the heading "conforms".
func conformsWord(r result.Result) string {
	return [...]string{"yes", "no", "doubtful"}[r.Exit()]
}

// label is the target, with its profile where it has one.
func label(r result.Result) string {
	name := targetName(r.Target)
	if r.Target.Profile != "" {
		name += ", " + r.Target.Profile
	}
	return name
}

func matrixOf(results []result.Result) ([]result.Result, []result.Verdict) {
	var list []result.Result
	var counts []map[result.Verdict]int
	for _, r := range results {
		r = counted(r)
		list = append(list, r)
		counts = append(counts, r.Summary)
	}
	return list, used(counts...)
}
