package containers

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/moby/moby/client"

	"nbdconform/conformance/subject"
	"nbdconform/containers/containertest"
	"nbdconform/containers/internal/engine"
)

func TestUnknownNamesAreAnsweredWithTheValidOnes(t *testing.T) {
	for _, tc := range []struct {
		request Request
		want    string
	}{
		{Request{Target: "qemu"}, `unknown target "qemu": use one of qemu-nbd, nbdkit, nbd-server`},
		{Request{Target: "nbd-server", Profile: "big"}, `unknown profile "big" of nbd-server: use one of default, read-only,`},
		{Request{Target: "nbdkit", Provider: "vm"}, `unknown provider "vm": use one of container, local`},
		{Request{Target: "nbdkit", Release: "buster"}, `unknown release "buster": use one of bullseye, bookworm,`},
	} {
		_, err := Open(t.Context(), tc.request)
		if err == nil || !strings.HasPrefix(err.Error(), tc.want) {
			t.Errorf("%+v: %v, want %s", tc.request, err, tc.want)
		}
	}
}

func TestNoEngineSaysWhatToDo(t *testing.T) {
	t.Setenv("DOCKER_HOST", "unix://"+t.TempDir()+"/none")
	_, err := Open(t.Context(), Request{Target: "nbdkit"})
	if !errors.Is(err, ErrNoEngine) || strings.Contains(err.Error(), "\n") {
		t.Errorf("%v", err)
	}
	if _, err := Sweep(t.Context()); err != nil {
		t.Errorf("sweeping without an engine: %v", err)
	}
}

func TestMissingProgramNamesItsPackage(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := Open(t.Context(), Request{Target: "qemu-nbd", Provider: Local})
	if want := "qemu-nbd is not on PATH: apt-get install qemu-utils"; err == nil || err.Error() != want {
		t.Errorf("%v, want %s", err, want)
	}
}

func TestCommandStartsAnyServer(t *testing.T) {
	containertest.NeedProgram(t, "nbdkit")
	for _, at := range [][]string{{"-U", "{socket}"}, {"-i", "127.0.0.1", "-p", "{port}"}} {
		s, err := Command(t.Context(), append(append([]string{"nbdkit", "-f"}, at...), "null", "1M"), subject.Profile{})
		if err != nil {
			t.Fatal(err)
		}
		defer s.Close()
		greets(t, s)
		comesBack(t, s)
		if p := s.Profile(); p.Destructive || p.Name != "command" {
			t.Errorf("profile %+v", p)
		}
	}
}

func TestServerThatExitsAtOnceIsAnErrorWithItsStderr(t *testing.T) {
	for _, tc := range []struct{ argv, want string }{
		{"echo no disk >&2; exit 3 # {socket}", "exit status 3; stderr: no disk"},
		{"kill -SEGV $$ # {port}", "signal: segmentation fault"},
	} {
		_, err := Command(t.Context(), []string{"sh", "-c", tc.argv}, subject.Profile{})
		if err == nil || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%v, want %s", err, tc.want)
		}
	}
	if _, err := Command(t.Context(), []string{"true"}, subject.Profile{}); err == nil || !strings.Contains(err.Error(), "{socket}") {
		t.Errorf("a command without a place to listen: %v", err)
	}
}

func TestStopEscalates(t *testing.T) {
	containertest.NeedProgram(t, "nbdkit")
	s, err := Command(t.Context(), []string{"sh", "-c", "trap '' TERM; nbdkit -f -U {socket} null 1M; sleep 60"}, subject.Profile{})
	if err != nil {
		t.Fatal(err)
	}
	p := s.(*server).current().(*process)
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(p.dir); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("its directory: %v", err)
	}
}

func TestSweepRemovesOnlyWhatDeadOwnersLeft(t *testing.T) {
	containertest.NeedImage(t, DefaultRelease)
	live := openFor(t, Request{Target: "nbdkit"})
	left := openFor(t, Request{Target: "nbdkit"})
	cli, err := engine.Client(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer cli.Close()
	id := func(s subject.Server) string { return s.(*server).current().(*contained).GetContainerID() }

	// The same container again, but by an owner that has ended.
	child := exec.Command("sleep", "60")
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	gone := owner{machine(), child.Process.Pid, startOf(child.Process.Pid)}
	if gone.dead() {
		t.Error("a running process is taken for dead")
	}
	_ = child.Process.Kill()
	_ = child.Wait()
	got, err := cli.ContainerInspect(t.Context(), id(left), client.ContainerInspectOptions{})
	if err != nil {
		t.Fatal(err)
	}
	config := got.Container.Config
	config.Labels[labelOwner] = gone.String()
	made, err := cli.ContainerCreate(t.Context(), client.ContainerCreateOptions{Config: config})
	if err != nil {
		t.Fatal(err)
	}

	if n, err := Sweep(t.Context()); err != nil || n < 1 {
		t.Errorf("Sweep: %d, %v", n, err)
	}

	if _, err := cli.ContainerInspect(t.Context(), made.ID, client.ContainerInspectOptions{}); err == nil {
		t.Error("the dead owner's container is still there")
	}
	greets(t, live)
}

func TestOwnerReadsItsOwnWriting(t *testing.T) {
	o, ok := parseOwner(self().String())
	if !ok || o != self() || o.dead() {
		t.Errorf("%+v, %v, dead: %v", o, ok, o.dead())
	}
	if _, ok := parseOwner("somebody"); ok {
		t.Error("nonsense names an owner")
	}
}

func TestTailKeepsTheEnd(t *testing.T) {
	var w tail
	for range 5 {
		_, _ = w.Write([]byte(strings.Repeat("x", tailSize-1)))
	}
	_, _ = w.Write([]byte("end"))
	if s := w.String(); len(s) != tailSize || !strings.HasSuffix(s, "xend") {
		t.Errorf("%d bytes", len(s))
	}
}
