package transport

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/mdlayher/vsock"
	"go.uber.org/goleak"

	"nbdconform/reference/client"
	"nbdconform/reference/export"
	"nbdconform/reference/server"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

func TestURIOfAListenerReachesIt(t *testing.T) {
	dir := t.TempDir()
	for _, tt := range []struct {
		name string
		at   Address
		uri  string // how it begins
	}{
		{"IPv4", Address{TCP: "127.0.0.1:0"}, "nbd://127.0.0.1:"},
		{"IPv6", Address{TCP: "[::1]:0"}, "nbd://[::1]:"},
		{"all addresses", Address{TCP: ":0"}, "nbd://localhost:"},
		{"Unix", Address{Unix: filepath.Join(dir, "s")}, "nbd+unix:///?socket=" + dir + "/s"},
		{"Unix, odd name", Address{Unix: filepath.Join(dir, "a b&c%@")}, "nbd+unix:///?socket=" + dir + "/a%20b%26c%25@"},
		{"abstract", Address{Unix: fmt.Sprintf("@transport-%d", os.Getpid())}, "nbd+unix:///?socket=%00transport-"},
		{"vsock", Address{Vsock: "0"}, "nbd+vsock://"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			l, err := tt.at.Listen(t.Context())
			if tt.at.Vsock != "" && errors.Is(err, errors.ErrUnsupported) || tt.name == "IPv6" && err != nil {
				t.Skip(err)
			}
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = l.Close() }()
			u := URI(l.Addr(), false)
			if !strings.HasPrefix(u.String(), tt.uri) {
				t.Errorf("the URI is %s, want %s...", u, tt.uri)
			}
			ctx, cancel := context.WithTimeout(t.Context(), 5*time.Second)
			defer cancel()
			near, err := u.Dial(ctx)
			if tt.at.Vsock != "" && err != nil {
				t.Skipf("there is no loopback of vsock: %v", err)
			}
			if err != nil {
				t.Fatal(err)
			}
			far, err := l.Accept()
			if err != nil {
				t.Fatal(err)
			}
			talk(t, near, far)
			noDelay(t, far)
		})
	}
}

// talk has both ends say a word, and closes them.
func talk(t *testing.T, near, far net.Conn) {
	t.Helper()
	for _, c := range []net.Conn{near, far} {
		if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
			t.Fatal(err)
		}
		defer func() { _ = c.Close() }()
	}
	go func() { _, _ = io.WriteString(near, "hello\n") }()
	if line, err := bufio.NewReader(far).ReadString('\n'); line != "hello\n" {
		t.Fatalf("%q, %v", line, err)
	}
	go func() { _, _ = io.WriteString(far, "welcome\n") }()
	if line, err := bufio.NewReader(near).ReadString('\n'); line != "welcome\n" {
		t.Fatalf("%q, %v", line, err)
	}
}

func noDelay(t *testing.T, c net.Conn) {
	t.Helper()
	tcp, ok := c.(*net.TCPConn)
	if !ok {
		return
	}
	raw, err := tcp.SyscallConn()
	if err != nil {
		return // closed by now
	}
	var on int
	if err := raw.Control(func(fd uintptr) {
		on, _ = syscall.GetsockoptInt(int(fd), syscall.IPPROTO_TCP, syscall.TCP_NODELAY)
	}); err == nil && on == 0 {
		t.Error("TCP_NODELAY is off")
	}
}

func TestAPathThatIsTooLong(t *testing.T) {
	_, err := Address{Unix: "/" + strings.Repeat("d", 200)}.Listen(t.Context())
	if err == nil || !strings.Contains(err.Error(), "the path has 201 bytes") {
		t.Error(err)
	}
}

// What is in the way is said, and what would be right.
func TestPlacesThatCannotBe(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	socket := Address{Unix: filepath.Join(t.TempDir(), "s")}
	l, err := socket.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for a, want := range map[Address]string{
		{Unix: file}: file + " is no socket: name another path", socket: "another server is there, or one left it behind",
		{Unix: "@"}: "there is no name behind the @", {TCP: "localhost"}: "localhost: want HOST:PORT",
	} {
		if _, err := a.Listen(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v: %v, want %s", a, err, want)
		}
	}
}

func TestVsockAddresses(t *testing.T) {
	for in, want := range map[string][2]uint32{"10809": {anyCID, 10809}, "3:1": {3, 1}, "4294967295:4294967295": {anyCID, anyCID}} {
		if cid, port, err := parseVsock(in); err != nil || [2]uint32{cid, port} != want {
			t.Errorf("%s: %d, %d, %v", in, cid, port, err)
		}
	}
	for _, in := range []string{"host:1", "1:", ":1", "4294967296", "-1"} {
		if _, err := (Address{Vsock: in}).Listen(t.Context()); err == nil || !strings.Contains(err.Error(), "want PORT or CID:PORT") {
			t.Errorf("%s: %v", in, err)
		}
	}
}

func TestStdioOfPipes(t *testing.T) {
	in, toServer, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	fromServer, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	far, err := Stdio(in, out)
	if err != nil {
		t.Fatal(err)
	}
	if err := far.SetReadDeadline(time.Now().Add(time.Millisecond)); err != nil {
		t.Fatal(err)
	}
	if _, err := far.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the deadline passes: %v", err)
	}
	talk(t, &pair{in: fromServer, out: toServer}, far)
}

func TestStdioOfASocket(t *testing.T) {
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ends [2]net.Conn
	for i, fd := range fds {
		f := os.NewFile(uintptr(fd), "socket")
		if ends[i], err = Stdio(f, f); err != nil {
			t.Fatal(err)
		}
		_ = f.Close()
	}
	if _, ok := ends[0].(syscall.Conn); !ok {
		t.Errorf("a %T is not known as a socket", ends[0])
	}
	talk(t, ends[0], ends[1])
}

func TestStdioOfAFileIsRefused(t *testing.T) {
	null, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = null.Close() }()
	if _, err := Stdio(null, null); err == nil || !strings.Contains(err.Error(), "neither a socket nor a pipe") {
		t.Error(err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _, _ = r.Close(), w.Close() }()
	if _, err := Stdio(r, null); err == nil || !strings.Contains(err.Error(), "standard output is neither") {
		t.Error(err)
	}
}

// posing is a listener that says that it is one of vsock.
type posing struct {
	net.Listener
	at vsock.Addr
}

func (p posing) Addr() net.Addr { return &p.at }

// A server takes clients from vsock as from anywhere, and its URI says where.
func TestServeAtVsock(t *testing.T) {
	socket := filepath.Join(t.TempDir(), "s")
	ln, err := Address{Unix: socket}.Listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	pose := posing{ln, vsock.Addr{ContextID: 7, Port: 4711}}
	for _, secure := range []bool{false, true} {
		u := URI(pose.Addr(), secure)
		if got := u.String(); got != map[bool]string{false: "nbd+vsock://7:4711/", true: "nbds+vsock://7:4711/"}[secure] {
			t.Error(got)
		}
		if network, address := u.Address(); network != "vsock" || address != "7:4711" {
			t.Errorf("%s %s", network, address)
		}
	}
	s, err := server.New(server.Config{Exports: []server.Export{{Name: "disk", Disk: export.New(4096)}}})
	if err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- s.Serve(t.Context(), pose) }()
	conn, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	c, err := client.Connect(t.Context(), conn, client.Config{Export: "disk"})
	if err != nil {
		t.Fatal(err)
	}
	if c.Size() != 4096 {
		t.Errorf("%d bytes", c.Size())
	}
	_ = c.Disconnect(t.Context())
	_ = s.Close()
	if err := <-ended; !errors.Is(err, server.ErrClosed) {
		t.Error(err)
	}
}
