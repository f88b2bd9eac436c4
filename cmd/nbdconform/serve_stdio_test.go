//go:build linux && (amd64 || arm64)

package main

import (
	"io"
	"net"
	"os"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/ebitengine/purego"

	"nbdconform/reference/client"
)

func TestServeOnPipes(t *testing.T) {
	t.Parallel()
	p := prepare(t, nil, "serve", "--stdio", "--size", "1M")
	p.cmd.Stdout = nil
	in, err := p.cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	near, far := net.Pipe()
	go func() { _, _ = io.Copy(in, far); in.Close() }()
	go func() { _, _ = io.Copy(far, out); far.Close() }()
	c, err := client.Connect(t.Context(), near, client.Config{})
	if err != nil {
		t.Fatal(err)
	}
	if c.Size() != 1<<20 {
		t.Errorf("%d bytes", c.Size())
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	if o := p.end(); o.status != 0 || o.stderr != "" {
		t.Errorf("status %d, stderr %q", o.status, o.stderr)
	}
}

// One socket is standard input and output, as inetd has it; the client leaves
// without a word.
func TestServeOnASocketOfInetd(t *testing.T) {
	t.Parallel()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM|syscall.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	near, far := os.NewFile(uintptr(fds[0]), "near"), os.NewFile(uintptr(fds[1]), "far")
	p := prepare(t, nil, "serve", "--stdio", "--log", "connections")
	p.cmd.Stdin, p.cmd.Stdout = far, far
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	far.Close()
	conn, err := net.FileConn(near)
	near.Close()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(conn, make([]byte, 18)); err != nil {
		t.Error(err)
	}
	conn.Close()
	if o := p.end(); o.status != 0 || !strings.Contains(o.stderr, `msg="gone without a disconnect"`) {
		t.Errorf("status %d, stderr %q", o.status, o.stderr)
	}
}

// TestServeUnderLibnbdsCommand has libnbd start the server as nbd_connect_command does.
func TestServeUnderLibnbdsCommand(t *testing.T) {
	lib, err := purego.Dlopen("libnbd.so.0", purego.RTLD_NOW|purego.RTLD_LOCAL)
	if err != nil {
		t.Skipf("libnbd is not installed: %v", err)
	}
	var (
		create  func() uintptr
		stop    func(h uintptr)
		command func(h uintptr, argv **byte) int32
		size    func(h uintptr) int64
		bye     func(h uintptr, flags uint32) int32
		text    func() string
	)
	purego.RegisterLibFunc(&create, lib, "nbd_create")
	purego.RegisterLibFunc(&stop, lib, "nbd_close")
	purego.RegisterLibFunc(&command, lib, "nbd_connect_command")
	purego.RegisterLibFunc(&size, lib, "nbd_get_size")
	purego.RegisterLibFunc(&bye, lib, "nbd_shutdown")
	purego.RegisterLibFunc(&text, lib, "nbd_get_error")
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	h := create()
	defer stop(h)
	var argv []*byte
	for _, a := range []string{binary, "serve", "--stdio", "--size", "5M"} {
		p, err := syscall.BytePtrFromString(a)
		if err != nil {
			t.Fatal(err)
		}
		argv = append(argv, p)
	}
	if command(h, &append(argv, nil)[0]) < 0 {
		t.Fatal(text())
	}
	if got := size(h); got != 5<<20 {
		t.Errorf("%d bytes", got)
	}
	if bye(h, 0) < 0 {
		t.Error(text())
	}
}
