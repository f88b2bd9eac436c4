package program

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"nbdconform/conformance/subject"
	"nbdconform/reference/starttls"
)

// A Profile is one way to set up a program.
type Profile struct {
	Name    string   // profile name
	Since   string   // the first version that can do it, or "" for all
	Export  string   // the export to test
	Exports []string // all exports
	Size    uint64   // size of Export in bytes, unless Place has another
	Variant bool     // not among the profiles that represent all of them

	// Features returns what a version is certain to offer.
	Features func(Version) []string
	// Start returns how to start it.
	Start func(Place) Launch
	// Durable says that the storage outlives a server that is killed: Start
	// returns a Launch that is Durable.
	Durable bool
	// Kind is the kind of TLS that it has.
	Kind TLSKind
	// Ready says what this machine lacks to connect to it; nil: nothing.
	Ready func() error
	// TLS returns how to do TLS with it; nil: it has none. See WithTLS.
	TLS func() starttls.Client
}

// Profile returns the profile of a name, or an error that lists the valid names.
// "" is the default.
func (p Program) Profile(name string) (Profile, error) {
	if name == "" {
		return p.Profiles[0], nil
	}
	var names []string
	for _, f := range p.Profiles {
		if f.Name == name {
			return f, nil
		}
		names = append(names, f.Name)
	}
	return Profile{}, fmt.Errorf("unknown profile %q of %s: use one of %s", name, p.Name, strings.Join(names, ", "))
}

// Supported are the profiles that this program, as it was built, can connect to.
func (p Program) Supported() []Profile {
	return slices.DeleteFunc(slices.Clone(p.Profiles), func(f Profile) bool {
		return f.Kind.NeedsGnuTLS() && !starttls.BuiltWithGnuTLS
	})
}

// ErrTooOld is wrapped by the errors of [Program.Check].
var ErrTooOld = errors.New("the version is too old")

// Check is an error where version v, which is that of where, has no profile f.
func (p Program) Check(f Profile, v Version, where string) error {
	if f.Since == "" || v.AtLeast(f.Since) {
		return nil
	}
	return fmt.Errorf("%w: profile %s needs %s %s or newer: %s has %s", ErrTooOld, f.Name, p.Name, f.Since, where, v)
}

// Describe returns what the profile promises of a version.
func (f Profile) Describe(v Version) subject.Profile {
	p := subject.Profile{
		Name:        f.Name,
		Export:      f.Export,
		Exports:     slices.Clone(f.Exports),
		Size:        f.Size,
		Features:    f.Features(v),
		Destructive: true, // the disk is there for the specs alone
		Durable:     f.Durable,
	}
	if f.TLS != nil {
		p.TLS = f.TLS()
	}
	return p
}

// AsVariant is the profile as one that is not among the representative ones.
func (f Profile) AsVariant() Profile {
	f.Variant = true
	return f
}

// AsDurable makes a profile of one that keeps its storage in files: what its
// server stored is there when it was killed and starts again.
func (f Profile) AsDurable(name string) Profile {
	start := f.Start
	f.Name, f.Durable = name, true
	f.Start = func(p Place) Launch {
		l := start(p)
		l.Durable = true
		if p.Socket != "" {
			l.BeforeStart = append(l.BeforeStart, "rm -f "+quote([]string{p.Socket}))
		}
		return l
	}
	return f
}
