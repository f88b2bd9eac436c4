package interop

import (
	"bytes"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"nbdconform/containers/containertest"
	"nbdconform/reference/wire"
)

// A guest is a Linux kernel that runs as a process in a container, for what
// the kernel of this machine may lack.
type guest struct{ peer }

// newGuest builds nbdconform into the directory of a guest.
func newGuest(t *testing.T) guest {
	t.Helper()
	if runtime.GOARCH != "amd64" {
		t.Skip("a Linux kernel runs as a process on amd64 only")
	}
	if testing.Short() {
		t.Skip("a kernel that runs as a process is slow")
	}
	image := containertest.NeedKernel(t)
	containertest.NeedSharedDir(t)
	dir := sharedDir(t)
	g := guest{peer{name: "kernel", dir: dir, run: runIn(t, image, dir)}}
	g.build(t, "build", "-o", filepath.Join(dir, "nbdconform"), "nbdconform/cmd/nbdconform")
	return g
}

// build runs go for a program that needs no library.
func (g guest) build(t *testing.T, args ...string) {
	t.Helper()
	cmd := exec.Command("go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("go %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// boot runs a script of testdata in the guest, which ends with it. The script
// has to succeed; what it says is returned.
func (g guest) boot(t *testing.T, script string) string {
	t.Helper()
	for to, from := range map[string]string{"init.sh": "init.sh", "script.sh": script} {
		text, err := os.ReadFile(filepath.Join("testdata", from))
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(g.dir, to), text, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	out, err := g.run(t.Context(), []string{
		"timeout", "-k", "1", "240", "linux.uml", "mem=512M", "seccomp=auto",
		"root=hostfs", "rootfstype=hostfs", "rootflags=/", "rw", "init=" + filepath.Join(g.dir, "init.sh"),
		"con=null", "con0=null,fd:1", "console=tty0", "quiet",
	})
	if err != nil || !strings.Contains(out, "script.sh: exit status 0") {
		t.Fatalf("%s in the guest: %v\n%s", script, err, out)
	}
	t.Log(out)
	return out
}

// image writes random data to a file in the guest's directory.
func (g guest) image(t *testing.T, name string, size int) []byte {
	t.Helper()
	data := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{}).Read(data)
	if err := os.WriteFile(filepath.Join(g.dir, name), data, 0o600); err != nil {
		t.Fatal(err)
	}
	return data
}

// has checks what is in a file of the guest's directory.
func (g guest) has(t *testing.T, name string, want []byte) {
	t.Helper()
	got, err := os.ReadFile(filepath.Join(g.dir, name))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s has %d bytes, which are not the %d that were expected", name, len(got), len(want))
	}
}

func TestLinux(t *testing.T) {
	t.Parallel()
	g := newGuest(t)
	t.Run("vsock", func(t *testing.T) { overVsock(t, g) })
	t.Run("NBD client", func(t *testing.T) { kernelClient(t, g) })
}

// overVsock has the reference client and the specs meet the reference server
// over vsock, between processes of the guest.
func overVsock(t *testing.T, g guest) {
	g.build(t, "test", "-c", "-o", filepath.Join(g.dir, "transport.test"), "nbdconform/reference/transport")
	data := g.image(t, "image", imageSize)

	out := g.boot(t, "vsock.sh")

	g.has(t, "back", data)
	for _, want := range []string{"--- PASS: TestURIOfAListenerReachesIt/vsock", "nbd+vsock://1:4711: ", "conforms"} {
		if !strings.Contains(out, want) {
			t.Errorf("nothing says %q", want)
		}
	}
}

// kernelClient attaches the reference server as a disk of the guest, with a
// judge between them that has to find no fault with either.
func kernelClient(t *testing.T, g guest) {
	want := g.image(t, "image", imageSize)
	clear(want[1<<20 : 2<<20])
	clear(want[4<<20 : 5<<20])

	g.boot(t, "nbd.sh")

	g.has(t, "seen", want)
	g.has(t, "held", want)
	requests, err := os.ReadFile(filepath.Join(g.dir, "requests.txt"))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []wire.Command{wire.CmdWrite, wire.CmdFlush, wire.CmdTrim, wire.CmdWriteZeroes, wire.CmdRead, wire.CmdDisc} {
		if !bytes.Contains(requests, []byte(c.String())) {
			t.Errorf("the server was not asked for %s:\n%s", c, requests)
		}
	}
}
