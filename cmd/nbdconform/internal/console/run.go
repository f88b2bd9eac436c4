package console

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// A Run shows a run of the suite while it goes on.
type Run interface {
	Step(text string) // something that takes its time, before the first spec
	Plan(t result.Target, specs int)
	Start(id string)
	Done(s result.Spec)
	Close()
}

// NewRun is a progress bar on a terminal, and lines elsewhere or where each
// spec gets a line.
func NewRun(out *os.File, verbose bool) Run {
	if !verbose && term.IsTerminal(int(out.Fd())) {
		return &bar{out: out}
	}
	return &lines{out: out, all: verbose}
}

// lines prints what is worth a line: steps, and specs that did not go well.
type lines struct {
	out   io.Writer
	all   bool // every spec is worth a line
	total int
	count int
	last  time.Time
}

func (l *lines) Step(text string) { fmt.Fprintln(l.out, text) }

func (l *lines) Plan(t result.Target, specs int) {
	fmt.Fprintf(l.out, "%s: %s\n", Title(t), words.Count(specs, "spec", "specs"))
	l.total, l.last = specs, time.Now()
}

func (l *lines) Start(string) {}

func (l *lines) Done(s result.Spec) {
	l.count++
	if l.all || s.Verdict.Broken() || s.Verdict == result.Error {
		fmt.Fprintf(l.out, "%-5s %s\n", s.Verdict, s.ID)
	}
	if !l.all && time.Since(l.last) > 5*time.Second {
		fmt.Fprintf(l.out, "%d of %d specs\n", l.count, l.total)
		l.last = time.Now()
	}
}

func (l *lines) Close() {}

// bar is a progress bar with an estimate of the time that is left.
type bar struct {
	out      *os.File
	progress *mpb.Progress
	bar      *mpb.Bar
	current  string
	broken   int
}

func (b *bar) Step(text string) { fmt.Fprintln(b.out, text) }

func (b *bar) Plan(t result.Target, specs int) {
	b.progress = mpb.New(mpb.WithOutput(b.out), mpb.WithWidth(24))
	b.bar = b.progress.AddBar(int64(specs),
		mpb.PrependDecorators(decor.Name(t.Name+" "), decor.CountersNoUnit("%d/%d")),
		mpb.AppendDecorators(
			decor.Any(func(decor.Statistics) string { return fmt.Sprintf("%d broken ", b.broken) }),
			decor.AverageETA(decor.ET_STYLE_GO),
		),
		mpb.BarRemoveOnComplete(),
	)
}

func (b *bar) Start(id string) { b.current = id }

func (b *bar) Done(s result.Spec) {
	if s.Verdict.Broken() {
		b.broken++
	}
	if b.bar != nil && s.Group != result.JudgeGroup {
		b.bar.Increment()
	}
}

func (b *bar) Close() {
	if b.bar == nil {
		return
	}
	if !b.bar.Completed() {
		b.bar.Abort(true)
	}
	b.progress.Wait()
}

// Title names a target with its version.
func Title(t result.Target) string {
	s := t.Name
	if t.Version != "" {
		s += " " + t.Version
	}
	if t.Release != "" {
		s += " (" + t.Release + ")"
	}
	if t.Profile != "" && t.Profile != "default" {
		s += ", " + t.Profile
	}
	return s
}

// Quiet shows nothing of a run.
type Quiet struct{}

// Step implements [Run].
func (Quiet) Step(string) {}

// Plan implements [Run].
func (Quiet) Plan(result.Target, int) {}

// Start implements [Run].
func (Quiet) Start(string) {}

// Done implements [Run].
func (Quiet) Done(result.Spec) {}

// Close implements [Run].
func (Quiet) Close() {}
