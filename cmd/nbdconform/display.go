package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"

	"nbdconform/reports/result"
)

// A display shows a run while it goes on.
type display interface {
	step(text string) // something that takes its time, before the first spec
	plan(t result.Target, specs int)
	start(id string)
	done(s result.Spec)
	close()
}

// newDisplay is a progress bar on a terminal, and lines elsewhere or where
// each spec is to have one.
func newDisplay(out *os.File, verbose bool) display {
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

func (l *lines) step(text string) { fmt.Fprintln(l.out, text) }

func (l *lines) plan(t result.Target, specs int) {
	fmt.Fprintf(l.out, "%s: %s\n", title(t), countOf(specs))
	l.total, l.last = specs, time.Now()
}

func (l *lines) start(string) {}

func (l *lines) done(s result.Spec) {
	l.count++
	if l.all || s.Verdict.Broken() || s.Verdict == result.Error {
		fmt.Fprintf(l.out, "%-5s %s\n", s.Verdict, s.ID)
	}
	if !l.all && time.Since(l.last) > 5*time.Second {
		fmt.Fprintf(l.out, "%d of %d specs\n", l.count, l.total)
		l.last = time.Now()
	}
}

func (l *lines) close() {}

// bar is a progress bar with an estimate of the time that is left.
type bar struct {
	out      *os.File
	progress *mpb.Progress
	bar      *mpb.Bar
	current  string
	broken   int
}

func (b *bar) step(text string) { fmt.Fprintln(b.out, text) }

func (b *bar) plan(t result.Target, specs int) {
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

func (b *bar) start(id string) { b.current = id }

func (b *bar) done(s result.Spec) {
	if s.Verdict.Broken() {
		b.broken++
	}
	if b.bar != nil && s.Group != result.JudgeGroup {
		b.bar.Increment()
	}
}

func (b *bar) close() {
	if b.bar == nil {
		return
	}
	if !b.bar.Completed() {
		b.bar.Abort(true)
	}
	b.progress.Wait()
}

func countOf(specs int) string {
	if specs == 1 {
		return "1 spec"
	}
	return fmt.Sprintf("%d specs", specs)
}

// title names a target with its version.
func title(t result.Target) string {
	s := t.Name
	if t.Version != "" {
		s += " " + t.Version
	}
	if t.Suite != "" {
		s += " (" + t.Suite + ")"
	}
	if t.Profile != "" && t.Profile != "default" {
		s += ", " + t.Profile
	}
	return s
}
