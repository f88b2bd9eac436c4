package main

import (
	"fmt"
	"io"
	"os"
	"time"

	"golang.org/x/term"

	"nbdconform/reports/fuzzing"
)

// A fuzzDisplay shows how far a campaign is.
type fuzzDisplay interface {
	step(text string)
	progress(r fuzzing.Record, left time.Duration)
	close()
}

// newFuzzDisplay is one line that changes on a terminal, and a line now and
// then elsewhere.
func newFuzzDisplay(out *os.File) fuzzDisplay {
	return &fuzzLines{out: out, live: term.IsTerminal(int(out.Fd())), last: time.Now()}
}

type fuzzLines struct {
	out     io.Writer
	live    bool
	name    string // ahead of each line
	last    time.Time
	shown   bool
	found   int
	execs   int // when it began, and last
	seconds float64
	started bool
}

func (f *fuzzLines) step(text string) { fmt.Fprintln(f.out, text) }

// dullEvery is how often a line is worth it where lines stay.
const dullEvery = 10 * time.Second

func (f *fuzzLines) progress(r fuzzing.Record, left time.Duration) {
	if !f.started {
		f.started, f.execs, f.seconds = true, r.Execs, r.Seconds
	}
	news := len(r.Broken()) > f.found
	if !f.live && !news && time.Since(f.last) < dullEvery && left > 0 {
		return
	}
	f.found, f.last, f.shown = len(r.Broken()), time.Now(), true
	rate := float64(r.Execs-f.execs) / max(r.Seconds-f.seconds, 0.001)
	if r.Seconds-f.seconds < 0.5 {
		rate = float64(r.Execs) / max(r.Seconds, 0.001)
	}
	line := fmt.Sprintf("%s%d scripts, %.0f/s, %d states and replies, %d found, %v left",
		f.name, r.Execs, rate, len(r.Points), f.found, max(left, 0).Round(time.Second))
	if f.live {
		fmt.Fprintf(f.out, "\r\x1b[K%.79s", line)
		return
	}
	fmt.Fprintln(f.out, line)
}

func (f *fuzzLines) close() {
	if f.live && f.shown {
		fmt.Fprint(f.out, "\r\x1b[K")
	}
	f.shown = false
}
