package containertest

import (
	"os"
	"os/exec"
	"testing"

	"github.com/moby/moby/client"

	"nbdconform/containers/internal/engine"
	"nbdconform/containers/internal/images"
)

// Require is the environment variable that, set to 1, makes a test that lacks
// a container engine fail instead of being skipped.
const Require = "NBDCONFORM_REQUIRE_CONTAINERS"

// NeedEngine returns a client of the container engine, and skips the test where
// no engine answers.
func NeedEngine(t testing.TB) *client.Client {
	t.Helper()
	c, err := engine.Client(t.Context())
	if err != nil {
		lacking(t, err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c
}

// NeedSharedDir skips the test where a container has no directory in common
// with this machine.
func NeedSharedDir(t testing.TB) {
	t.Helper()
	if !engine.IsHere() {
		t.Skip("the engine is on another machine: there is no directory to share")
	}
}

// NeedImage returns the digest of the image of a release with the servers and
// most clients, and skips the test where there is none and none can be built.
func NeedImage(t testing.TB, release string) string {
	t.Helper()
	return need(t, release, images.Programs)
}

// NeedKernel is [NeedImage] for the image with a Linux kernel that runs as a
// process.
func NeedKernel(t testing.TB) string {
	t.Helper()
	return need(t, images.KernelRelease, images.Kernel)
}

func need(t testing.TB, release string, stock images.Stock) string {
	t.Helper()
	img, err := images.EnsureStock(t.Context(), release, stock, func(s string) { t.Log(s) })
	if err != nil {
		lacking(t, err)
	}
	return img.Digest
}

// NeedProgram skips the test where a program is not on PATH.
func NeedProgram(t testing.TB, name string) {
	t.Helper()
	if _, err := exec.LookPath(name); err != nil {
		t.Skipf("%s is not installed", name)
	}
}

func lacking(t testing.TB, err error) {
	t.Helper()
	if os.Getenv(Require) == "1" {
		t.Fatalf("%s=1: %v", Require, err)
	}
	t.Skip(err)
}
