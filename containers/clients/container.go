package clients

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"os"
	"strconv"
	"syscall"
	"time"

	"github.com/moby/moby/api/pkg/stdcopy"
	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"

	"nbdconform/conformance/subject"
	"nbdconform/containers"
	"nbdconform/containers/internal/engine"
	"nbdconform/containers/internal/images"
	"nbdconform/containers/internal/program"
	"nbdconform/reports/matrix"
)

// lifetime is how long a container stays if we are killed, in seconds.
const lifetime = "7200"

// openContainer starts a container that does nothing until a program is run in it.
func openContainer(ctx context.Context, p Program, r Request) (subject.Client, error) {
	release := r.Release
	if release == "" {
		release = images.DefaultRelease
	}
	img, err := p.image(ctx, release, r.Progress)
	if err != nil {
		return nil, err
	}
	version := img.Packages[p.Package]
	if version == "" {
		return nil, fmt.Errorf("the image of %s lacks package %s: try --provider local", release, p.Package)
	}
	if !engine.IsHere() {
		return nil, errors.New("the engine is on another machine, which shares no directory with the client")
	}
	dir, err := newDir()
	if err != nil {
		return nil, err
	}
	init := true
	ctr, err := testcontainers.GenericContainer(ctx, testcontainers.GenericContainerRequest{
		Started: true,
		ContainerRequest: testcontainers.ContainerRequest{
			Image: img.Digest, Cmd: []string{"sleep", lifetime},
			HostConfigModifier: func(h *container.HostConfig) {
				h.Init, h.Binds = &init, []string{dir + ":" + dir}
				h.AutoRemove = true // should we be killed
			},
		},
	})
	if err != nil {
		_ = os.RemoveAll(dir)
		return nil, fmt.Errorf("starting a container for %s: %w", p.Name, err)
	}
	id := subject.Identity{Name: matrix.ClientPrefix + p.Name, Provider: containers.Container, Release: release, Version: version, Image: img.Digest}
	return &client{runner: &containerRunner{ctr}, program: p, id: id, dir: dir}, nil
}

// An Offer is a version of a program that can be run in a container.
type Offer struct {
	Version string // of the package; "": the release has no version that speaks NBD
	Image   string // digest
}

// Offer says which version of the program a release has. It builds the image
// first if need be.
func (p Program) Offer(ctx context.Context, release string, progress func(string)) (Offer, error) {
	img, err := p.image(ctx, release, progress)
	if err != nil {
		return Offer{}, err
	}
	o := Offer{Version: img.Packages[p.Package], Image: img.Digest}
	if !program.Version(o.Version).AtLeast(p.Since) {
		o.Version = ""
	}
	return o, nil
}

// image returns the image of a release that has the program, and builds it first
// if need be.
func (p Program) image(ctx context.Context, release string, progress func(string)) (images.Image, error) {
	stock := images.Programs
	if p.stock != nil {
		stock = *p.stock
	}
	return images.EnsureStock(ctx, release, stock, progress)
}

// containerRunner runs programs in a container.
type containerRunner struct{ testcontainers.Container }

func (t *containerRunner) close() error {
	return testcontainers.TerminateContainer(t.Container, testcontainers.StopTimeout(0))
}

// margin is how much longer than the program the engine may take.
const margin = 30 * time.Second

// run has coreutils' timeout end the program when ctx would: the engine does not.
func (t *containerRunner) run(ctx context.Context, argv []string) (subject.Report, error) {
	r := subject.Report{Argv: argv}
	limit := 3600.0
	if d, ok := ctx.Deadline(); ok {
		limit = math.Max(1, time.Until(d).Seconds())
	}
	words := append([]string{"timeout", "-k", "1", strconv.FormatFloat(limit, 'f', 1, 64)}, argv...)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Duration(limit*float64(time.Second))+margin)
	defer cancel()
	code, out, err := t.Exec(ctx, words)
	if err != nil {
		return r, fmt.Errorf("running %s in its container: %w", argv[0], err)
	}
	var stdout, stderr bytes.Buffer
	if _, err := stdcopy.StdCopy(&stdout, &stderr, out); err != nil {
		return r, fmt.Errorf("reading the output of %s: %w", argv[0], err)
	}
	r.Stdout, r.Stderr = tail(stdout.String()), tail(stderr.String())
	const timedOut, notFound = 124, 127
	switch {
	case code == 0:
	case code == timedOut || code == 128+int(syscall.SIGKILL):
		r.Hung, r.Exit = true, "killed"
	case code == notFound:
		return r, fmt.Errorf("the container has no %s", argv[0])
	case code > 128:
		r.Exit, r.Killed = fmt.Sprintf("exit status %d", code), syscall.Signal(code-128).String()
	default:
		r.Exit = fmt.Sprintf("exit status %d", code)
	}
	return r, nil
}
