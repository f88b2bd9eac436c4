package main

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// A request in flight is answered, a later one is refused with NBD_ESHUTDOWN,
// and once the client is gone the process ends.
func TestServeFinishesWhatIsInFlight(t *testing.T) {
	t.Parallel()
	s := serving(t, "--grace", "60s", "--fault", "commands: write, delay: 1s", "--log", "requests", "--size", "1M")
	c, written := waiting(t, s.uri, wire.CmdWrite, func(c *client.Client) error {
		return c.WriteAt(t.Context(), []byte("in flight"), 0, 0)
	})
	began := time.Now()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	for {
		err := c.ReadAt(t.Context(), make([]byte, 1), 0, 0)
		if errors.Is(err, wire.ESHUTDOWN) {
			break
		}
		if err != nil || time.Since(began) > 30*time.Second {
			t.Fatalf("a later request: %v, want NBD_ESHUTDOWN", err)
		}
	}
	if err := <-written; err != nil {
		t.Errorf("the request in flight: %v", err)
	}
	_ = c.Close()
	if o := s.end(); o.status != 0 {
		t.Errorf("status %d, stderr %q", o.status, o.stderr)
	}
	if took := time.Since(began); took > 30*time.Second {
		t.Errorf("it ends after %v, though the client is gone", took)
	}
}

// The grace period, and the second signal, end what would go on for ever.
func TestServeEndsAtOnceWhenItHasTo(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		grace  string
		second bool
	}{
		"the grace period is over": {"100ms", false},
		"a second signal":          {"1h", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serving(t, "--grace", tc.grace, "--fault", "commands: flush, delay: 1h")
			c, _ := waiting(t, s.uri, wire.CmdFlush, func(c *client.Client) error { return c.Flush(t.Context()) })
			began := time.Now()
			if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
				t.Fatal(err)
			}
			if tc.second {
				for c.ReadAt(t.Context(), make([]byte, 1), 0, 0) == nil { // until the first has arrived
				}
				if err := s.cmd.Process.Signal(syscall.SIGINT); err != nil {
					t.Fatal(err)
				}
			}
			err := s.cmd.Wait()
			if took := time.Since(began); took > 20*time.Second {
				t.Errorf("it took %v", took)
			}
			status := s.cmd.ProcessState.Sys().(syscall.WaitStatus)
			if tc.second && status.Signal() != syscall.SIGINT || !tc.second && status.ExitStatus() != 0 {
				t.Errorf("%v: %s", err, s.stderr.String())
			}
		})
	}
}

func TestServeSaysWhatGoesOn(t *testing.T) {
	t.Parallel()
	pid := filepath.Join(t.TempDir(), "pid")
	s := serving(t, "--log", "requests", "--pid-file", pid)
	b, err := os.ReadFile(pid)
	if err != nil || strings.TrimSpace(string(b)) != strconv.Itoa(s.cmd.Process.Pid) {
		t.Errorf("the file has %q, %v", b, err)
	}
	c := connect(t, s.uri, "base:allocation")
	if err := c.WriteAt(t.Context(), make([]byte, 512), 1024, 0); err != nil {
		t.Fatal(err)
	}
	_ = c.Close()
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	o := s.end()
	for _, w := range []string{
		"msg=connection id=1 remote=127.0.0.1:", "msg=transmission id=1 export=disk replies=structured tls=false contexts=[base:allocation]",
		"msg=request id=1 ", "command=NBD_CMD_WRITE flags=0 offset=1024 length=512", "msg=disconnected id=1 requests=2",
	} {
		if !strings.Contains(o.stderr, w) {
			t.Errorf("no %q in\n%s", w, o.stderr)
		}
	}
	if _, err := os.Stat(pid); err == nil {
		t.Error("the file is left")
	}
}

func TestServeAtSeveralPlaces(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(shortTempDir(t), "s")
	s := serving(t, "--listen", "127.0.0.1:0", "--unix", socket)
	for _, uri := range []string{s.uri, "nbd+unix:///?socket=" + socket} {
		if !strings.HasPrefix(s.uri, "nbd://127.0.0.1:") || connect(t, uri).Size() != 64<<20 {
			t.Error(uri)
		}
	}
}

// Flags make the disk what they say.
func TestServeFlagsMakeTheDisk(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte(strings.Repeat("what was there ", 100)), 0o600); err != nil {
		t.Fatal(err)
	}
	s := serving(t, "--file", file, "--read-only", "--context", "qemu:dirty-bitmap:b0", "--block-size", "4", "--handshake", "newstyle")
	c := connect(t, s.uri)
	p := make([]byte, 16)
	if err := c.ReadAt(t.Context(), p, 0, 0); err != nil || string(p) != "what was there w" || c.Size() != 1500 {
		t.Errorf("%q of %d, %v", p, c.Size(), err)
	}
	if c.Flags()&wire.FlagReadOnly == 0 {
		t.Errorf("%v", c.Flags())
	}
	if n := connect(t, serving(t, "--size", "0").uri).Size(); n != 0 {
		t.Errorf("%d bytes, want none", n)
	}
	simple := connect(t, serving(t, "--no-structured-replies").uri, "base:allocation")
	if f := simple.Flags(); f&wire.FlagSendDF != 0 {
		t.Errorf("%v", f)
	}
}
