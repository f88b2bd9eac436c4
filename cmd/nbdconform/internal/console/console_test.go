package console

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"nbdconform/reports/fuzzing"
	"nbdconform/reports/result"
)

// plain is a file that is no terminal, and what was written to it.
func plain(t *testing.T) (*os.File, func() string) {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f, func() string {
		text, err := os.ReadFile(f.Name())
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestARunInLines(t *testing.T) {
	for verbose, want := range map[bool]string{
		false: "building\nx 1 (sid), huge: 3 specs\nfail  b\n2 of 3 specs\nerror c\n",
		true:  "building\nx 1 (sid), huge: 3 specs\npass  a\nfail  b\nerror c\n",
	} {
		f, said := plain(t)
		synctest.Test(t, func(t *testing.T) {
			r := NewRun(f, verbose)
			r.Step("building")
			r.Plan(result.Target{Name: "x", Version: "1", Release: "sid", Profile: "huge"}, 3)
			for i, s := range []result.Spec{{ID: "a", Verdict: result.Pass}, {ID: "b", Verdict: result.Fail}, {ID: "c", Verdict: result.Error}} {
				r.Start(s.ID)
				if i == 1 {
					time.Sleep(6 * time.Second)
				}
				r.Done(s)
			}
			r.Close()
		})
		if got := said(); got != want {
			t.Errorf("verbose %v:\n%s\nwant\n%s", verbose, got, want)
		}
	}
}

// What is left is reckoned from what was run, without what was there.
func TestAnOverviewInLines(t *testing.T) {
	var said strings.Builder
	synctest.Test(t, func(t *testing.T) {
		o := OverviewLines(&said)
		o.Plan(4)
		o.Reused("a")
		o.Start("b")
		time.Sleep(10 * time.Second)
		o.Done("b", "conforms, 10 s")
		o.Close()
	})
	want := "4 runs\n  1/4 a: already there\n  2/4 b: conforms, 10 s; 20s left\n"
	if said.String() != want {
		t.Errorf("%s\nwant\n%s", said.String(), want)
	}
}

func TestWhatIsNotPlannedGetsALineEach(t *testing.T) {
	f, said := plain(t)
	p := NewPlanned(f)
	p.Done("building an image", "")
	p.Plan(1)
	p.Start("a")
	p.Done("a", "3 items")
	p.Close()
	if got := said(); !strings.HasPrefix(got, "building an image\n1 runs\n  1/1 a: 3 items;") {
		t.Error(got)
	}
}

// A campaign gets a line every ten seconds, and one for each finding.
func TestACampaignInLines(t *testing.T) {
	f, said := plain(t)
	synctest.Test(t, func(t *testing.T) {
		c := NewCampaign(f)
		r := fuzzing.Record{}
		for i := range 25 {
			time.Sleep(time.Second)
			r.Execs, r.Seconds = 10*(i+1), float64(i+1)
			if i == 3 {
				r.Findings = []fuzzing.Finding{{Standing: fuzzing.New}}
			}
			c.Progress(r, time.Duration(25-i)*time.Second)
		}
		c.Close()
	})
	lines := strings.Split(strings.TrimSpace(said()), "\n")
	if len(lines) != 3 || !strings.HasPrefix(lines[0], "40 scripts, 10/s, 0 states and replies, 1 found, 22s left") {
		t.Errorf("%d lines:\n%s", len(lines), strings.Join(lines, "\n"))
	}
}

func TestStepsInLines(t *testing.T) {
	f, said := plain(t)
	synctest.Test(t, func(t *testing.T) {
		s := NewSteps(f)
		s.Plan(6)
		for i := range 3 {
			time.Sleep(6 * time.Second)
			s.Done("a row", i+1)
		}
		s.Close()
	})
	if got, want := said(), "2 of 6, 24s left: a row\n"; got != want {
		t.Errorf("%q, want %q", got, want)
	}
}

// No meter and no counter are shown where there is no terminal.
func TestNothingMovesWithoutATerminal(t *testing.T) {
	f, said := plain(t)
	m := NewMeter(f, "copy", 100)
	m.Set(50)
	m.Close()
	var none *Meter
	none.Set(1)
	none.Close()
	Counter(f, "proving")(1, 2)
	if got := said(); got != "" {
		t.Errorf("%q", got)
	}
}

func TestTextFitsATerminal(t *testing.T) {
	text := Paragraph("FAILED: ", strings.Repeat("word ", 40)+"\x1b[31m")
	for line := range strings.Lines(text) {
		if len(line) > 80+len("FAILED: ") {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	if !strings.HasPrefix(text, "FAILED: word") || strings.Contains(text, "\x1b") || !strings.HasSuffix(text, "\n") {
		t.Errorf("%q", text)
	}
	if got := Indented("a\nb"); got != "  a\n  b" {
		t.Errorf("%q", got)
	}
	if got := Visible("a\xff\u009b\nb"); got != "a??"+"?b" {
		t.Errorf("%q", got)
	}
}
