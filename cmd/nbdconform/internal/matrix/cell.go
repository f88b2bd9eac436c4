package matrix

import (
	"path"
	"slices"

	"nbdconform/cmd/nbdconform/internal/job"
	report "nbdconform/reports/matrix"
	"nbdconform/reports/result"
)

// A cell is one run of the matrix.
type cell struct {
	job.Job
	image string // digest of what it runs in, or ""
	slow  bool   // the server leaves clients waiting
}

// yields reports whether r, of an earlier matrix, is what running the cell would
// give: the same suite, all of it, on the same image.
func (c cell) yields(r result.Result, s Store) bool {
	return s.takes(r.Suite.Version) &&
		r.Suite.Filter == c.Filter && r.Suite.Seed == c.Seed &&
		r.Target.Name == c.subject() && r.Target.Release == c.Release && (c.Client != nil || r.Target.Profile == c.Profile) &&
		r.Target.Image == c.image && r.EndedEarly == ""
}

// subject is what results call what the cell judges.
func (c cell) subject() string {
	if c.Client != nil {
		return report.ClientPrefix + c.Target
	}
	return c.Target
}

// file is the directory of the cell's result.
func (c cell) file() string {
	if c.Client != nil {
		return c.Client.Name()
	}
	return c.Name()
}

// title names a cell in progress and in lists of what is missing.
func (c cell) title() string {
	s := c.subject()
	if c.Release != "" {
		s += " " + c.Release
	}
	if c.Profile != "" {
		s += ", " + c.Profile
	}
	return s
}

// beside is r with its evidence named from the directory above dir.
func beside(r result.Result, dir string) result.Result {
	r.Specs = slices.Clone(r.Specs)
	for i := range r.Specs {
		if s := &r.Specs[i]; s.Evidence != "" {
			s.Evidence = path.Join(dir, s.Evidence)
		}
	}
	return r
}

// serverPeers are the servers that cells are of, without the reference.
func serverPeers(cells []cell) []report.Peer {
	var list []report.Peer
	for _, c := range cells {
		p := report.Peer{Name: c.Target, Release: c.Release, Image: c.image}
		if c.Client == nil && c.Target != job.Reference && !slices.ContainsFunc(list, p.Same) {
			list = append(list, p)
		}
	}
	return list
}

// clientPeers are the clients that cells are of.
func clientPeers(cells []cell) []report.Peer {
	var list []report.Peer
	for _, c := range cells {
		if c.Client != nil {
			list = append(list, report.Peer{Name: c.Target, Release: c.Release, Image: c.image})
		}
	}
	return list
}
