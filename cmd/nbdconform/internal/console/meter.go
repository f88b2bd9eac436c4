package console

import (
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// A Meter shows how many bytes are done, with an estimate of the time that is
// left, on a terminal and nowhere else. The zero value, and nil, show nothing.
type Meter struct {
	progress *mpb.Progress
	bar      *mpb.Bar
}

// NewMeter shows a meter on out, if it is a terminal.
func NewMeter(out *os.File, name string, total uint64) *Meter {
	m := &Meter{}
	if total == 0 || !term.IsTerminal(int(out.Fd())) {
		return m
	}
	m.progress = mpb.New(mpb.WithOutput(out), mpb.WithWidth(24))
	m.bar = m.progress.AddBar(int64(total),
		mpb.PrependDecorators(decor.Name(name+" "), decor.CountersKibiByte("% .1f / % .1f")),
		mpb.AppendDecorators(decor.AverageSpeed(decor.SizeB1024(0), "% .0f "), decor.AverageETA(decor.ET_STYLE_GO)),
		mpb.BarRemoveOnComplete(),
	)
	return m
}

// Set says how many bytes are done.
func (m *Meter) Set(done uint64) {
	if m != nil && m.bar != nil {
		m.bar.SetCurrent(int64(done))
	}
}

// Close removes the meter.
func (m *Meter) Close() {
	if m == nil || m.bar == nil {
		return
	}
	if !m.bar.Completed() {
		m.bar.Abort(true)
	}
	m.progress.Wait()
}
