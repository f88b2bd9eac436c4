package containers

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/client"
	"go.uber.org/goleak"

	"nbdconform/conformance/subject"
	"nbdconform/containers/containertest"
	"nbdconform/containers/internal/engine"
	"nbdconform/reference/starttls"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestContainersGreetAndRestart(t *testing.T) {
	containertest.NeedImage(t, DefaultRelease)
	for _, info := range Targets() {
		t.Run(info.Name, func(t *testing.T) {
			t.Parallel()
			s := openFor(t, Request{Target: info.Name})
			if id := s.Identity(); id.Version == "" || !strings.HasPrefix(id.Image, "sha256:") || len(id.Command) == 0 {
				t.Errorf("incomplete identity: %+v", id)
			}
			greets(t, s)

			kill(t, s.(*server).current().(*contained).GetContainerID())

			if h := awaitExit(t, s); h.Exit != "signal: killed" {
				t.Errorf("exit %q after docker kill", h.Exit)
			}
			comesBack(t, s)
		})
	}
}

func TestProcessesGreetAndRestart(t *testing.T) {
	for _, info := range Targets() {
		t.Run(info.Name, func(t *testing.T) {
			t.Parallel()
			containertest.NeedProgram(t, info.Name)
			s := openFor(t, Request{Target: info.Name, Provider: Local})
			greets(t, s)
			p := s.(*server).current().(*process)
			pid, exit := p.cmd.Process.Pid, "signal: killed"
			if b, err := os.ReadFile(filepath.Join(p.dir, "nbd-server.pid")); err == nil {
				pid, _ = strconv.Atoi(strings.TrimSpace(string(b)))
				exit = "exit status 1"
			}

			killPID(t, pid)

			if h := awaitExit(t, s); h.Exit != exit {
				t.Errorf("exit %q after SIGKILL, want %q; stderr: %s", h.Exit, exit, h.Stderr)
			}
			comesBack(t, s)
		})
	}
}

func TestEveryLocalProfileGreets(t *testing.T) {
	for _, info := range Targets() {
		for _, profile := range info.Profiles {
			t.Run(info.Name+"/"+profile, func(t *testing.T) {
				t.Parallel()
				containertest.NeedProgram(t, info.Name)
				greets(t, openFor(t, Request{Target: info.Name, Provider: Local, Profile: profile}))
			})
		}
	}
}

func openFor(t *testing.T, r Request) subject.Server {
	t.Helper()
	s, err := Open(t.Context(), r)
	if errors.Is(err, ErrTooOld) || errors.Is(err, starttls.ErrNoGnuTLS) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Errorf("closing again: %v", err)
		}
		if _, err := s.Dial(context.Background()); err == nil {
			t.Error("a closed target can be dialed")
		}
	})
	return s
}

func greets(t *testing.T, s subject.Server) {
	t.Helper()
	if err := probe(t.Context(), func(ctx context.Context) (net.Conn, error) { return s.Dial(ctx) }); err != nil {
		t.Fatalf("%s %s: %v", s.Identity().Name, s.Profile().Name, err)
	}
	if h := s.Health(t.Context()); h.State != subject.Running {
		t.Fatalf("health %+v", h)
	}
}

func comesBack(t *testing.T, s subject.Server) {
	t.Helper()
	if err := s.Restart(t.Context()); err != nil {
		t.Fatal(err)
	}
	greets(t, s)
}

func awaitExit(t *testing.T, s subject.Server) subject.Health {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for {
		if h := s.Health(ctx); h.State == subject.Exited {
			return h
		}
		select {
		case <-ctx.Done():
			t.Fatal("it still runs")
		case <-time.After(10 * time.Millisecond):
		}
	}
}

func killPID(t *testing.T, pid int) {
	t.Helper()
	p, err := os.FindProcess(pid)
	if err != nil {
		t.Fatal(err)
	}
	if err := p.Kill(); err != nil {
		t.Fatal(err)
	}
}

func kill(t *testing.T, id string) {
	t.Helper()
	cli, err := engine.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	if _, err := cli.ContainerKill(t.Context(), id, client.ContainerKillOptions{Signal: "KILL"}); err != nil {
		t.Fatal(err)
	}
}
