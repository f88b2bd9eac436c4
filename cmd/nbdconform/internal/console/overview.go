package console

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

// An Overview shows how far many runs are, of which several go on at once.
type Overview interface {
	Plan(runs int)
	Reused(name string) // an earlier result is taken
	Start(name string)
	Done(name, how string)
	Close()
}

// NewOverview is one progress bar on a terminal, and a line for each run elsewhere.
func NewOverview(out *os.File) Overview {
	if term.IsTerminal(int(out.Fd())) {
		return &overviewBar{out: out}
	}
	return OverviewLines(out)
}

// OverviewLines prints a line as each run ends.
func OverviewLines(out io.Writer) Overview { return &overviewLines{out: out} }

type overviewLines struct {
	out io.Writer

	mu            sync.Mutex
	runs, n, took int
	started       time.Time
}

func (o *overviewLines) Plan(runs int) {
	o.runs, o.started = runs, time.Now()
	fmt.Fprintf(o.out, "%d runs\n", runs)
}

func (o *overviewLines) Reused(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.n++
	fmt.Fprintf(o.out, "%3d/%d %s: already there\n", o.n, o.runs, name)
}

func (o *overviewLines) Start(string) {}

func (o *overviewLines) Done(name, how string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.n++
	o.took++
	left := time.Since(o.started) / time.Duration(o.took) * time.Duration(o.runs-o.n)
	fmt.Fprintf(o.out, "%3d/%d %s: %s; %v left\n", o.n, o.runs, name, how, left.Round(time.Second))
}

func (o *overviewLines) Close() {}

// overviewBar is one bar for all runs, with those that go on now after it.
type overviewBar struct {
	out      *os.File
	progress *mpb.Progress
	bar      *mpb.Bar

	mu      sync.Mutex
	running []string
}

func (o *overviewBar) Plan(runs int) {
	o.progress = mpb.New(mpb.WithOutput(o.out), mpb.WithWidth(18))
	o.bar = o.progress.AddBar(int64(runs),
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

func (o *overviewBar) Reused(string) { o.bar.Increment() }

func (o *overviewBar) Start(name string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.running = append(o.running, name)
}

func (o *overviewBar) Done(name, _ string) {
	o.mu.Lock()
	if i := slices.Index(o.running, name); i >= 0 {
		o.running = slices.Delete(o.running, i, i+1)
	}
	o.mu.Unlock()
	o.bar.Increment()
}

func (o *overviewBar) Close() {
	if !o.bar.Completed() {
		o.bar.Abort(true)
	}
	o.progress.Wait()
}

// Planned shows steps as an [Overview] does, once they are planned; before, a
// line for each.
type Planned struct {
	Overview
	out     io.Writer
	mu      sync.Mutex
	planned bool
}

// NewPlanned shows steps on out.
func NewPlanned(out *os.File) *Planned { return &Planned{Overview: NewOverview(out), out: out} }

// Plan says how many steps there are.
func (p *Planned) Plan(steps int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.planned = true
	p.Overview.Plan(steps)
}

// Done says how a step ended.
func (p *Planned) Done(step, how string) {
	p.mu.Lock()
	planned := p.planned
	p.mu.Unlock()
	if !planned {
		fmt.Fprintln(p.out, step)
		return
	}
	p.Overview.Done(step, how)
}

// Close ends the display, if there was a plan.
func (p *Planned) Close() {
	if p.planned {
		p.Overview.Close()
	}
}
