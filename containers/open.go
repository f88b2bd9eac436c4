package containers

import (
	"context"
	"fmt"

	"nbdconform/conformance/subject"
	"nbdconform/containers/internal/engine"
	"nbdconform/containers/internal/program"
	"nbdconform/containers/internal/servers"
)

// ErrNoEngine is wrapped by the errors that come from the lack of a container
// engine. Its text says what to do about it.
var ErrNoEngine = engine.ErrNone

// ErrTooOld is wrapped by the errors of [Open] where the version has no such profile.
var ErrTooOld = program.ErrTooOld

// The providers of a server.
const (
	Container = subject.Container // a container of a Debian release's packages
	Local     = subject.Local     // a child process of a program on PATH
)

// A Request says which server to start. Only Target is needed.
type Request struct {
	Target   string // a name from Targets
	Provider string // Container, which is the default, or Local
	Release  string // Debian release for a container; DefaultRelease if ""
	Profile  string // how to set it up; "default" if ""
	// Size of the exports in bytes, what the profile has if 0. Profiles that are
	// about their size know no other; default and tls-required do.
	Size uint64
	// RelayOnly opens a server that this program lacks the means to talk to, for
	// who only passes on what others say.
	RelayOnly bool
	Progress  func(string) // is told about steps that take seconds; may be nil
}

// Open starts the server that r asks for and returns it once it has greeted a
// probe. The caller closes it. Names that are not known, a profile that the
// version can't do and a missing engine or program are errors that say what to
// do instead.
func Open(ctx context.Context, r Request) (subject.Server, error) {
	p, err := servers.Find(r.Target)
	if err != nil {
		return nil, err
	}
	s, err := p.Profile(r.Profile)
	if err != nil {
		return nil, err
	}
	if r.Size != 0 {
		s.Size = r.Size
	}
	if s.Ready != nil && !r.RelayOnly {
		if err := s.Ready(); err != nil {
			return nil, fmt.Errorf("profile %s of %s: %w", s.Name, p.Name, err)
		}
	}
	switch r.Provider {
	case "", Container:
		return openContainer(ctx, p, s, r)
	case Local:
		return openLocal(ctx, p, s)
	}
	return nil, fmt.Errorf("unknown provider %q: use one of %s, %s", r.Provider, Container, Local)
}

// A TargetInfo is what can be asked of Open.
type TargetInfo struct {
	Name           string   // Request.Target
	Package        string   // the Debian package that has the program
	Profiles       []string // Request.Profile, the default first
	Representative []string // those of Profiles that stand for all
}

// Targets lists the servers that Open knows.
func Targets() []TargetInfo {
	var list []TargetInfo
	for _, p := range servers.Programs {
		t := TargetInfo{Name: p.Name, Package: p.Package}
		for _, s := range p.Supported() {
			t.Profiles = append(t.Profiles, s.Name)
			if !s.Variant {
				t.Representative = append(t.Representative, s.Name)
			}
		}
		list = append(list, t)
	}
	return list
}
