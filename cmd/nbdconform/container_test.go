package main

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/moby/moby/client"

	"nbdconform/containers"
	"nbdconform/containers/containertest"
	"nbdconform/reports/evidence"
	"nbdconform/reports/result"
)

const ownerLabel = "org.nbdconform.owner"

// A container that ends, or stands still, in the middle of a run costs one
// spec, of which there is evidence. The run itself is stopped meanwhile, so that it is in the middle
// whatever the engine's pace.
func TestAContainerThatEndsCostsOneSpec(t *testing.T) {
	containertest.NeedImage(t, containers.DefaultRelease)
	t.Parallel()
	for name, tc := range map[string]struct {
		target string
		end    func(context.Context, *client.Client, string) error
		want   result.Verdict
		exit   string
	}{
		"nbdkit killed":   {"nbdkit", kill, result.Crash, "signal: killed"},
		"nbdkit paused":   {"nbdkit", pause, result.Hang, ""},
		"qemu-nbd killed": {"qemu-nbd", kill, result.Crash, "signal: killed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cli := dockerClient(t)
			p, lines := startVerbose(t, "run", "--verbose", "--target", tc.target, "--timeout", "2s")
			for n := 0; n < 5; {
				if line, err := lines.ReadString('\n'); err != nil {
					t.Fatalf("the run ended early: %v", err)
				} else if strings.HasPrefix(line, "pass ") {
					n++
				}
			}
			child := childOf(t, p.cmd.Process.Pid)
			stop(t, child)
			id := containersOf(t, cli, child)
			if len(id) != 1 {
				t.Fatalf("containers %q of the run, want one", id)
			}
			if err := tc.end(t.Context(), cli, id[0]); err != nil {
				t.Fatal(err)
			}
			if err := syscall.Kill(child, syscall.SIGCONT); err != nil {
				t.Fatal(err)
			}
			rest, _ := io.ReadAll(lines)
			o := p.end()
			o.stderr += string(rest)
			o.want(t, exitViolates)
			r := o.result(t)
			wholeCensus(t, r)
			// What else is wrong with the server is for others to say.
			ended := slices.DeleteFunc(with(r, tc.want), func(s result.Spec) bool { return s.Exit != tc.exit })
			if len(ended) != 1 || !strings.Contains(ended[0].Message, tc.exit) {
				t.Errorf("%d specs with the verdict %s and exit %q: %v", len(ended), tc.want, tc.exit, r.Summary)
				for _, s := range with(r, tc.want) {
					t.Logf("%s: exit %q: %s", s.ID, s.Exit, s.Message)
				}
			}
			for _, s := range ended {
				dir := filepath.Join(o.out, filepath.FromSlash(s.Evidence))
				b, err := evidence.Read(dir)
				if err != nil || b.Spec.Verdict != tc.want || b.Afterwards.Exit != tc.exit || b.Run.Target != tc.target {
					t.Errorf("evidence: %v, %+v", err, b)
				}
				// It is nothing that the server does by itself.
				if again := nbdconform(t, "replay", dir); !strings.Contains(again.stdout, "\nnot reproduced: it passes") && again.status != exitUntrusted {
					t.Errorf("replay: status %d\n%s%s", again.status, again.stdout, again.stderr)
				}
			}
			if n := len(with(r, result.Blocked)); n > 0 {
				t.Errorf("%d specs are blocked, such as %+v", n, with(r, result.Blocked)[0])
			}
			if left := containersOf(t, cli, child); len(left) > 0 {
				t.Errorf("containers are left: %q", left)
			}
		})
	}
}

// A child that was killed can't do away with its container; its parent does.
func TestAKilledChildLeavesNoContainer(t *testing.T) {
	containertest.NeedImage(t, containers.DefaultRelease)
	t.Parallel()
	cli := dockerClient(t)
	p, lines := startVerbose(t, "run", "--verbose", "--target", "nbdkit")
	for line := ""; !strings.HasPrefix(line, "pass "); {
		var err error
		if line, err = lines.ReadString('\n'); err != nil {
			t.Fatal(err)
		}
	}
	child := childOf(t, p.cmd.Process.Pid)
	stop(t, child)
	if len(containersOf(t, cli, child)) != 1 {
		t.Error("the run has no container")
	}
	if err := syscall.Kill(child, syscall.SIGKILL); err != nil {
		t.Fatal(err)
	}
	_, _ = io.Copy(io.Discard, lines)
	o := p.end()
	o.want(t, exitUntrusted)
	wholeCensus(t, o.result(t))
	if left := containersOf(t, cli, child); len(left) > 0 {
		t.Errorf("containers are left: %q", left)
	}
}

func kill(ctx context.Context, cli *client.Client, id string) error {
	if _, err := cli.ContainerKill(ctx, id, client.ContainerKillOptions{Signal: "KILL"}); err != nil {
		return err
	}
	select { // until it has ended
	case <-cli.ContainerWait(ctx, id, client.ContainerWaitOptions{}).Result:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func pause(ctx context.Context, cli *client.Client, id string) error {
	_, err := cli.ContainerPause(ctx, id, client.ContainerPauseOptions{})
	return err
}

// startVerbose starts the program and returns what it writes to stderr.
func startVerbose(t *testing.T, args ...string) (*running, *bufio.Reader) {
	t.Helper()
	p := prepare(t, nil, args...)
	p.cmd.Stderr = nil
	stderr, err := p.cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p, bufio.NewReader(stderr)
}

// stop stops a process and waits until it stands still.
func stop(t *testing.T, pid int) {
	t.Helper()
	if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = syscall.Kill(pid, syscall.SIGCONT) })
	eventually(t, "the run stands still", func() bool { return stateOf(pid) == "T" })
}

func dockerClient(t *testing.T) *client.Client {
	t.Helper()
	return containertest.NeedEngine(t)
}

// containersOf returns the ids of the containers that a process made.
func containersOf(t *testing.T, cli *client.Client, pid int) []string {
	t.Helper()
	list, err := cli.ContainerList(t.Context(), client.ContainerListOptions{
		All: true, Filters: make(client.Filters).Add("label", ownerLabel),
	})
	if err != nil {
		t.Fatal(err)
	}
	var ids []string
	for _, c := range list.Items {
		if strings.Contains(c.Labels[ownerLabel], fmt.Sprintf(".%d.", pid)) {
			ids = append(ids, c.ID)
		}
	}
	return ids
}
