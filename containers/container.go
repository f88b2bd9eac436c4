package containers

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/netip"
	"strings"
	"syscall"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go"
	tcexec "github.com/testcontainers/testcontainers-go/exec"

	"nbdconform/conformance/subject"
	"nbdconform/containers/internal/engine"
	"nbdconform/containers/internal/images"
	"nbdconform/containers/internal/program"
)

const (
	port     = 10809            // where the servers listen, in the container
	portName = "10809/tcp"      // port, as the engine writes it
	dir      = "/data"          // their private directory, in memory
	grace    = 2 * time.Second  // between SIGTERM and SIGKILL
	stopTime = 20 * time.Second // for the engine to remove a container
)

// openContainer starts p, set up as s, in a container of the release's image.
func openContainer(ctx context.Context, p program.Program, s program.Profile, r Request) (subject.Server, error) {
	release := r.Release
	if release == "" {
		release = DefaultRelease
	}
	img, err := images.Ensure(ctx, release, r.Progress)
	if err != nil {
		return nil, err
	}
	v := program.Version(img.Packages[p.Package])
	if v == "" {
		return nil, fmt.Errorf("the image of %s lacks package %s", release, p.Package)
	}
	if err := p.Check(s, v, release); err != nil {
		return nil, err
	}
	command := s.Start(program.Place{Port: port, Version: v, Size: s.Size}).Command()
	id := subject.Identity{
		Name: p.Name, Provider: Container, Release: release,
		Version: string(v), Image: img.Digest, Command: command,
	}
	return open(ctx, &server{
		id:      id,
		profile: s.Describe(v),
		start:   func(ctx context.Context) (instance, error) { return startContainer(ctx, id) },
	})
}

// A contained instance runs in a container.
type contained struct {
	testcontainers.Container
	mapped string // address of its port on the engine's host
	direct string // its own address, or "" where that can't be reached from here
	pid    int    // of its first process, once that was asked for
}

// startContainer runs id's command in its image and waits for the greeting.
func startContainer(ctx context.Context, id subject.Identity) (instance, error) {
	init := true
	ctr, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		Started: true,
		ContainerRequest: testcontainers.ContainerRequest{
			Image:          id.Image,
			Cmd:            id.Command,
			ExposedPorts:   []string{portName},
			Labels:         labels(id),
			Tmpfs:          map[string]string{dir: "rw"},
			ConfigModifier: func(c *container.Config) { c.WorkingDir = dir },
			HostConfigModifier: func(h *container.HostConfig) {
				h.Init = &init // process 1 ignores most signals, even its own abort
				h.PortBindings = network.PortMap{network.MustParsePort(portName): {{HostIP: publishOn()}}}
			},
		},
	})
	c := &contained{Container: ctr}
	if err == nil {
		c.mapped, err = address(ctx, ctr)
	}
	if err == nil {
		c.direct = directAddress(ctx, ctr)
	}
	if err != nil {
		return nil, errors.Join(err, c.stop())
	}
	return started(ctx, c)
}

// publishOn is the address of the engine's host to map the port on: any, where
// the host is another than this one.
func publishOn() netip.Addr {
	if engine.IsHere() {
		return netip.AddrFrom4([4]byte{127, 0, 0, 1})
	}
	return netip.IPv4Unspecified()
}

func address(ctx context.Context, ctr testcontainers.Container) (string, error) {
	host, err := ctr.Host(ctx)
	if err != nil {
		return "", fmt.Errorf("asking for the engine's host: %w", err)
	}
	p, err := ctr.MappedPort(ctx, portName)
	if err != nil {
		return "", fmt.Errorf("asking for the mapped port: %w", err)
	}
	return net.JoinHostPort(host, p.Port()), nil
}

// directAddress is where the server listens in the container's own network, or
// "" where the engine runs elsewhere. It avoids the engine's proxy, which
// acknowledges late what a server sends in pieces.
func directAddress(ctx context.Context, ctr testcontainers.Container) string {
	ip, err := ctr.ContainerIP(ctx)
	if err != nil || ip == "" || !engine.IsHere() {
		return ""
	}
	port, _, _ := strings.Cut(portName, "/")
	return net.JoinHostPort(ip, port)
}

// reachable is how long a container's own address may take to answer.
const reachable = 250 * time.Millisecond

func (c *contained) dial(ctx context.Context) (net.Conn, error) {
	var d net.Dialer
	if c.direct != "" {
		short := net.Dialer{Timeout: reachable}
		conn, err := short.DialContext(ctx, "tcp", c.direct)
		if err == nil {
			return quickAck(conn), nil
		}
		if errors.Is(err, syscall.ECONNREFUSED) {
			return nil, err // it is the server that does not answer
		}
	}
	return d.DialContext(ctx, "tcp", c.mapped)
}

func (c *contained) stop() error {
	ctx, cancel := context.WithTimeout(context.Background(), stopTime)
	defer cancel()
	return testcontainers.TerminateContainer(c.Container,
		testcontainers.StopContext(ctx), testcontainers.StopTimeout(grace))
}

func (c *contained) exec(ctx context.Context, argv []string) error {
	status, out, err := c.Exec(ctx, argv, tcexec.WithWorkingDir(dir))
	if err == nil && status != 0 {
		output, _ := io.ReadAll(out)
		err = fmt.Errorf("exit status %d: %s", status, output)
	}
	return err
}
