package matrix

import (
	"bytes"
	_ "embed"
	"slices"
	"sync"

	"go.yaml.in/yaml/v3"

	"nbdconform/reports/debversion"
)

// A Claim is a line of a server's own list of features by version.
type Claim struct {
	Since   string `yaml:"since"`   // version of the program
	Feature string `yaml:"feature"` // our name for it
	Profile string `yaml:"profile"` // a profile that should show it; "" for any
	Text    string `yaml:"text"`    // what the list calls it
}

// claims are what is documented of one server.
type claims struct {
	Server string  `yaml:"server"` // name of the peer
	Maker  string  `yaml:"maker"`  // whose list it is
	Source string  `yaml:"source"`
	Claims []Claim `yaml:"claims"`
}

//go:embed documented.yaml
var documentedYAML []byte

// documented is the contents of documented.yaml, which a test reads.
var documented = sync.OnceValues(func() (list []claims, err error) {
	d := yaml.NewDecoder(bytes.NewReader(documentedYAML))
	d.KnownFields(true)
	return list, d.Decode(&list)
})

// A Standing is how a claim and a version of the server agree.
type Standing string

// The standings.
const (
	Agreed  Standing = "as claimed" // there since the version, or not there before it
	Missing Standing = "missing"    // claimed for this version, and no profile showed it
	Early   Standing = "early"      // there, although the list names a later version
	Unseen  Standing = "not looked" // the profile that would show it did not run
	Unknown Standing = "no version" // the server did not say which version it is
)

// A Documented is what the maker of a server documents of it, compared with what
// its versions advertise.
type Documented struct {
	Maker   string
	Servers []Peer
	Rows    []DocumentedClaim
}

// A DocumentedClaim is a claim compared with the servers.
type DocumentedClaim struct {
	Claim
	Standings []Standing // as Documented.Servers
}

// Documented compares the lists of features by version that there are with what
// the servers in m advertised.
func (m Matrix) Documented() []Documented {
	all, err := documented()
	if err != nil {
		panic(err) // it is part of the program, and tested
	}
	var list []Documented
	for _, c := range all {
		d := Documented{Maker: c.Maker, Servers: m.Servers()}
		d.Servers = slices.DeleteFunc(d.Servers, func(p Peer) bool { return p.Name != c.Server })
		if len(d.Servers) == 0 {
			continue
		}
		for _, claim := range c.Claims {
			row := DocumentedClaim{Claim: claim}
			for _, s := range d.Servers {
				row.Standings = append(row.Standings, m.standing(claim, s))
			}
			d.Rows = append(d.Rows, row)
		}
		list = append(list, d)
	}
	return list
}

func (m Matrix) standing(c Claim, server Peer) Standing {
	looked, has := false, false
	for _, r := range m.RunsOf(server) {
		if c.Profile != "" && r.Target.Profile != c.Profile {
			continue
		}
		looked = true
		has = has || slices.Contains(r.Target.Advertised, c.Feature)
	}
	claimed := debversion.AtLeast(server.Version, c.Since)
	switch {
	case debversion.Upstream(server.Version) == "":
		return Unknown
	case !looked:
		return Unseen
	case claimed && !has:
		return Missing
	case !claimed && has:
		return Early
	}
	return Agreed
}
