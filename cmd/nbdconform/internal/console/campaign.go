package console

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"nbdconform/reports/fuzzing"
)

// A Campaign shows how far a fuzzing campaign is.
type Campaign interface {
	Step(text string)
	Progress(r fuzzing.Record, left time.Duration)
	Close()
}

// NewCampaign is one line that changes on a terminal, and a line now and
// then elsewhere.
func NewCampaign(out *os.File) Campaign {
	return &campaignLines{out: out, live: term.IsTerminal(int(out.Fd())), last: time.Now()}
}

type campaignLines struct {
	out     io.Writer
	live    bool
	last    time.Time
	shown   bool
	found   int
	execs   int // when it began, and last
	seconds float64
	started bool
}

func (f *campaignLines) Step(text string) { fmt.Fprintln(f.out, text) }

// linesEvery is how often a line is printed where lines stay.
const linesEvery = 10 * time.Second

func (f *campaignLines) Progress(r fuzzing.Record, left time.Duration) {
	if !f.started {
		f.started, f.execs, f.seconds = true, r.Execs, r.Seconds
	}
	news := len(r.Broken()) > f.found
	if !f.live && !news && time.Since(f.last) < linesEvery && left > 0 {
		return
	}
	f.found, f.last, f.shown = len(r.Broken()), time.Now(), true
	rate := float64(r.Execs-f.execs) / max(r.Seconds-f.seconds, 0.001)
	if r.Seconds-f.seconds < 0.5 {
		rate = float64(r.Execs) / max(r.Seconds, 0.001)
	}
	line := fmt.Sprintf("%d scripts, %.0f/s, %d states and replies, %d found, %v left",
		r.Execs, rate, len(r.Points), f.found, max(left, 0).Round(time.Second))
	if f.live {
		fmt.Fprintf(f.out, "\r\x1b[K%.79s", line)
		return
	}
	fmt.Fprintln(f.out, line)
}

func (f *campaignLines) Close() {
	if f.live && f.shown {
		fmt.Fprint(f.out, "\r\x1b[K")
	}
	f.shown = false
}
