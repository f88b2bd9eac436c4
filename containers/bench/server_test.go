package bench

import (
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// gone waits for a process to leave its number in the file, and returns what
// tells whether it is gone.
func gone(t *testing.T, file string) func() bool {
	t.Helper()
	var pid int
	within(t, "the server has started", func() bool {
		b, err := os.ReadFile(file)
		if err != nil || !strings.HasSuffix(string(b), "\n") {
			return false
		}
		pid, err = strconv.Atoi(strings.TrimSpace(string(b)))
		return err == nil
	})
	return func() bool { return errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) }
}

func within(t *testing.T, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(5 * time.Second); !ok(); time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("not within 5 s: %s", what)
		}
	}
}

func TestServersEndWithTheLease(t *testing.T) {
	for how, c := range map[string]struct{ file, commands string }{
		"in the foreground":        {"number", "sh -c 'echo $PPID' >number; exec sleep 100"},
		"leaving a process number": {"pid", "sleep 100 >/dev/null 2>&1 & echo $! >pid"},
	} {
		t.Run(how, func(t *testing.T) {
			s := &running{dir: filepath.Join(t.TempDir(), "server")}
			if err := os.Mkdir(s.dir, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := s.launch(c.commands); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = syscall.Kill(-s.cmd.Process.Pid, syscall.SIGKILL) })
			ended := gone(t, filepath.Join(s.dir, c.file))
			if ended() {
				t.Fatal("the server does not run")
			}
			_ = s.stdin.Close() // as the kernel does if this process is killed
			within(t, "the server has ended", ended)
			if err := s.cmd.Wait(); err != nil {
				t.Errorf("%v: %s", err, s.stderr.String())
			}
			if _, err := os.Stat(s.dir); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("its files are left: %v", err)
			}
		})
	}
}
