package images

import (
	"fmt"
	"strings"
)

// A Suite is a Debian release that an image can be built from.
type Suite struct {
	Name     string
	Base     string // the suite whose base image and archive it extends; often Name itself
	Optional bool   // so old that its archive may be gone: not having it is no failure
}

func (s Suite) backports() string {
	if s.Base == s.Name {
		return ""
	}
	return s.Name
}

// DefaultSuite is the one to use where nobody asked for another.
const DefaultSuite = "bookworm"

// Suites returns every suite that Ensure knows, oldest first.
func Suites() []Suite {
	return []Suite{
		{Name: "bullseye", Base: "bullseye", Optional: true},
		{Name: "bookworm", Base: "bookworm"},
		{Name: "bookworm-backports", Base: "bookworm"},
		{Name: "trixie", Base: "trixie"},
		{Name: "trixie-backports", Base: "trixie"},
		{Name: "sid", Base: "sid"},
	}
}

// find returns the suite of that name, or an error that lists the valid ones.
func find(name string) (Suite, error) {
	var names []string
	for _, s := range Suites() {
		if s.Name == name {
			return s, nil
		}
		names = append(names, s.Name)
	}
	return Suite{}, fmt.Errorf("unknown suite %q: use one of %s", name, strings.Join(names, ", "))
}
