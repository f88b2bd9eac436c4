package main

import (
	"os"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// A meter shows how many bytes are done, with an estimate of the time that is
// left, on a terminal and nowhere else. The zero value shows nothing.
type meter struct {
	total    uint64
	progress *mpb.Progress
	bar      *mpb.Bar
}

func newMeter(out *os.File, name string, total uint64) *meter {
	m := &meter{total: total}
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

func (m *meter) set(done uint64) {
	if m.bar != nil {
		m.bar.SetCurrent(int64(done))
	}
}

func (m *meter) close() {
	if m.bar == nil {
		return
	}
	if !m.bar.Completed() {
		m.bar.Abort(true)
	}
	m.progress.Wait()
}
