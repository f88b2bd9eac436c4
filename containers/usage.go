package containers

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/moby/moby/client"

	"nbdconform/conformance/subject"
	"nbdconform/containers/internal/engine"
)

var errNoProc = errors.New("the processes of the server can't be seen from here")

// measurable is an instance whose processes can be looked at.
type measurable interface {
	root(context.Context) (pid int, err error) // the first of the processes
}

// Usage implements [target.Measurable].
func (s *server) Usage(ctx context.Context) (subject.Usage, error) {
	m, ok := s.current().(measurable)
	if !ok {
		return subject.Usage{}, errNoProc
	}
	pid, err := m.root(ctx)
	if err != nil {
		return subject.Usage{}, err
	}
	return usageOf(pid)
}

func (p *process) root(context.Context) (int, error) {
	select {
	case <-p.done:
		return 0, errNoProc
	default:
		return p.cmd.Process.Pid, nil
	}
}

// root is the container's first process, where the engine's processes are
// among ours.
func (c *contained) root(ctx context.Context) (int, error) {
	if !engine.IsHere() {
		return 0, errNoProc
	}
	if c.pid > 0 {
		return c.pid, nil
	}
	cli, err := engine.Client(ctx)
	if err != nil {
		return 0, err
	}
	defer cli.Close()
	got, err := cli.ContainerInspect(ctx, c.GetContainerID(), client.ContainerInspectOptions{})
	if err != nil || got.Container.State == nil {
		return 0, fmt.Errorf("inspecting the container: %w", err)
	}
	pid := got.Container.State.Pid
	// In a namespace of its own a process has several numbers, the last of which is 1.
	if ids := statusOf(pid)["NSpid"]; len(ids) < 2 || ids[len(ids)-1] != "1" {
		return 0, errNoProc
	}
	c.pid = pid
	return pid, nil
}

// usageOf sums up a process and all that descend from it.
func usageOf(pid int) (u subject.Usage, err error) {
	status := statusOf(pid)
	if status == nil {
		return u, errNoProc
	}
	dir := filepath.Join("/proc", strconv.Itoa(pid))
	if kib := status["VmRSS"]; len(kib) > 0 {
		n, _ := strconv.ParseUint(kib[0], 10, 64)
		u.Memory = n << 10
	}
	u.Processes = 1
	if fds, err := os.ReadDir(filepath.Join(dir, "fd")); err == nil {
		u.Descriptors = len(fds)
	} else {
		u.Descriptors = -1
	}
	lists, _ := filepath.Glob(filepath.Join(dir, "task", "*", "children"))
	for _, name := range lists {
		text, _ := os.ReadFile(name)
		for _, word := range strings.Fields(string(text)) {
			child, _ := strconv.Atoi(word)
			more, err := usageOf(child)
			if err != nil {
				continue // it has just ended
			}
			u.Memory += more.Memory
			u.Processes += more.Processes
			if u.Descriptors >= 0 && more.Descriptors >= 0 {
				u.Descriptors += more.Descriptors
			}
		}
	}
	return u, nil
}

// statusOf reads /proc/PID/status: words by name; nil if there is none.
func statusOf(pid int) map[string][]string {
	text, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "status"))
	if err != nil {
		return nil
	}
	all := make(map[string][]string)
	for line := range strings.Lines(string(text)) {
		name, rest, _ := strings.Cut(line, ":")
		all[name] = strings.Fields(rest)
	}
	return all
}
