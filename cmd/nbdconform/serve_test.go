package main

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reference/client"
	"nbdconform/reference/nbduri"
	"nbdconform/reference/wire"
)

// A service is "nbdconform serve" while it runs.
type service struct {
	*running
	uri string
}

// serving starts the reference server, on a free port unless the arguments name
// a place, and returns once it has said where it listens.
func serving(t *testing.T, args ...string) service {
	t.Helper()
	if all := strings.Join(args, " "); !strings.Contains(all, "--unix") && !strings.Contains(all, "--listen") && !strings.Contains(all, "--config") {
		args = append([]string{"--listen", "127.0.0.1:0"}, args...)
	}
	p := prepare(t, nil, append([]string{"serve"}, args...)...)
	p.cmd.Stdout = nil
	stdout, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		t.Fatalf("reading the URI of serve: %v; it said: %s", err, p.end().stderr)
	}
	return service{p, strings.TrimSuffix(line, "\n")}
}

// connect returns a client of the export at a URI.
func connect(t *testing.T, uri string, contexts ...string) *client.Client {
	t.Helper()
	u, warnings, err := nbduri.Parse(uri)
	if err != nil || len(warnings) > 0 {
		t.Fatal(uri, err, warnings)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	conn, err := u.Dial(ctx)
	if err != nil {
		t.Fatal(err)
	}
	return enter(t, conn, client.Config{Export: u.Export, MetaContexts: contexts})
}

func enter(t *testing.T, conn net.Conn, cfg client.Config) *client.Client {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	c, err := client.Connect(ctx, conn, cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// waiting is a client of the default export that has a command in flight, and
// what comes of it.
func waiting(t *testing.T, uri string, command wire.Command, do func(*client.Client) error) (*client.Client, <-chan error) {
	t.Helper()
	u := nbduri.MustParse(uri)
	conn, err := u.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	sending, result := make(chan struct{}), make(chan error, 1)
	c := enter(t, conn, client.Config{Export: u.Export, Hooks: &client.Hooks{Request: func(m *client.RequestMessage) {
		if m.Request.Type == command {
			close(sending)
		}
	}}})
	go func() { result <- do(c) }()
	<-sending
	if err := c.ReadAt(t.Context(), make([]byte, 1), 0, 0); err != nil { // is sent behind it, and overtakes it
		t.Fatal(err)
	}
	return c, result
}

func TestServeListensWhereItIsTold(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	for name, tc := range map[string]struct {
		args []string
		uri  string // how it begins
	}{
		"a free port":   {nil, "nbd://127.0.0.1:"},
		"IPv6":          {argWords("--listen [::1]:0"), "nbd://[::1]:"},
		"a Unix socket": {argWords("--unix " + socket), "nbd+unix:///?socket=" + socket},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if name == "IPv6" {
				l, err := net.Listen("tcp", "[::1]:0")
				if err != nil {
					t.Skip(err)
				}
				l.Close()
			}
			s := serving(t, tc.args...)
			if !strings.HasPrefix(s.uri, tc.uri) || strings.HasSuffix(s.uri, ":0") {
				t.Errorf("it prints %q, want %q", s.uri, tc.uri)
			}
			if got := connect(t, s.uri).Size(); got != referenceserver.DefaultSize {
				t.Errorf("size %d", got)
			}
		})
	}
}

func TestServeDoesAsItIsTold(t *testing.T) {
	t.Parallel()
	if got := connect(t, serving(t, "--size", "3T").uri).Size(); got != 3<<40 {
		t.Errorf("--size 3T: %d bytes", got)
	}
	if got := connect(t, serving(t, "--profile", "read-only").uri).Flags(); got&wire.FlagReadOnly == 0 {
		t.Errorf("--profile read-only: %v", got)
	}
	if got := connect(t, serving(t, "--profile", "block-4096").uri).Constraints().Minimum; got != 4096 {
		t.Errorf("--profile block-4096: a minimum of %d", got)
	}
	spare := serving(t)
	if got := connect(t, spare.uri+"/spare").Size(); got != 1<<20 {
		t.Errorf("spare has %d bytes", got)
	}
}

// SIGTERM and SIGINT end the server with status 0: at once when nobody is
// connected, and even while a client stays.
func TestServeEndsOnSignals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		signal syscall.Signal
		client bool
	}{
		"terminated":                       {syscall.SIGTERM, false},
		"interrupted":                      {syscall.SIGINT, false},
		"terminated with a client at rest": {syscall.SIGTERM, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := serving(t)
			if tc.client {
				if err := connect(t, s.uri).WriteAt(t.Context(), make([]byte, 512), 0, 0); err != nil {
					t.Fatal(err)
				}
			}
			if err := s.cmd.Process.Signal(tc.signal); err != nil {
				t.Fatal(err)
			}
			if o := s.end(); o.status != 0 || o.stderr != "" {
				t.Errorf("status %d, stderr %q", o.status, o.stderr)
			}
		})
	}
}

func TestServeRemovesItsSocket(t *testing.T) {
	t.Parallel()
	socket := filepath.Join(t.TempDir(), "s")
	for range 2 { // the second time nothing is in the way
		s := serving(t, "--unix", socket)
		if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil {
			t.Fatal(err)
		}
		s.end().want(t, 0)
	}
}

func TestServeWithACrashingQuirkSaysSo(t *testing.T) {
	t.Parallel()
	s := serving(t, "--quirk", "crash-on-long-name")
	u, _, _ := nbduri.Parse(s.uri)
	conn, err := u.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	info := wire.OptionRequest{Option: wire.OptInfo, Data: wire.InfoRequest{Export: strings.Repeat("n", 300)}.Append(nil)}
	if _, err := conn.Write(info.Append(wire.FlagCFixedNewstyle.Append(nil))); err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, conn); err != nil && !errors.Is(err, syscall.ECONNRESET) {
		t.Error(err)
	}
	if o := s.end(); o.status != exitViolates || !strings.Contains(o.stderr, "the server closed itself") {
		t.Errorf("status %d, stderr %q", o.status, o.stderr)
	}
}

// contents reads a whole export.
func contents(t *testing.T, uri string) []byte {
	t.Helper()
	c := connect(t, uri)
	defer c.Close()
	b := make([]byte, c.Size())
	if err := c.ReadAt(t.Context(), b, 0, 0); err != nil {
		t.Fatal(err)
	}
	return b
}

// fill writes a pattern without zeroes all over an export and returns it.
func fill(t *testing.T, uri string) []byte {
	t.Helper()
	c := connect(t, uri)
	defer c.Close()
	b := make([]byte, c.Size())
	for i := range b {
		b[i] = byte(i%251) + 1
	}
	if err := client.CopyIn(t.Context(), c, bytes.NewReader(b), uint64(len(b)), client.CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	return b
}
