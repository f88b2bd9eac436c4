package interop

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/moby/moby/api/types/container"
	"github.com/testcontainers/testcontainers-go"
	tcexec "github.com/testcontainers/testcontainers-go/exec"
	"go.uber.org/goleak"

	"nbdconform/containers/containertest"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// imageSize is how many bytes are copied in and out of the reference server.
const imageSize = 8 << 20

// releases are where the programs of containers come from.
var releases = []string{"bookworm", "trixie"}

// patience is how long one program may take.
const patience = time.Minute

// A peer runs programs that share a directory with this test.
type peer struct {
	name string
	dir  string // has the same path on both sides
	run  func(ctx context.Context, argv []string) (string, error)
}

// peers calls f for this machine and for a container of each release. A program
// that this machine lacks is skipped there.
func peers(t *testing.T, f func(*testing.T, peer)) {
	t.Run("local", func(t *testing.T) {
		t.Parallel()
		f(t, peer{name: "local", dir: sharedDir(t), run: runHere})
	})
	for _, release := range releases {
		t.Run(release, func(t *testing.T) {
			t.Parallel()
			image := containertest.NeedImage(t, release)
			containertest.NeedSharedDir(t)
			dir := sharedDir(t)
			f(t, peer{name: release, dir: dir, run: runIn(t, image, dir)})
		})
	}
}

// sharedDir makes a directory whose path leaves room for a socket.
func sharedDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "interop")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	return dir
}

func runHere(ctx context.Context, argv []string) (string, error) {
	cmd := exec.CommandContext(ctx, argv[0], argv[1:]...)
	cmd.WaitDelay = time.Second
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// runIn starts a container that does nothing and returns how to run programs in it.
func runIn(t *testing.T, image, dir string) func(context.Context, []string) (string, error) {
	t.Helper()
	init := true
	ctr, err := testcontainers.GenericContainer(t.Context(), testcontainers.GenericContainerRequest{
		Started: true,
		ContainerRequest: testcontainers.ContainerRequest{
			Image: image, Cmd: []string{"sleep", "600"},
			HostConfigModifier: func(h *container.HostConfig) {
				h.Init, h.Binds = &init, []string{dir + ":" + dir}
				h.AutoRemove = true                                // for a test that is killed
				h.Tmpfs = map[string]string{"/dev/shm": "rw,exec"} // a kernel that is a process runs what is in its memory
			},
		},
	})
	t.Cleanup(func() {
		if err := testcontainers.TerminateContainer(ctr, testcontainers.StopTimeout(0)); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return func(ctx context.Context, argv []string) (string, error) {
		code, out, err := ctr.Exec(ctx, argv, tcexec.Multiplexed())
		if err != nil {
			return "", err
		}
		text, err := io.ReadAll(out)
		if err == nil && code != 0 {
			err = fmt.Errorf("exit status %d", code)
		}
		return string(text), err
	}
}

// must runs a program that has to succeed and returns what it says.
func (p peer) must(t *testing.T, argv ...string) string {
	t.Helper()
	out, err := p.try(t, argv...)
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(argv, " "), err, out)
	}
	return out
}

func (p peer) try(t *testing.T, argv ...string) (string, error) {
	t.Helper()
	if p.name == "local" {
		containertest.NeedProgram(t, argv[0])
	}
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	out, err := p.run(ctx, argv)
	if errors.Is(ctx.Err(), context.DeadlineExceeded) {
		t.Fatalf("%s: no end after %v\n%s", strings.Join(argv, " "), patience, out)
	}
	return out, err
}

func (p peer) path(name string) string { return filepath.Join(p.dir, name) }

func (p peer) read(t *testing.T, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(p.path(name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (p peer) write(t *testing.T, name string, b []byte) {
	t.Helper()
	if err := os.WriteFile(p.path(name), b, 0o600); err != nil {
		t.Fatal(err)
	}
}

// image makes random data with runs of zeroes in it, some of them not aligned
// to anything. Beyond imageSize only the last MiB is random.
func image(seed byte, size uint64) []byte {
	b := make([]byte, size)
	c := rand.NewChaCha8([32]byte{seed})
	_, _ = c.Read(b[size-1<<20:])
	_, _ = c.Read(b[:imageSize])
	clear(b[1<<20 : 3<<20])
	clear(b[4<<20+123 : 4<<20+98765])
	clear(b[6<<20+512 : 7<<20])
	return b
}

// same fails the test unless two images are the same.
func same(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if bytes.Equal(got, want) {
		return
	}
	if len(got) != len(want) {
		t.Errorf("%s: %d bytes, want %d", what, len(got), len(want))
		return
	}
	i := 0
	for got[i] == want[i] {
		i++
	}
	t.Errorf("%s: differs first at byte %d: %#x, want %#x", what, i, got[i], want[i])
}
