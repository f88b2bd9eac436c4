package main

import (
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// newOverview is one progress bar on a terminal, and a line for each cell elsewhere.
func newOverview(out *os.File) overview {
	if term.IsTerminal(int(out.Fd())) {
		return &overviewBar{out: out}
	}
	return &overviewLines{out: out}
}

// overviewLines prints a line as each cell ends.
type overviewLines struct {
	out io.Writer

	mu             sync.Mutex
	cells, n, took int
	started        time.Time
}

func (o *overviewLines) plan(cells int) {
	o.cells, o.started = cells, time.Now()
	fmt.Fprintf(o.out, "%d runs\n", cells)
}

func (o *overviewLines) reused(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.n++
	fmt.Fprintf(o.out, "%3d/%d %s: already there\n", o.n, o.cells, name)
}

func (o *overviewLines) start(string) {}

func (o *overviewLines) done(name, how string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.n++
	o.took++
	left := time.Since(o.started) / time.Duration(o.took) * time.Duration(o.cells-o.n)
	fmt.Fprintf(o.out, "%3d/%d %s: %s; %v left\n", o.n, o.cells, name, how, left.Round(time.Second))
}

func (o *overviewLines) close() {}

// overviewBar is one bar for all cells, with those that run now behind it.
type overviewBar struct {
	out      *os.File
	progress *mpb.Progress
	bar      *mpb.Bar

	mu      sync.Mutex
	running []string
}

func (o *overviewBar) plan(cells int) {
	o.progress = mpb.New(mpb.WithOutput(o.out), mpb.WithWidth(18))
	o.bar = o.progress.AddBar(int64(cells),
		mpb.PrependDecorators(decor.CountersNoUnit("%d/%d runs ")),
		mpb.AppendDecorators(
			decor.AverageETA(decor.ET_STYLE_GO),
			decor.Any(func(decor.Statistics) string { return " " + o.now() }),
		),
		mpb.BarRemoveOnComplete(),
	)
}

// now names what runs, in the space that a line has left.
func (o *overviewBar) now() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	s := strings.Join(o.running, "; ")
	if len(s) > 36 {
		s = s[:35] + "…"
	}
	return s
}

func (o *overviewBar) reused(string) { o.bar.Increment() }

func (o *overviewBar) start(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running = append(o.running, name)
}

func (o *overviewBar) done(name, _ string) {
	o.mu.Lock()
	if i := slices.Index(o.running, name); i >= 0 {
		o.running = slices.Delete(o.running, i, i+1)
	}
	o.mu.Unlock()
	o.bar.Increment()
}

func (o *overviewBar) close() {
	if !o.bar.Completed() {
		o.bar.Abort(true)
	}
	o.progress.Wait()
}
