package images

import (
	"fmt"
	"strings"
)

// A Release is a Debian release that an image can be built from.
type Release struct {
	Name     string
	Base     string // the release whose base image and archive it extends; often Name itself
	Optional bool   // so old that its archive may be gone: not having it is no failure
}

func (s Release) backports() string {
	if s.Base == s.Name {
		return ""
	}
	return s.Name
}

// DefaultRelease is the one to use unless another is named.
const DefaultRelease = "bookworm"

// Releases returns every release that Ensure knows, oldest first.
func Releases() []Release {
	return []Release{
		{Name: "bullseye", Base: "bullseye", Optional: true},
		{Name: "bookworm", Base: "bookworm"},
		{Name: "bookworm-backports", Base: "bookworm"},
		{Name: "trixie", Base: "trixie"},
		{Name: "trixie-backports", Base: "trixie"},
		{Name: "sid", Base: "sid"},
	}
}

// find returns the release of that name, or an error that lists the valid ones.
func find(name string) (Release, error) {
	var names []string
	for _, s := range Releases() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Release{}, fmt.Errorf("unknown release %q: use one of %s", name, strings.Join(names, ", "))
}
