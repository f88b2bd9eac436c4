package transport

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// roleVariable makes the test program play a process that is started with sockets.
const roleVariable = "NBDCONFORM_TEST_ACTIVATED"

func init() {
	if os.Getenv(roleVariable) == "" {
		return
	}
	// A shell would exec the program with the variables set; here it is said at once.
	_ = os.Setenv(listenPID, strings.ReplaceAll(os.Getenv(listenPID), "SELF", fmt.Sprint(os.Getpid())))
	fmt.Println(IsActivated())
	list, err := Activated()
	if err != nil {
		fmt.Println(err)
		os.Exit(0)
	}
	for _, h := range list {
		fmt.Printf("%s %v %v\n", h.Name, h.Listener != nil, h.Conn != nil)
	}
	fmt.Printf("left: %q\n", os.Getenv(listenFDs)+os.Getenv(listenPID)+os.Getenv(listenFDNames))
	for _, h := range list {
		if h.Listener != nil {
			c, err := h.Listener.Accept()
			if err == nil {
				_, err = c.Write([]byte("hello\n"))
			}
			fmt.Println(err)
		}
		_ = h.Close()
	}
	os.Exit(0)
}

// activated runs this program with files from descriptor 3 on.
func activated(t *testing.T, env string, files ...*os.File) string {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), append(strings.Fields(env), roleVariable+"=1")...)
	cmd.ExtraFiles = files
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	return string(out)
}

func TestActivated(t *testing.T) {
	path := t.TempDir() + "/s"
	l, err := net.ListenUnix("unix", &net.UnixAddr{Net: "unix", Name: path})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	socket, err := l.File()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = socket.Close() }()
	fds, err := syscall.Socketpair(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		t.Fatal(err)
	}
	near, far := os.NewFile(uintptr(fds[0]), "near"), os.NewFile(uintptr(fds[1]), "far")
	defer func() { _, _ = near.Close(), far.Close() }()
	client, err := net.Dial("unix", path) // waits to be accepted
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = client.Close() }()

	got := activated(t, "LISTEN_PID=SELF LISTEN_FDS=2 LISTEN_FDNAMES=door:line", socket, near)
	if want := "true\ndoor true false\nline false true\nleft: \"\"\n<nil>\n"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if _, err := os.Stat(path); err != nil {
		t.Errorf("the socket of somebody else was removed: %v", err)
	}
}

func TestActivationRefused(t *testing.T) {
	file, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = file.Close() }()
	udp, err := net.ListenUDP("udp", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = udp.Close() }()
	datagrams, err := udp.File()
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = datagrams.Close() }()
	for env, want := range map[string]string{
		"":                                "nobody handed a socket over",
		"LISTEN_PID=1 LISTEN_FDS=1":       `LISTEN_PID is "1", and this process is`,
		"LISTEN_PID=SELF LISTEN_FDS=many": `LISTEN_FDS is "many"`,
		"LISTEN_PID=SELF LISTEN_FDS=0":    `LISTEN_FDS is "0"`,
		"LISTEN_PID=SELF LISTEN_FDS=2 LISTEN_FDNAMES=a":       "1 names for 2 sockets",
		"LISTEN_PID=SELF LISTEN_FDS=1":                        "file descriptor 3 (unknown): it is no socket",
		"LISTEN_PID=SELF LISTEN_FDS=1 LISTEN_FDNAMES=packets": "file descriptor 3 (packets): it is no stream socket",
	} {
		f := file
		if strings.Contains(env, "packets") {
			f = datagrams
		}
		if got := activated(t, env, f); !strings.Contains(got, want) {
			t.Errorf("%s: %s, want %s", env, got, want)
		}
	}
}
