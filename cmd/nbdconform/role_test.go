package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync/atomic"
	"syscall"
	"testing"

	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/server"
)

// roleVariable makes this test program a server with a puppeteer: the
// reference server, which on its at-th connection asks at the socket Control
// what to do.
const roleVariable = "NBDCONFORM_TEST_ROLE"

type role struct {
	Control string
	At      int64
}

// What a puppet can be told to do. A puppeteer that hangs up lets it go on.
const (
	crash       = "c"
	crashToStay = "C" // and no later start succeeds
	freeze      = "f"
)

// brokenFile in the working directory keeps a puppet from starting.
const brokenFile = "broken"

func playRole(text string) {
	var r role
	if err := json.Unmarshal([]byte(text), &r); err != nil {
		panic(err)
	}
	if _, err := os.Stat(brokenFile); err == nil {
		fmt.Fprintln(os.Stderr, "the disk is gone")
		os.Exit(7)
	}
	cfg, _, err := referenceserver.Config("", referenceserver.DefaultSize, "")
	if err != nil {
		panic(err)
	}
	var connections atomic.Int64
	cfg.Hooks = &server.Hooks{Greeting: func(*server.GreetingExchange) {
		if connections.Add(1) == r.At {
			obey(r.Control)
		}
	}}
	srv, err := server.New(cfg)
	if err != nil {
		panic(err)
	}
	ln, err := net.Listen("unix", os.Args[1])
	if err != nil {
		panic(err)
	}
	panic(srv.Serve(context.Background(), ln))
}

func obey(control string) {
	conn, err := net.Dial("unix", control)
	if err != nil {
		return // nobody wants to know any more
	}
	defer conn.Close()
	fmt.Fprintf(conn, "%d\n", os.Getpid())
	order := make([]byte, 1)
	_, _ = conn.Read(order)
	switch string(order) {
	case crashToStay:
		if err := os.WriteFile(brokenFile, nil, 0o600); err != nil {
			panic(err)
		}
		fallthrough
	case crash:
		panic("the puppet was told to crash")
	case freeze:
		_ = syscall.Kill(os.Getpid(), syscall.SIGSTOP)
	}
}

// A stage is a run on a puppet that stands still in the middle of it.
type stage struct {
	*running
	child, puppet int    // process ids
	temp          string // the run's directory for temporary files
	conn          net.Conn
}

// onStage starts a run and waits until the puppet stands still.
func onStage(t *testing.T, args ...string) *stage {
	t.Helper()
	s := &stage{temp: shortTempDir(t)}
	control, err := net.Listen("unix", filepath.Join(s.temp, "control"))
	if err != nil {
		t.Fatal(err)
	}
	// Discovery takes more than 10 connections, and a spec two or more.
	r, err := json.Marshal(role{control.Addr().String(), 48})
	if err != nil {
		t.Fatal(err)
	}
	temp := filepath.Join(s.temp, "tmp")
	if err := os.Mkdir(temp, 0o700); err != nil {
		t.Fatal(err)
	}
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	env := []string{roleVariable + "=" + string(r), "TMPDIR=" + temp}
	args = append(append([]string{"run"}, args...), "--", self, "{socket}")
	s.temp, s.running = temp, start(t, env, args...)
	s.conn, err = control.Accept()
	_ = control.Close() // the puppet's successors go on their own
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.conn.Close() })
	if _, err := fmt.Fscanln(s.conn, &s.puppet); err != nil {
		t.Fatal(err)
	}
	s.child = childOf(t, s.cmd.Process.Pid)
	return s
}

// tell has the puppet do something.
func (s *stage) tell(order string) {
	s.t.Helper()
	if _, err := s.conn.Write([]byte(order)); err != nil {
		s.t.Fatal(err)
	}
}

// childOf returns the one child of a process.
func childOf(t *testing.T, parent int) int {
	t.Helper()
	stats, _ := filepath.Glob("/proc/[0-9]*/stat")
	for _, name := range stats {
		stat, err := os.ReadFile(name)
		if err != nil {
			continue // it has ended
		}
		var pid, ppid int
		var command, state string
		if _, err := fmt.Sscanf(string(stat), "%d %s %s %d", &pid, &command, &state, &ppid); err == nil && ppid == parent {
			return pid
		}
	}
	t.Fatalf("process %d has no child", parent)
	return 0
}

func procFile(pid int, name string) string { return fmt.Sprintf("/proc/%d/%s", pid, name) }
