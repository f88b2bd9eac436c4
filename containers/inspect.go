package containers

import (
	"context"
	"fmt"
	"syscall"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/client"

	"nbdconform/conformance/subject"
	"nbdconform/containers/internal/engine"
)

func (c *contained) health(ctx context.Context) subject.Health {
	cli, err := engine.Client(ctx)
	if err != nil {
		return subject.Health{State: subject.Unknown, Stderr: err.Error()}
	}
	defer cli.Close()
	got, err := cli.ContainerInspect(ctx, c.GetContainerID(), client.ContainerInspectOptions{})
	if err != nil || got.Container.State == nil {
		return subject.Health{State: subject.Unknown, Stderr: fmt.Sprintf("inspecting the container: %v", err)}
	}
	h := subject.Health{State: subject.Running, Stderr: logs(ctx, cli, c.GetContainerID())}
	if s := got.Container.State; !s.Running {
		h.State, h.Exit = subject.Exited, exitText(s)
	}
	return h
}

// exitText says how a container ended. An exit status above 128 is how a
// signal looks from outside.
func exitText(s *container.State) string {
	text := fmt.Sprintf("exit status %d", s.ExitCode)
	if n := s.ExitCode - 128; n > 0 && n < 65 {
		text = fmt.Sprintf("signal: %v", syscall.Signal(n))
	}
	if s.OOMKilled {
		text += " (out of memory)"
	}
	if s.Error != "" {
		text += " (" + s.Error + ")"
	}
	return text
}

// logs returns the end of what the container wrote to its standard error.
func logs(ctx context.Context, cli *client.Client, id string) string {
	r, err := cli.ContainerLogs(ctx, id, client.ContainerLogsOptions{ShowStderr: true, Tail: "2000"})
	if err != nil {
		return fmt.Sprintf("reading the container's log: %v", err)
	}
	defer r.Close()
	var stderr tail
	if _, err := stdcopy.StdCopy(&stderr, &stderr, r); err != nil {
		fmt.Fprintf(&stderr, "reading the container's log: %v", err)
	}
	return stderr.String()
}
