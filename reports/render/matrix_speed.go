package render

import (
	"fmt"
	"math"
	"slices"
	"strings"

	"nbdconform/reports/matrix"
)

// A chart is drawn with a row of text and a bar for each server. Places on the
// horizontal axis are in per cent of the width, so that it fits any screen and
// its text stays as large as it is.
type chart struct {
	ID, Title, Note string
	Axis            []tick
	Bars            []chartBar
	Head            []string // of the table that says the same
}

type tick struct {
	At    float64 // per cent
	Text  string
	Align string // of the text: start, middle or end
}

type chartBar struct {
	Name            string
	Value           string
	From, To, Right float64 // per cent: a line from To to Right behind a bar from From to To
	Cells           []string
}

// Heights of a chart, in pixels.
const (
	chartRow  = 40
	chartFoot = 24
)

func (c chart) Height() int         { return len(c.Bars)*chartRow + chartFoot }
func (c chart) Top(row int) int     { return row * chartRow }
func (c chart) Foot() int           { return len(c.Bars) * chartRow }
func (chart) Plus(a, b int) int     { return a + b }
func (b chartBar) Width() string    { return percent(max(b.To-b.From, .4)) }
func (b chartBar) Start() string    { return percent(b.From) }
func (b chartBar) End() string      { return percent(b.To) }
func (b chartBar) Farthest() string { return percent(b.Right) }
func (t tick) Place() string        { return percent(t.At) }

func percent(v float64) string { return fmt.Sprintf("%.2f%%", v) }

// speedCharts are one chart of latency and one of throughput for each load.
func speedCharts(p *matrix.Performance) []chart {
	if p == nil || len(p.Speeds) == 0 {
		return nil
	}
	loads := p.Loads()
	list := []chart{latencyChart(loads[0], p.Under(loads[0]))}
	for _, load := range loads[1:] {
		list = append(list, throughputChart(load, p.Under(load)))
	}
	return list
}

// latencyChart has a bar up to the median and a line up to the 99th of a
// hundred, on a logarithmic axis.
func latencyChart(load string, speeds []matrix.Speed) chart {
	c := chart{
		ID: "latency", Title: "Latency, " + load,
		Note: "Microseconds; bar: half of the requests took less, line: 99 of 100 did. Logarithmic axis, shorter is better.",
		Head: []string{"server", "p50 µs", "p90 µs", "p99 µs"},
	}
	least, most := math.Inf(1), 1.0
	for _, s := range speeds {
		least, most = min(least, max(s.Microseconds.P50, 1)), max(most, s.Microseconds.P99)
	}
	low := math.Floor(math.Log10(least))
	high := max(math.Ceil(math.Log10(most)), low+1)
	at := func(v float64) float64 { return 100 * (math.Log10(max(v, 1)) - low) / (high - low) }
	for d := low; d <= high; d++ {
		c.Axis = append(c.Axis, tick{At: at(math.Pow(10, d)), Text: microseconds(math.Pow(10, d))})
	}
	for _, s := range speeds {
		q := s.Microseconds
		c.Bars = append(c.Bars, chartBar{
			Name: s.Server.String(), Value: fmt.Sprintf("%.0f, 99%%: %.0f µs", q.P50, q.P99), To: at(q.P50), Right: at(q.P99),
			Cells: []string{peerName(s.Server), fmt.Sprintf("%.0f", q.P50), fmt.Sprintf("%.0f", q.P90), fmt.Sprintf("%.0f", q.P99)},
		})
	}
	c.align()
	return c
}

func microseconds(v float64) string {
	switch {
	case v >= 1e6:
		return fmt.Sprintf("%.0f s", v/1e6)
	case v >= 1e3:
		return fmt.Sprintf("%.0f ms", v/1e3)
	}
	return fmt.Sprintf("%.0f µs", v)
}

// throughputChart has a bar up to the median of the rounds, and a line from
// the slowest to the fastest.
func throughputChart(load string, speeds []matrix.Speed) chart {
	unit, scale := "thousand requests/s", 1e-3
	if len(speeds) > 0 && speeds[0].Bytes >= 64<<10 {
		unit, scale = "MiB/s", float64(speeds[0].Bytes)/(1<<20)
	}
	c := chart{
		ID: "throughput-" + strings.ReplaceAll(load, " ", "-"), Title: "Throughput, " + load,
		Note: "In " + unit + "; bar: the median round, line: up to the fastest. Longer is better.",
		Head: []string{"server", "median " + unit, "slowest", "fastest"},
	}
	most := 0.0
	for _, s := range speeds {
		most = max(most, scale*slices.Max(append([]float64{0}, s.PerSecond...)))
	}
	most = roundUp(most)
	for i := range 5 {
		v := most * float64(i) / 4
		c.Axis = append(c.Axis, tick{At: 25 * float64(i), Text: fmt.Sprintf("%.4g", v)})
	}
	for _, s := range speeds {
		b := chartBar{Name: s.Server.String(), Cells: []string{peerName(s.Server), "", "", ""}}
		if n := len(s.PerSecond); n > 0 {
			sorted := slices.Sorted(slices.Values(s.PerSecond))
			median := scale * (sorted[(n-1)/2] + sorted[n/2]) / 2
			b.To, b.Right = 100*median/most, 100*scale*sorted[n-1]/most
			b.Value = fmt.Sprintf("%.3g", median)
			if median >= 1000 {
				b.Value = fmt.Sprintf("%.0f", median)
			}
			b.Cells = []string{peerName(s.Server), b.Value, fmt.Sprintf("%.4g", scale*sorted[0]), fmt.Sprintf("%.4g", scale*sorted[n-1])}
		}
		c.Bars = append(c.Bars, b)
	}
	c.align()
	return c
}

// roundUp is the next number that an axis may end with.
func roundUp(v float64) float64 {
	if v <= 0 {
		return 1
	}
	unit := math.Pow(10, math.Floor(math.Log10(v)))
	for _, f := range []float64{1, 2, 4, 8, 10} {
		if v <= f*unit {
			return f * unit
		}
	}
	return 10 * unit
}

// align keeps the text of the first and the last tick within the chart.
func (c *chart) align() {
	for i := range c.Axis {
		c.Axis[i].Align = "middle"
	}
	c.Axis[0].Align, c.Axis[len(c.Axis)-1].Align = "start", "end"
}

// speedNote says what the numbers are worth.
func speedNote(p *matrix.Performance) string {
	return fmt.Sprintf("Medians of %d interleaved rounds of %.3g s on %s, with the reference client, "+
		"at a load average of %s before and %s after. Other work on the machine slows everything down: "+
		"compare within a chart, and measure again before a conclusion.",
		p.Rounds, p.Seconds, p.Machine, orNone(p.Load[0]), orNone(p.Load[1]))
}

func orNone(s string) string {
	if s == "" {
		return "(unknown)"
	}
	return s
}

// speedSheets are the charts as tables.
func speedSheets(m matrix.Matrix) []sheet {
	var list []sheet
	for i, c := range speedCharts(m.Performance) {
		s := sheet{title: c.Title, note: c.Note, head: c.Head}
		if i == 0 {
			s.note = speedNote(m.Performance) + " " + c.Note
		}
		for _, b := range c.Bars {
			s.rows = append(s.rows, b.Cells)
		}
		list = append(list, s)
	}
	return list
}
