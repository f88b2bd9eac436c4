package interop

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/containers"
	"nbdconform/containers/containertest"
	"nbdconform/reference/client"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

func TestClientCopiesToAndFromLocalServers(t *testing.T) {
	t.Parallel()
	for _, info := range containers.Targets() {
		for _, profile := range info.Representative {
			t.Run(info.Name+"/"+profile, func(t *testing.T) {
				t.Parallel()
				containertest.NeedProgram(t, info.Name)
				copies(t, containers.Request{Target: info.Name, Provider: containers.Local, Profile: profile})
			})
		}
	}
}

func TestClientCopiesToAndFromServersInContainers(t *testing.T) {
	t.Parallel()
	for _, release := range releases {
		for _, r := range []containers.Request{
			{Target: "qemu-nbd"},
			{Target: "qemu-nbd", Profile: "qcow2"},
			{Target: "nbdkit"},
			{Target: "nbdkit", Profile: "min-block-4096"},
			{Target: "nbdkit", Profile: "bare"},
			{Target: "nbd-server"},
			{Target: "nbd-server", Profile: "read-only"},
		} {
			t.Run(strings.TrimSuffix(release+"/"+r.Target+"/"+r.Profile, "/"), func(t *testing.T) {
				t.Parallel()
				containertest.NeedImage(t, release)
				r.Release = release
				copies(t, r)
			})
		}
	}
}

// copies copies an image to a server with the reference client, and from it
// with that and with nbdcopy.
func copies(t *testing.T, r containers.Request) {
	s, err := containers.Open(t.Context(), r)
	if errors.Is(err, starttls.ErrNoGnuTLS) || errors.Is(err, containers.ErrTooOld) {
		t.Skip(err)
	} else if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	p := s.Profile()
	if slices.Contains(p.Features, "forced-tls") {
		t.Skip("there is a test of its own for what needs TLS")
	}
	if p.Size > 1<<30 { // see extended_test.go
		t.Skipf("an image of %d bytes is too much to copy", p.Size)
	}
	for name, cfg := range map[string]client.Config{
		"everything":     {MetaContexts: []string{client.AllocationContext}},
		"simple replies": {SimpleReplies: true},
	} {
		var o client.CopyOptions
		ownCopy := p.Name == "copy-on-write" // what a connection writes goes with it
		if ownCopy {
			if !cfg.SimpleReplies {
				continue
			}
			o.Requests = 1 // https://github.com/NetworkBlockDevice/nbd/issues/43
		}
		c := connect(t, s, cfg)
		if c.Size() != p.Size {
			t.Errorf("%s: size %d, want %d", name, c.Size(), p.Size)
		}
		want := image(byte(len(name)), p.Size)
		if c.Flags()&wire.FlagReadOnly == 0 {
			if err := client.CopyIn(t.Context(), c, bytes.NewReader(want), p.Size, o); err != nil {
				t.Fatalf("%s: copying in: %v", name, err)
			}
		} else {
			want = copyOut(t, c, o)
		}
		same(t, name, copyOut(t, c, o), want)
		_ = c.Close()
		if _, err := exec.LookPath("nbdcopy"); err == nil && !ownCopy {
			same(t, name+", by nbdcopy", nbdcopyOut(t, s), want)
		}
	}
}

func connect(t *testing.T, s subject.Server, cfg client.Config) *client.Client {
	t.Helper()
	conn, err := s.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	cfg.Export, cfg.Grace = s.Profile().Export, time.Second // not every server closes behind NBD_CMD_DISC
	c, err := client.Connect(t.Context(), conn, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	if cfg.SimpleReplies && c.Structured() {
		t.Error("structured replies without asking")
	}
	if ro := c.Flags()&wire.FlagReadOnly != 0; ro != slices.Contains(s.Profile().Features, "read-only") {
		t.Errorf("flags %v, promised %q", c.Flags(), s.Profile().Features)
	}
	return c
}

func copyOut(t *testing.T, c *client.Client, o client.CopyOptions) []byte {
	t.Helper()
	f, err := os.Create(filepath.Join(t.TempDir(), "out"))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	if err := client.CopyOut(t.Context(), f, c, o); err != nil {
		t.Fatalf("copying out: %v", err)
	}
	b, err := os.ReadFile(f.Name())
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// nbdcopyOut is what nbdcopy reads of a server, through a relay since a
// target keeps its address to itself.
func nbdcopyOut(t *testing.T, s subject.Server) []byte {
	t.Helper()
	dir := sharedDir(t)
	ln, err := net.Listen("unix", filepath.Join(dir, "s"))
	if err != nil {
		t.Fatal(err)
	}
	var relays sync.WaitGroup
	relays.Go(func() {
		for {
			near, err := ln.Accept()
			if err != nil {
				return
			}
			relays.Go(func() { relay(t.Context(), near, s) })
		}
	})
	p := peer{name: "local", dir: dir, run: runHere}
	p.must(t, "nbdcopy", "nbd+unix:///"+s.Profile().Export+"?socket="+ln.Addr().String(), p.path("out"))
	_ = ln.Close()
	relays.Wait()
	return p.read(t, "out")
}

// relay passes bytes between a connection and a target until both directions end.
func relay(ctx context.Context, near net.Conn, s subject.Server) {
	defer near.Close()
	far, err := s.Dial(ctx)
	if err != nil {
		return
	}
	defer far.Close()
	var back sync.WaitGroup
	back.Go(func() {
		_, _ = io.Copy(near, far)
		_ = near.(*net.UnixConn).CloseWrite()
	})
	_, _ = io.Copy(far, near)
	if c, ok := far.(interface{ CloseWrite() error }); ok {
		_ = c.CloseWrite()
	}
	back.Wait()
}
