// Package images builds the container images that the servers run in: one for
// each Debian suite, with every server and client that is tried.
//
// There are two ways to the same image. Where a registry answers, or the base
// image is already here, the Dockerfile is built. Elsewhere mmdebstrap makes a
// root file system out of Debian packages alone.
package images

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/containerd/errdefs"
	"github.com/moby/moby/client"

	"nbdconform/containers/engine"
)

// Labels of a finished image.
const (
	labelSuite        = "org.nbdconform.suite"
	labelPackages     = "org.nbdconform.packages"     // name=version, space-separated
	labelInstructions = "org.nbdconform.instructions" // a change of the build files makes a new image
)

// packages is what every image contains besides their dependencies.
var packages = []string{"qemu-utils", "nbdkit", "nbd-server", "nbd-client", "libnbd-bin", "coreutils", "file"}

var (
	//go:embed Dockerfile
	dockerfile string
	//go:embed bootstrap.sh
	bootstrap string
)

// An Image is a local image with the servers and clients of one suite.
type Image struct {
	Ref      string            // name and tag
	Digest   string            // image id, "sha256:..."
	Suite    string            // Debian suite
	Packages map[string]string // Debian package to version
}

// Ensure returns the image of a suite and builds it first if it is missing or
// was built from other instructions. It tells progress, which may be nil, about
// each step that takes seconds. Processes that want the same image wait for
// each other.
func Ensure(ctx context.Context, suite string, progress func(string)) (Image, error) {
	if progress == nil {
		progress = func(string) {}
	}
	s, err := find(suite)
	if err != nil {
		return Image{}, err
	}
	c, err := engine.Client(ctx)
	if err != nil {
		return Image{}, err
	}
	defer c.Close()
	if img, err := inspect(ctx, c, s); err == nil || !errdefs.IsNotFound(err) {
		return img, err
	}
	unlock, err := lock(ctx, s.Name)
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	if img, err := inspect(ctx, c, s); err == nil || !errdefs.IsNotFound(err) {
		return img, err
	}
	if err := build(ctx, c, s, progress); err != nil {
		return Image{}, fmt.Errorf("building the image of %s: %w", s.Name, err)
	}
	return inspect(ctx, c, s)
}

func ref(s Suite) string { return "nbdconform/servers:" + s.Name }

// instructions identifies the instructions that an image is built from.
func instructions() string {
	sum := sha256.Sum256([]byte(dockerfile + bootstrap + strings.Join(packages, " ")))
	return hex.EncodeToString(sum[:6])
}

// inspect returns the finished image, or an error for which errdefs.IsNotFound
// holds where there is none that the present instructions made.
func inspect(ctx context.Context, c *client.Client, s Suite) (Image, error) {
	got, err := c.ImageInspect(ctx, ref(s))
	if err != nil {
		return Image{}, fmt.Errorf("inspecting image %s: %w", ref(s), err)
	}
	var labels map[string]string
	if got.Config != nil {
		labels = got.Config.Labels
	}
	if labels[labelInstructions] != instructions() {
		return Image{}, fmt.Errorf("image %s is outdated: %w", ref(s), errdefs.ErrNotFound)
	}
	img := Image{Ref: ref(s), Digest: got.ID, Suite: s.Name, Packages: map[string]string{}}
	for _, f := range strings.Fields(labels[labelPackages]) {
		name, version, _ := strings.Cut(f, "=")
		img.Packages[name] = version
	}
	return img, nil
}
