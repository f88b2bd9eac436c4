package matrix

import (
	"slices"
	"strings"
	"time"

	"nbdconform/reports/result"
)

// SchemaVersion is the version of matrix.json.
const SchemaVersion = "2.0"

// FormerVersion is a version that is read as well: its runs are of
// [result.FormerVersion].
const FormerVersion = "1.0"

// A Matrix is several runs, and what client programs did with the same servers.
type Matrix struct {
	Schema        string          `json:"$schema,omitempty"` // SchemaURL
	SchemaVersion string          `json:"schemaVersion"`
	Made          time.Time       `json:"made"`
	Seconds       float64         `json:"seconds"`
	Reproduce     string          `json:"reproduce"` // the command that makes all of this again
	Runs          []result.Result `json:"runs"`      // one for each server, version and profile; versions of a server oldest first
	Pairings      []Pairing       `json:"pairings"`
	Performance   *Performance    `json:"performance,omitempty"` // nil: nobody measured
	Skipped       []Skip          `json:"skipped"`               // what is missing, and why
}

// A Skip is something that was asked for and could not be had.
type Skip struct {
	What string `json:"what"`
	Why  string `json:"why"`
}

// A Peer is one version of one program.
type Peer struct {
	Name    string `json:"name"`              // "qemu-nbd", "nbdcopy"
	Release string `json:"suite,omitempty"`   // the Debian release that it came from; "" for our own
	Version string `json:"version,omitempty"` // of the package
	Image   string `json:"image,omitempty"`   // digest
}

// Same reports whether two peers are one column: the same program of the same release.
func (p Peer) Same(q Peer) bool { return p.Name == q.Name && p.Release == q.Release }

// String is the name with the release, as in "qemu-nbd trixie".
func (p Peer) String() string {
	if p.Release == "" {
		return p.Name
	}
	return p.Name + " " + p.Release
}

// PeerOf is the server of a run.
func PeerOf(r result.Result) Peer {
	return Peer{Name: r.Target.Name, Release: r.Target.Release, Version: r.Target.Version, Image: r.Target.Image}
}

// ClientPrefix begins the name of a client program that was judged itself.
const ClientPrefix = "client:"

// A Side is the side of the protocol that a peer speaks.
type Side string

// The sides.
const (
	ServerSide Side = "server"
	ClientSide Side = "client"
)

// Side is the side that was judged of p.
func (p Peer) Side() Side {
	if strings.HasPrefix(p.Name, ClientPrefix) {
		return ClientSide
	}
	return ServerSide
}

// Subjects are the columns: everything that was judged or paired, once, in the
// order of the runs.
func (m Matrix) Subjects() []Peer {
	var list []Peer
	for _, r := range m.Runs {
		list = add(list, PeerOf(r))
	}
	for _, p := range m.Pairings {
		list = add(list, p.Server)
	}
	return list
}

// Servers are the subjects that are servers.
func (m Matrix) Servers() []Peer {
	return slices.DeleteFunc(m.Subjects(), func(p Peer) bool { return p.Side() != ServerSide })
}

// Clients are the client programs, in the order of the pairings.
func (m Matrix) Clients() []Peer {
	var list []Peer
	for _, p := range m.Pairings {
		list = add(list, p.Client)
	}
	return list
}

func add(list []Peer, p Peer) []Peer {
	if slices.ContainsFunc(list, p.Same) {
		return list
	}
	return append(list, p)
}

// RunsOf are the runs of one server, its profiles.
func (m Matrix) RunsOf(server Peer) []result.Result {
	var list []result.Result
	for _, r := range m.Runs {
		if PeerOf(r).Same(server) {
			list = append(list, r)
		}
	}
	return list
}

// Slim is m without transcripts, what programs printed, and what the reports of
// the runs say better: enough for every table. m is left as it is.
func (m Matrix) Slim() Matrix {
	m.Runs = slices.Clone(m.Runs)
	for i := range m.Runs {
		specs := slices.Clone(m.Runs[i].Specs)
		for j := range specs {
			s := &specs[j]
			s.Requires, s.Section, s.Location, s.Reproduce = "", "", "", ""
			s.Transcript, s.Stderr, s.Exit, s.Evidence, s.Needs = "", "", "", "", nil
		}
		m.Runs[i].Specs = specs
		m.Runs[i].Target.Command = nil
	}
	m.Pairings = slices.Clone(m.Pairings)
	for i := range m.Pairings {
		m.Pairings[i].Output, m.Pairings[i].Command = "", ""
	}
	return m
}
