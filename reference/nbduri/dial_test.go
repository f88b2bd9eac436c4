package nbduri

import (
	"context"
	"errors"
	"net"
	"path/filepath"
	"strconv"
	"testing"

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

func TestDialErrors(t *testing.T) {
	for _, s := range []string{"nbd+vsock://2/", "nbds+vsock://2/"} {
		if _, err := MustParse(s).Dial(t.Context()); !errors.Is(err, errors.ErrUnsupported) {
			t.Errorf("%s: %v, want %v", s, err, errors.ErrUnsupported)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := MustParse("nbd://127.0.0.1/").Dial(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("dialling with a context that ended: %v, want %v", err, context.Canceled)
	}
}
