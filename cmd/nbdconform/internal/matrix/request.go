package matrix

import (
	"slices"
	"strings"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/containers"
	"nbdconform/containers/clients"
	"nbdconform/containers/pairing"
)

// A Request is what a matrix has: what was named of each kind, or all.
type Request struct {
	Releases, Targets, Profiles, Clients []string

	alone bool // Targets were named: the reference is not asked for
}

// Words for profiles: every one of a server, or those that stand for them.
const (
	AllProfiles            = "all"
	RepresentativeProfiles = "representative"
)

// NoClients is the word for no client program at all.
const NoClients = "none"

// Resolve puts all names in the place of none and refuses unknown ones. Where
// targets are named, there are no clients unless clientsGiven says that they
// were asked for.
func (r *Request) Resolve(clientsGiven bool) (err error) {
	r.alone = len(r.Targets) > 0
	if r.Releases, err = job.Some("release", r.Releases, job.Releases()); err != nil {
		return err
	}
	if r.Targets, err = job.Some("target", r.Targets, job.Targets()); err != nil {
		return err
	}
	if r.Profiles, err = job.Some("profile", r.Profiles, profileNames()); err != nil {
		return err
	}
	if r.Clients, err = someClients(r.Clients); err != nil {
		return err
	}
	if r.alone && !clientsGiven {
		r.Clients = nil
	}
	return nil
}

// Reproduce is the command that asks for the same again.
func (r Request) Reproduce() string {
	words := []string{"nbdconform", "matrix"}
	for _, f := range []struct {
		flag      string
		list, all []string
	}{
		{"--releases", r.Releases, job.Releases()},
		{"--targets", r.Targets, job.Targets()},
		{"--profiles", r.Profiles, []string{RepresentativeProfiles}},
		{"--clients", r.clientFlag(), clientNames()},
	} {
		if !slices.Equal(f.list, f.all) {
			words = append(words, f.flag, strings.Join(f.list, ","))
		}
	}
	return strings.Join(words, " ")
}

// clientFlag is what --clients says.
func (r Request) clientFlag() []string {
	if len(r.Clients) == 0 {
		return []string{NoClients}
	}
	return r.Clients
}

// profileNames lists the profiles of all servers, and the words for them.
func profileNames() []string {
	all := []string{AllProfiles, RepresentativeProfiles}
	for _, t := range containers.Targets() {
		for _, p := range t.Profiles {
			if !slices.Contains(all, p) {
				all = append(all, p)
			}
		}
	}
	return all
}

// clientNames lists the client programs, the reference client first.
func clientNames() []string {
	return append([]string{pairing.Reference}, clients.Names()...)
}

// someClients is Some for client programs, of which there can be none.
func someClients(names []string) ([]string, error) {
	if slices.Equal(names, []string{NoClients}) {
		return nil, nil
	}
	return job.Some("client", names, clientNames())
}
