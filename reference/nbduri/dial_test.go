package nbduri

import (
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.uber.org/goleak"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestAddress(t *testing.T) {
	for _, tt := range []struct{ in, network, address string }{
		{"nbd://h", "tcp", "h:10809"},
		{"nbd:", "tcp", "localhost:10809"},
		{"nbd://[::1]:7", "tcp", "[::1]:7"},
		{"nbd://[fe80::1%25eth0]", "tcp", "[fe80::1%eth0]:10809"},
		{"nbd+unix:///?socket=/run/s", "unix", "/run/s"},
		{"nbd+unix:///?socket=@s", "unix", "./@s"},
		{"nbd+unix:///?socket=%00s", "unix", "\x00s"},
		{"nbd+vsock:", "vsock", "2:10809"},
	} {
		if network, address := MustParse(tt.in).Address(); network != tt.network || address != tt.address {
			t.Errorf("%s: Address() = %q, %q, want %q, %q", tt.in, network, address, tt.network, tt.address)
		}
	}
}

func TestDial(t *testing.T) {
	listen := func(network, address string) net.Listener {
		l, err := new(net.ListenConfig).Listen(t.Context(), network, address)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = l.Close() })
		return l
	}
	path := filepath.Join(t.TempDir(), "socket")
	listen("unix", path)
	tcp := listen("tcp", "127.0.0.1:0").Addr().(*net.TCPAddr)
	abstract := "\x00nbduri-" + strconv.Itoa(tcp.Port)
	listen("unix", abstract)

	for _, u := range []URI{
		{Transport: Unix, Socket: path},
		{Transport: Unix, Socket: abstract},
		{Host: "127.0.0.1", Port: uint32(tcp.Port)},
	} {
		conn, err := u.Dial(t.Context())
		if err != nil {
			t.Errorf("%v: %v", u, err)
			continue
		}
		_ = conn.Close()
	}
}

// Not every machine has vsock, and few have its loopback; all have an answer.
func TestDialVsock(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 200*time.Millisecond)
	defer cancel()
	conn, err := MustParse("nbd+vsock://1:4294967294/").Dial(ctx)
	if err == nil {
		_ = conn.Close()
		t.Fatal("somebody listens at the last port")
	}
	if !strings.Contains(err.Error(), "dialling nbd+vsock://1:4294967294/: ") {
		t.Error(err)
	}
	err = VsockError("dialling", &net.OpError{Op: "dial", Net: "vsock", Err: os.NewSyscallError("socket", syscall.EAFNOSUPPORT)})
	if !errors.Is(err, errors.ErrUnsupported) || !strings.Contains(err.Error(), "this machine has no vsock") {
		t.Error(err)
	}
}

// Machines that have vsock and no loopback say nothing at all.
func TestVsockLoopbackThatIsSilent(t *testing.T) {
	refused := os.NewSyscallError("connect", syscall.ECONNREFUSED)
	for _, tt := range []struct {
		cid  uint32
		err  error
		hint bool
	}{
		{1, os.NewSyscallError("connect", syscall.ETIMEDOUT), true},
		{1, context.DeadlineExceeded, true},
		{1, refused, false},
		{3, context.DeadlineExceeded, false},
	} {
		got := unanswered(tt.cid, &net.OpError{Op: "dial", Net: "vsock", Err: tt.err})
		if !errors.Is(got, tt.err) || strings.Contains(got.Error(), "vsock_loopback") != tt.hint {
			t.Errorf("cid %d, %v: %v", tt.cid, tt.err, got)
		}
	}
}

func TestDialSwitchesNagleOff(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	conn, err := URI{Host: "127.0.0.1", Port: uint32(l.Addr().(*net.TCPAddr).Port)}.Dial(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = conn.Close() }()
	raw, err := conn.(*net.TCPConn).SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var on int
	_ = raw.Control(func(fd uintptr) { on, err = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY) })
	if err != nil || on == 0 {
		t.Errorf("TCP_NODELAY is %d, %v", on, err)
	}
}

func TestDialErrors(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := MustParse("nbd://127.0.0.1/").Dial(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("dialling with a context that ended: %v, want %v", err, context.Canceled)
	}
	long := MustParse("nbd+unix:///?socket=/" + strings.Repeat("d", 200))
	if _, err := long.Dial(t.Context()); err == nil || !strings.Contains(err.Error(), "the path has 201 bytes") {
		t.Errorf("dialling a path that is too long: %v", err)
	}
}
