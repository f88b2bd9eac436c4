package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nbdconform/reports/result"
)

// However the server under test ends, one spec pays for it and the run goes on.
func TestAServerThatEndsCostsOneSpec(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		end    func(*stage)
		want   result.Verdict
		exit   string
		stderr string
	}{
		"it crashes": {
			func(s *stage) { s.tell(crash) }, result.Crash, "exit status 2", "panic: the puppet was told to crash",
		},
		"it is killed": {
			func(s *stage) { s.signal(s.puppet, syscall.SIGKILL) }, result.Crash, "signal: killed", "",
		},
		"it stands still": {
			func(s *stage) { s.tell(freeze) }, result.Hang, "", "",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := onStage(t, "--timeout", "2s")
			tc.end(s)
			o := s.end()
			o.want(t, exitViolates)
			r := o.result(t)
			wholeCensus(t, r)
			broken := with(r, tc.want)
			if len(broken) != 1 {
				t.Fatalf("%d specs with the verdict %s, want 1: %v", len(broken), tc.want, r.Summary)
			}
			if b := broken[0]; b.Exit != tc.exit || !strings.Contains(b.Stderr, tc.stderr) || !strings.Contains(b.Message, tc.exit) {
				t.Errorf("exit %q, stderr %q, message %q", b.Exit, b.Stderr, b.Message)
			}
			for v, n := range r.Summary {
				if n > 0 && v != tc.want && v != result.Pass && v != result.Unsupported {
					t.Errorf("%d specs with the verdict %s: %+v", n, v, with(r, v)[0])
				}
			}
			s.leavesNothing()
		})
	}
}

func TestAServerThatCanNotComeBackBlocksTheRest(t *testing.T) {
	t.Parallel()
	s := onStage(t)
	s.tell(crashToStay)
	o := s.end()
	o.want(t, exitViolates)
	r := o.result(t)
	wholeCensus(t, r)
	broken := with(r, result.Crash)
	if len(broken) != 1 || !strings.Contains(broken[0].Message, "the disk is gone") {
		t.Fatalf("%+v", broken)
	}
	blocked := with(r, result.Blocked)
	if len(blocked) == 0 {
		t.Error("nothing is blocked")
	}
	for _, b := range blocked {
		if b.BlockedBy != broken[0].ID {
			t.Errorf("%s is blocked by %q", b.ID, b.BlockedBy)
		}
	}
	s.leavesNothing()
}

func TestAnInterruptedRunWritesWhatItHas(t *testing.T) {
	t.Parallel()
	for _, sig := range []syscall.Signal{syscall.SIGINT, syscall.SIGTERM} {
		t.Run(sig.String(), func(t *testing.T) {
			t.Parallel()
			s := onStage(t)
			s.signal(s.cmd.Process.Pid, sig)
			o := s.end()
			o.want(t, exitUntrusted)
			r := o.result(t)
			wholeCensus(t, r)
			if r.EndedEarly != "interrupted" || !strings.Contains(o.stdout, "the run ended early: interrupted") {
				t.Errorf("ended early: %q\n%s", r.EndedEarly, o.stdout)
			}
			if len(with(r, result.Inconclusive)) == 0 || len(with(r, result.Pass)) == 0 {
				t.Errorf("%v", r.Summary)
			}
			for v, n := range r.Summary {
				if n > 0 && v != result.Inconclusive && v != result.Pass && v != result.Unsupported {
					t.Errorf("%d specs with the verdict %s: %+v", n, v, with(r, v)[0])
				}
			}
			s.leavesNothing()
		})
	}
}

// A child that is killed costs the spec that it was at, as an error of ours.
func TestAKilledChildIsAnErrorOfTheSuite(t *testing.T) {
	t.Parallel()
	s := onStage(t)
	s.signal(s.child, syscall.SIGKILL)
	o := s.end()
	o.want(t, exitUntrusted)
	r := o.result(t)
	wholeCensus(t, r)
	errs := with(r, result.Error)
	if len(errs) != 1 || !strings.Contains(errs[0].Message, "signal: killed") {
		t.Errorf("%+v", errs)
	}
	if len(with(r, result.Inconclusive)) == 0 || len(with(r, result.Pass)) == 0 {
		t.Errorf("%v", r.Summary)
	}
	s.leavesNothing()
}

// Nothing survives a parent that is killed.
func TestAKilledParentTakesTheRestAlong(t *testing.T) {
	t.Parallel()
	s := onStage(t)
	s.signal(s.cmd.Process.Pid, syscall.SIGKILL)
	_ = s.cmd.Wait()
	s.leavesNothing()
}

func (s *stage) signal(pid int, sig syscall.Signal) {
	s.t.Helper()
	if err := syscall.Kill(pid, sig); err != nil {
		s.t.Fatalf("sending %v: %v", sig, err)
	}
}

// leavesNothing fails the test unless the processes of the run end and its temporary files go.
func (s *stage) leavesNothing() {
	s.t.Helper()
	eventually(s.t, "the child ends", func() bool { return gone(s.child) })
	eventually(s.t, "the server ends", func() bool { return gone(s.puppet) })
	eventually(s.t, "the temporary files go", func() bool {
		left, err := os.ReadDir(s.temp)
		return err == nil && len(left) == 0
	})
}

// gone reports whether a process has ended; a zombie has.
func gone(pid int) bool {
	s := stateOf(pid)
	return s == "" || s == "Z"
}

// stateOf returns the letter that the kernel has for the state of a process, or "".
func stateOf(pid int) string {
	stat, err := os.ReadFile(procFile(pid, "stat"))
	if err != nil {
		return ""
	}
	return strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))[0]
}

// eventually waits for something that no message announces.
func eventually(t *testing.T, what string, is func() bool) {
	t.Helper()
	for end := time.Now().Add(30 * time.Second); !is(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("waited in vain: %s", what)
		}
	}
}

// Who waits for a server that says nothing can be interrupted, and says so.
func TestWaitingIsInterrupted(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(shortTempDir(t), "s")
	l, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for _, name := range []string{"info", "list", "map"} {
		p := start(t, nil, name, "nbd+unix:///?socket="+socket)
		c, err := l.Accept()
		if err != nil {
			t.Fatal(err)
		}
		if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		o := p.end()
		o.want(t, exitUntrusted)
		if o.stderr != "nbdconform: interrupted\n" {
			t.Errorf("%s: %q", name, o.stderr)
		}
		c.Close()
	}
}

// What can't be said is an error, and no silence.
func TestNobodyHears(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	for _, args := range [][]string{argWords("list --profiles"), argWords("list --quirks"), argWords("serve --listen 127.0.0.1:0"), argWords("list")} {
		p := prepare(t, nil, args...)
		p.cmd.Stdout = full
		if err := p.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		o := p.end()
		o.want(t, exitUntrusted)
		if !strings.Contains(o.stderr, "no space left on device") || strings.Count(o.stderr, "\n") != 1 {
			t.Errorf("%v: %q", args, o.stderr)
		}
	}
}
