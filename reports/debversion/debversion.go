package debversion

import (
	"cmp"
	"fmt"
	"regexp"
	"strings"

	"pault.ag/go/debian/version"
)

// A Bound is a version that others are compared with.
type Bound struct {
	version  version.Version
	anyEpoch bool // the text has no epoch
}

// ParseBound reads a version, of which the epoch and the revision may be omitted.
func ParseBound(text string) (Bound, error) {
	v, err := version.Parse(text)
	if err != nil {
		return Bound{}, fmt.Errorf("%q: %w", text, err)
	}
	return Bound{version: v, anyEpoch: !strings.Contains(text, ":")}, nil
}

// Compare orders the version of a package and b as dpkg does. A part that b
// omits is not compared, so that 1:3.24-1.1 is equal to the bound 3.24. What is
// not a version is an error.
func (b Bound) Compare(text string) (int, error) {
	v, err := version.Parse(text)
	if err != nil {
		return 0, fmt.Errorf("%q: %w", text, err)
	}
	if b.anyEpoch {
		v.Epoch = 0
	}
	if b.version.Revision == "" {
		v.Revision = ""
	}
	return cmp.Compare(version.Compare(v, b.version), 0), nil
}

// AtLeast reports whether the version of a package is since or newer. A text
// that is not a version, such as that of a program built from a repository, is
// taken as new. It panics unless since is a bound.
func AtLeast(text, since string) bool {
	b, err := ParseBound(since)
	if err != nil {
		panic(err)
	}
	order, err := b.Compare(text)
	return err != nil || order >= 0
}

var leading = regexp.MustCompile(`^[0-9]+(?:\.[0-9]+)*`)

// Upstream is the number of the program's release in the version of its
// package: 7.2.22 in 1:7.2.22+dfsg-0+deb12u1. It is "" where there is none.
func Upstream(text string) string {
	v, err := version.Parse(text)
	if err != nil {
		return ""
	}
	return leading.FindString(v.Version)
}
