package supervise

import (
	"context"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"
)

type event struct{ N int }

// roleVariable makes this test program a child.
const roleVariable = "NBDCONFORM_SUPERVISED"

func TestMain(m *testing.M) {
	if role := os.Getenv(roleVariable); role != "" {
		play(role)
		return
	}
	goleak.VerifyTestMain(m)
}

// play is what a child does.
func play(role string) {
	tell := NewTeller[event]()
	tell.Tell(event{1})
	switch role {
	case "ends":
		tell.Tell(event{2})
	case "fails":
		fmt.Fprintln(os.Stderr, strings.Repeat("noise ", maxOutput), "the disk is gone")
		os.Exit(3)
	case "dies":
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	case "babbles":
		fmt.Fprintln(os.NewFile(eventFile, ""), "what?")
		time.Sleep(time.Hour)
	case "hangs":
		time.Sleep(time.Hour)
	case "obeys":
		stop := make(chan os.Signal, 1)
		signal.Notify(stop, syscall.SIGTERM)
		tell.Tell(event{2})
		<-stop
		tell.Tell(event{3})
	case "stays": // until its parent is gone
		ctx, cancel := Attached(context.Background())
		defer cancel()
		signal.Ignore(syscall.SIGTERM)
		<-ctx.Done()
	}
}

func TestHowAChildEnds(t *testing.T) {
	for role, tc := range map[string]struct {
		interruptAt int // event; 0: never
		limits      Limits
		events      int
		want        string
	}{
		"ends":    {events: 2},
		"fails":   {events: 1, want: "the disk is gone"},
		"dies":    {events: 1, want: "signal: killed"},
		"babbles": {events: 1, want: "the child said what is no event"},
		"hangs":   {limits: Limits{Silence: time.Second}, events: 1, want: "stuck for 1s"},
		"obeys":   {interruptAt: 2, events: 3, want: Interrupted},
		"stays":   {interruptAt: 1, limits: Limits{Grace: 100 * time.Millisecond}, events: 1, want: Interrupted},
	} {
		t.Run(role, func(t *testing.T) {
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tc.limits.Silence == 0 {
				tc.limits.Silence = time.Minute
			}
			if tc.limits.Grace == 0 {
				tc.limits.Grace = time.Minute
			}
			self, err := os.Executable()
			if err != nil {
				t.Fatal(err)
			}
			c, err := Start([]string{self}, []string{roleVariable + "=" + role})
			if err != nil {
				t.Fatal(err)
			}
			var got []int
			Each(ctx, c, tc.limits, func(e event) {
				got = append(got, e.N)
				if e.N == tc.interruptAt {
					cancel()
				}
			})
			end := c.Wait()
			if len(got) != tc.events || end != tc.want && (tc.want == "" || !strings.Contains(end, tc.want)) {
				t.Errorf("events %v, end %q; want %d events, end %q", got, end, tc.events, tc.want)
			}
			if len(end) > maxOutput+100 {
				t.Errorf("the end has %d bytes", len(end))
			}
		})
	}
}

// A child ends when its parent does: its standard input is closed then.
func TestAChildEndsWithItsParent(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	c, err := Start([]string{self}, []string{roleVariable + "=stays"})
	if err != nil {
		t.Fatal(err)
	}
	Each(t.Context(), c, Limits{time.Minute, time.Minute}, func(event) {
		go func() { _ = c.stdin.Close() }()
	})
	if end := c.Wait(); end != "" {
		t.Errorf("it ended with %q", end)
	}
}

func TestWhatCanNotBeStarted(t *testing.T) {
	if _, err := Start([]string{"/nowhere/at/all"}, nil); err == nil || !strings.HasPrefix(err.Error(), "starting the run: ") {
		t.Errorf("%v", err)
	}
}

// A recorder is a process that notes when it is stopped, and ends when it is killed.
type recorder struct {
	start time.Time
	noted []string
	said  *io.PipeWriter
}

func (r *recorder) note(what string) {
	r.noted = append(r.noted, fmt.Sprint(what, " after ", time.Since(r.start)))
}

func (r *recorder) interrupt() { r.note("interrupted") }

func (r *recorder) kill() {
	r.note("killed")
	_ = r.said.Close()
}

// The time that a child may say nothing starts again with each event, and is
// another one after an interrupt, which is passed on once.
func TestSilence(t *testing.T) {
	for name, tc := range map[string]struct {
		says      []time.Duration // when the child says something
		interrupt time.Duration   // when the user interrupts; 0: never
		want      []string
		killed    string
	}{
		"silent from the start":      {nil, 0, []string{"killed after 10m0s"}, "stuck for 10m0s"},
		"silent in the end":          {[]time.Duration{9 * time.Minute, 18 * time.Minute}, 0, []string{"killed after 28m0s"}, "stuck for 10m0s"},
		"deaf to an interrupt":       {nil, time.Minute, []string{"interrupted after 1m0s", "killed after 1m30s"}, Interrupted},
		"slow after an interrupt":    {[]time.Duration{80 * time.Second}, time.Minute, []string{"interrupted after 1m0s", "killed after 1m50s"}, Interrupted},
		"interrupted when it's late": {nil, 10*time.Minute - time.Second, []string{"interrupted after 9m59s", "killed after 10m29s"}, Interrupted},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				read, write := io.Pipe()
				child := &recorder{start: time.Now(), said: write}
				go func() {
					for _, at := range tc.says {
						time.Sleep(at - time.Since(child.start))
						fmt.Fprintln(write, `{"N": 1}`)
					}
				}()
				if tc.interrupt > 0 {
					time.AfterFunc(tc.interrupt, cancel)
				}
				n := 0
				killed := each(ctx, read, child, Limits{10 * time.Minute, 30 * time.Second}, func(event) { n++ })
				if d := cmp.Diff(tc.want, child.noted); d != "" || killed != tc.killed || n != len(tc.says) {
					t.Errorf("%d events, ended as %q\n%s", n, killed, d)
				}
			})
		})
	}
}
