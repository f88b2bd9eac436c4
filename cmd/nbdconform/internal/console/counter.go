package console

import (
	"fmt"
	"os"
	"time"

	"github.com/vbauerster/mpb/v8"
	"github.com/vbauerster/mpb/v8/decor"
	"golang.org/x/term"
)

// Counter returns a function that shows how far something has come, on a
// terminal and nowhere else.
func Counter(out *os.File, what string) func(done, total int) {
	if !term.IsTerminal(int(out.Fd())) {
		return func(int, int) {}
	}
	start := time.Now()
	return func(done, total int) {
		left := time.Duration(float64(time.Since(start)) / float64(done) * float64(total-done)).Round(time.Second)
		fmt.Fprintf(out, "\r\033[K%s: %d of %d, %v left", what, done, total, left)
		if done == total {
			fmt.Fprint(out, "\r\033[K")
		}
	}
}

// Steps shows how many of a number of steps are done: a bar on a terminal, and
// a line every ten seconds elsewhere.
type Steps struct {
	out      *os.File
	live     bool
	total    int
	start    time.Time
	last     time.Time
	progress *mpb.Progress
	bar      *mpb.Bar
	current  string
}

// NewSteps shows steps on out.
func NewSteps(out *os.File) *Steps {
	return &Steps{out: out, live: term.IsTerminal(int(out.Fd()))}
}

// Plan says how many steps there are.
func (s *Steps) Plan(total int) {
	s.total, s.start, s.last = total, time.Now(), time.Now()
	if !s.live {
		return
	}
	s.progress = mpb.New(mpb.WithOutput(s.out), mpb.WithWidth(20))
	s.bar = s.progress.AddBar(int64(total), mpb.BarRemoveOnComplete(),
		mpb.PrependDecorators(decor.CountersNoUnit("%d/%d")),
		mpb.AppendDecorators(decor.AverageETA(decor.ET_STYLE_GO),
			decor.Any(func(decor.Statistics) string { return " " + s.current })))
}

// Done says that the n-th step is done.
func (s *Steps) Done(what string, n int) {
	if s.live {
		s.current = what
		s.bar.Increment()
		return
	}
	if time.Since(s.last) > 10*time.Second {
		s.last = time.Now()
		left := time.Since(s.start) / time.Duration(n) * time.Duration(s.total-n)
		fmt.Fprintf(s.out, "%d of %d, %v left: %s\n", n, s.total, left.Round(time.Second), what)
	}
}

// Close removes the bar.
func (s *Steps) Close() {
	if s.bar != nil {
		s.bar.Abort(true)
		s.progress.Wait()
	}
}
