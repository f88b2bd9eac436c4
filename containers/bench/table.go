package bench

import (
	"fmt"
	"io"
	"slices"

	"github.com/jedib0t/go-pretty/v6/table"
	"github.com/jedib0t/go-pretty/v6/text"
)

// Median is the middle of the samples, and spread the distance of the largest
// from the smallest as a part of it.
func Median(samples []float64) (median, spread float64) {
	if len(samples) == 0 {
		return 0, 0
	}
	s := slices.Sorted(slices.Values(samples))
	median = (s[(len(s)-1)/2] + s[len(s)/2]) / 2
	if median > 0 {
		spread = (s[len(s)-1] - s[0]) / median
	}
	return median, spread
}

// Write writes the result as tables of at most 80 columns.
func (r Result) Write(w io.Writer) error {
	for i, t := range r.Tables {
		if i > 0 {
			fmt.Fprintln(w)
		}
		fmt.Fprintf(w, "%s, %s\n", t.Network, t.Load)
		if _, err := fmt.Fprintln(w, r.render(t)); err != nil {
			return err
		}
	}
	fmt.Fprintf(w, "\nMedians of %d interleaved rounds of %s, as multiples of nbdkit's memory\n", r.Rounds, r.Runtime)
	fmt.Fprintln(w, "plugin. After them the spread, (largest-smallest)/median in per cent. IOPS")
	fmt.Fprintln(w, "are the reference's.")
	fmt.Fprintln(w, "qemu-nbd and nbd-server: a file on tmpfs. null and null-co keep no data.")
	if r.Load[0] != "" {
		fmt.Fprintf(w, "The load average was %s before and %s after.\n", r.Load[0], r.Load[1])
	}
	ahead, all := r.Ahead()
	fmt.Fprintf(w, "The reference is ahead of all that keep data in %d of %d rows.\n", ahead, all)
	for _, line := range r.Behind() {
		fmt.Fprintln(w, line)
	}
	for _, name := range r.Missing {
		fmt.Fprintf(w, "omitted: %s is not on PATH\n", name)
	}
	return nil
}

func (r Result) render(t Table) string {
	tw := table.NewWriter()
	tw.SetStyle(table.StyleDefault)
	style := tw.Style()
	style.Options = table.OptionsNoBordersAndSeparators
	style.Format.Header = text.FormatDefault
	style.Box.PaddingLeft, style.Box.PaddingRight = "", " "
	head := table.Row{"", "IOPS"}
	columns := []table.ColumnConfig{{Number: 2, Align: text.AlignRight, AlignHeader: text.AlignRight}}
	for i, s := range r.Servers {
		head = append(head, s.Name)
		columns = append(columns, table.ColumnConfig{Number: i + 3, Align: text.AlignRight, AlignHeader: text.AlignRight})
	}
	tw.AppendHeader(head)
	tw.SetColumnConfigs(columns)
	for _, m := range t.Rows {
		base, _ := Median(m.Samples[baselineServer])
		own, _ := Median(m.Samples[referenceServer])
		row := table.Row{m.Row, fmt.Sprintf("%.0f", own)}
		for _, s := range r.Servers {
			v, spread := Median(m.Samples[s.Name])
			switch {
			case v == 0:
				row = append(row, "-")
			case base == 0:
				row = append(row, fmt.Sprintf("%.0f", v))
			default:
				row = append(row, multiple(v/base)+fmt.Sprintf(" %2.0f", min(100*spread, 999)))
			}
		}
		tw.AppendRow(row)
	}
	return tw.Render()
}

// multiple takes four characters, up to 9999.
func multiple(v float64) string {
	switch {
	case v < 9.995:
		return fmt.Sprintf("%.2f", v)
	case v < 99.95:
		return fmt.Sprintf("%.1f", v)
	}
	return fmt.Sprintf("%.0f", v)
}

// Ahead is the number of rows in which no server that keeps data is ahead of
// the reference, and that of all rows.
func (r Result) Ahead() (ahead, all int) {
	for _, t := range r.Tables {
		for _, m := range t.Rows {
			if all++; len(r.faster(m)) == 0 {
				ahead++
			}
		}
	}
	return ahead, all
}

// Behind names the rows in which the reference is not ahead of a server that
// keeps data, a line for each of these.
func (r Result) Behind() (list []string) {
	for _, t := range r.Tables {
		for _, m := range t.Rows {
			for _, name := range r.faster(m) {
				own, _ := Median(m.Samples[referenceServer])
				v, _ := Median(m.Samples[name])
				list = append(list, text.WrapSoft(fmt.Sprintf("behind: %s, %s, %s: %s has %.0f to %.0f",
					t.Network, t.Load, m.Row, name, v, own), 80))
			}
		}
	}
	return list
}

// faster names the servers that keep data and are ahead of the reference.
func (r Result) faster(m Measurement) (list []string) {
	own, _ := Median(m.Samples[referenceServer])
	for _, s := range r.Servers {
		if v, _ := Median(m.Samples[s.Name]); !s.Scale && v > own {
			list = append(list, s.Name)
		}
	}
	return list
}
