package interop

import (
	"bytes"
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"nbdconform/containers"
	"nbdconform/containers/clients"
	"nbdconform/containers/known"
	"nbdconform/containers/pairing"
	"nbdconform/reports/baseline"
	"nbdconform/reports/matrix"
)

// A Known is a pairing that is known to fail, and not for a fault of the reference.
type Known struct {
	Client    string            `yaml:"client"`
	Server    string            `yaml:"server"`
	Profile   string            `yaml:"profile"`  // of the reference server; "": any
	Versions  baseline.Versions `yaml:"versions"` // of the other program; none: any
	Operation matrix.Operation  `yaml:"operation"`
	Outcome   matrix.Outcome    `yaml:"outcome"`
	Reason    string            `yaml:"reason"`
	Link      string            `yaml:"link"`
}

// String names the entry in messages.
func (k Known) String() string {
	return fmt.Sprintf("%s of %s with %s", k.Operation, k.Client, k.Server)
}

// knownFormat is the number that a file of known pairings starts with.
const knownFormat = 1

// parseKnown reads the text of a file of known pairings.
func parseKnown(text []byte) ([]Known, error) {
	var f struct {
		Format  int     `yaml:"pairings"`
		Entries []Known `yaml:"entries"`
	}
	d := yaml.NewDecoder(bytes.NewReader(text))
	d.KnownFields(true)
	if err := d.Decode(&f); err != nil {
		return nil, fmt.Errorf("reading known pairings: %w", err)
	}
	if f.Format != knownFormat {
		return nil, fmt.Errorf("reading known pairings: format %d is unknown, this program reads %d", f.Format, knownFormat)
	}
	for i, k := range f.Entries {
		if err := k.check(); err != nil {
			return nil, fmt.Errorf("reading known pairings: entry %d, %s: %w", i+1, k, err)
		}
	}
	return f.Entries, nil
}

// check says what is wrong with k by itself.
func (k Known) check() error {
	servers := []string{pairing.Reference}
	for _, t := range containers.Targets() {
		servers = append(servers, t.Name)
	}
	switch {
	case !slices.Contains(append(clients.Names(), pairing.Reference), k.Client):
		return fmt.Errorf("unknown client %q", k.Client)
	case !slices.Contains(servers, k.Server):
		return fmt.Errorf("unknown server %q", k.Server)
	case (k.Client == pairing.Reference) == (k.Server == pairing.Reference):
		return fmt.Errorf("one of client and server is %q", pairing.Reference)
	case k.Profile != "" && !slices.Contains(referenceProfiles, k.Profile):
		return fmt.Errorf("unknown profile %q: use one of %q", k.Profile, referenceProfiles)
	case !slices.Contains(matrix.Operations, k.Operation):
		return fmt.Errorf("unknown operation %q", k.Operation)
	case k.Outcome != matrix.Broken && k.Outcome != matrix.Corrupt:
		return fmt.Errorf("outcome %q: use %s or %s", k.Outcome, matrix.Broken, matrix.Corrupt)
	case k.Reason == "":
		return fmt.Errorf("it has no reason")
	}
	return nil
}

// applies reports whether k is about a pairing, whatever its outcome.
func (k Known) applies(p Pairing) bool {
	other := p.Client
	if k.Client == pairing.Reference {
		other = p.Server
	}
	return p.Client.Name == k.Client && p.Server.Name == k.Server && (k.Profile == "" || k.Profile == p.Profile) &&
		p.Operation == k.Operation && k.Versions.Contain(other.Version)
}

// A Failure is a pairing that failed.
type Failure struct {
	Pairing
	Known *Known // nil: it is not known
}

// Failures are the pairings that failed, and what is wrong with the entries of
// known pairings: an entry that is about pairings of which none failed so.
func (r *Report) Failures() ([]Failure, error) {
	entries, err := parseKnown(known.Pairings)
	if err != nil {
		return nil, err
	}
	return failures(r.Pairings, entries)
}

func failures(pairings []Pairing, entries []Known) (list []Failure, err error) {
	about, matched := make([]bool, len(entries)), make([]bool, len(entries))
	for _, p := range pairings {
		f := Failure{Pairing: p}
		for i := range entries {
			if !entries[i].applies(p) {
				continue
			}
			about[i] = true
			if entries[i].Outcome == p.Outcome {
				matched[i], f.Known = true, &entries[i]
			}
		}
		if p.Outcome == matrix.Broken || p.Outcome == matrix.Corrupt {
			list = append(list, f)
		}
	}
	stale := ""
	for i, k := range entries {
		if about[i] && !matched[i] {
			stale += fmt.Sprintf("\n%s is not %s: bound the entry to versions, or remove it", k, k.Outcome)
		}
	}
	if stale != "" {
		return list, fmt.Errorf("known pairings are stale:%s", stale)
	}
	return list, nil
}
