// Package containertest says which tests can run on this machine.
package containertest

import (
	"os"
	"os/exec"
	"testing"

	"nbdconform/containers/engine"
	"nbdconform/containers/images"
)

// Require is the environment variable that, set to 1, makes a test that lacks
// a container engine fail instead of being skipped.
const Require = "NBDCONFORM_REQUIRE_CONTAINERS"

// NeedEngine skips the test where no container engine answers.
func NeedEngine(t testing.TB) {
	t.Helper()
	c, err := engine.Client(t.Context())
	if err != nil {
		lacking(t, err)
	}
	c.Close()
}

// NeedImage returns the image of a release, and skips the test where there is
// none and none can be built.
func NeedImage(t testing.TB, release string) images.Image {
	t.Helper()
	return NeedStock(t, release, images.Programs)
}

// NeedStock is [NeedImage] for another stock.
func NeedStock(t testing.TB, release string, stock images.Stock) images.Image {
	t.Helper()
	img, err := images.EnsureStock(t.Context(), release, stock, func(s string) { t.Log(s) })
	if err != nil {
		lacking(t, err)
	}
	return img
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
