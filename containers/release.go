package containers

import (
	"context"

	"nbdconform/containers/internal/images"
)

// A Release is a Debian release whose servers and clients run in containers.
type Release struct {
	Name     string // Request.Release
	Optional bool   // so old that its archive may be gone: not having it is not a failure
}

// DefaultRelease is where a server in a container comes from unless another
// release is named.
const DefaultRelease = images.DefaultRelease

// Releases lists them, oldest first.
func Releases() []Release {
	var list []Release
	for _, r := range images.Releases() {
		list = append(list, Release{Name: r.Name, Optional: r.Optional})
	}
	return list
}

// An Image is a container image that was built here.
type Image struct {
	Name   string // with the release as its tag
	Digest string // "sha256:..."
}

// BuildImages builds the images of a release, unless they are there. It calls
// built with each, and tells progress about steps that take seconds.
func BuildImages(ctx context.Context, release string, progress func(string), built func(Image)) error {
	for _, stock := range []images.Stock{images.Programs, images.Fio, images.Shell} {
		i, err := images.EnsureStock(ctx, release, stock, progress)
		if err != nil {
			return err
		}
		built(Image{Name: i.Ref, Digest: i.Digest})
	}
	return nil
}
