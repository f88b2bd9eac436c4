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

	"nbdconform/containers/internal/engine"
)

// Labels of a finished image.
const (
	labelRelease      = "org.nbdconform.release"
	labelPackages     = "org.nbdconform.packages"     // name=version, space-separated
	labelInstructions = "org.nbdconform.instructions" // a change of the build files makes a new image
)

// A Stock is what an image contains besides a small system.
type Stock struct {
	name     string
	packages []string // without those that they depend on
	released bool     // backports have no other version of it
}

// The stocks.
var (
	Programs = Stock{
		name:     "servers",
		packages: []string{"qemu-utils", "nbdkit", "nbd-server", "nbd-client", "libnbd-bin", "coreutils", "file"},
	}
	Fio = Stock{name: "fio", packages: []string{"fio", "coreutils"}, released: true}
	// Shell has Python, which is larger than all of Programs.
	Shell = Stock{name: "shell", packages: []string{"python3-libnbd", "bash", "coreutils"}}

	// Kernel has a Linux kernel that runs as a process, and the kernel's own NBD
	// client. It is for KernelRelease on amd64: the kernels of older releases panic.
	Kernel = Stock{name: "kernel", packages: []string{"user-mode-linux", "nbd-client", "busybox", "util-linux", "coreutils"}}
)

// KernelRelease is the release that Kernel is of.
const KernelRelease = "sid"

var (
	//go:embed Dockerfile
	dockerfile string
	//go:embed bootstrap.sh
	bootstrap string
)

// An Image is a local image with the servers and clients of one release.
type Image struct {
	Ref      string            // name and tag
	Digest   string            // image id, "sha256:..."
	Release  string            // Debian release
	Packages map[string]string // Debian package to version
}

// Ensure returns the image of a release with all servers and most clients, and
// builds it first if it is missing or was built from other instructions. It
// tells progress, which may be nil, about each step that takes seconds.
// Processes that want the same image wait for each other.
func Ensure(ctx context.Context, release string, progress func(string)) (Image, error) {
	return EnsureStock(ctx, release, Programs, progress)
}

// EnsureStock is [Ensure] for another stock.
func EnsureStock(ctx context.Context, release string, stock Stock, progress func(string)) (Image, error) {
	if progress == nil {
		progress = func(string) {}
	}
	from, err := find(release)
	if err != nil {
		return Image{}, err
	}
	if stock.released {
		from.Name = from.Base
	}
	s := recipe{from, stock}
	c, err := engine.Client(ctx)
	if err != nil {
		return Image{}, err
	}
	defer c.Close()
	if img, err := inspect(ctx, c, s); err == nil || !errdefs.IsNotFound(err) {
		return img, err
	}
	unlock, err := lock(ctx, s.name+"-"+s.Name)
	if err != nil {
		return Image{}, err
	}
	defer unlock()
	if img, err := inspect(ctx, c, s); err == nil || !errdefs.IsNotFound(err) {
		return img, err
	}
	if err := build(ctx, c, s, progress); err != nil {
		return Image{}, fmt.Errorf("building the image of %s: %w", s, err)
	}
	return inspect(ctx, c, s)
}

// A recipe says what goes into an image.
type recipe struct {
	Release
	Stock
}

// String names the image in progress.
func (s recipe) String() string {
	if s.name == Programs.name {
		return s.Name
	}
	return s.Name + ", " + s.name
}

func (s recipe) ref() string { return "nbdconform/" + s.name + ":" + s.Name }

// instructions identifies the instructions that an image is built from.
func (s recipe) instructions() string {
	sum := sha256.Sum256([]byte(dockerfile + bootstrap + strings.Join(s.packages, " ")))
	return hex.EncodeToString(sum[:6])
}

// inspect returns the finished image, or an error for which errdefs.IsNotFound
// holds where there is none that the present instructions made.
func inspect(ctx context.Context, c *client.Client, s recipe) (Image, error) {
	got, err := c.ImageInspect(ctx, s.ref())
	if err != nil {
		return Image{}, fmt.Errorf("inspecting image %s: %w", s.ref(), err)
	}
	var labels map[string]string
	if got.Config != nil {
		labels = got.Config.Labels
	}
	if labels[labelInstructions] != s.instructions() {
		return Image{}, fmt.Errorf("image %s is outdated: %w", s.ref(), errdefs.ErrNotFound)
	}
	img := Image{Ref: s.ref(), Digest: got.ID, Release: s.Name, Packages: map[string]string{}}
	for _, f := range strings.Fields(labels[labelPackages]) {
		name, version, _ := strings.Cut(f, "=")
		img.Packages[name] = version
	}
	return img, nil
}
