package clause

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

var (
	wellFormedID          = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+$`)
	wellFormedFingerprint = regexp.MustCompile(`^[0-9a-f]{12}$`)
)

// A more is an entry of also.yaml.
type more struct {
	ID        ID       `yaml:"id"`
	Sentences []string `yaml:"sentences"`
}

// parse reads one file of clauses and judges each by itself.
func parse(data []byte) ([]Clause, error) {
	var out []Clause
	if err := decode(data, &out); err != nil {
		return nil, err
	}
	for i, c := range out {
		if err := c.validate(); err != nil {
			return nil, fmt.Errorf("entry %d, %q: %w", i+1, c.ID, err)
		}
	}
	return out, nil
}

// parseAlso reads the file of further sentences.
func parseAlso(data []byte) ([]more, error) {
	var out []more
	if err := decode(data, &out); err != nil {
		return nil, err
	}
	for i, m := range out {
		if err := fingerprints(m.Sentences); err != nil {
			return nil, fmt.Errorf("entry %d, %q: %w", i+1, m.ID, err)
		}
	}
	return out, nil
}

// decode reads a single YAML document that has no keys but the known ones.
func decode(data []byte, into any) error {
	d := yaml.NewDecoder(bytes.NewReader(data))
	d.KnownFields(true)
	if err := d.Decode(into); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	var rest yaml.Node
	if err := d.Decode(&rest); !errors.Is(err, io.EOF) {
		return errors.New("more than one YAML document")
	}
	return nil
}

// validate reports what is wrong with a clause as it stands in a file.
func (c Clause) validate() error {
	switch {
	case !wellFormedID.MatchString(string(c.ID)):
		return errors.New("malformed id")
	case c.Level != Must && c.Level != Should && c.Level != May:
		return fmt.Errorf("unknown level %q", c.Level)
	case c.Side != Server && c.Side != Client && c.Side != Both:
		return fmt.Errorf("unknown side %q", c.Side)
	case c.Document != "":
		return errors.New("the document is given by the file, not by the entry")
	}
	for _, f := range []struct{ name, text string }{{"section", c.Section}, {"requires", c.Requires}} {
		if strings.TrimSpace(f.text) == "" {
			return fmt.Errorf("no %s", f.name)
		}
	}
	if !strings.HasSuffix(c.Requires, ".") {
		return errors.New("requires is not a sentence with a full stop")
	}
	return fingerprints(c.Sentences)
}

// fingerprints reports an empty list, a malformed fingerprint or a repeated
// one.
func fingerprints(list []string) error {
	if len(list) == 0 {
		return errors.New("no sentences")
	}
	for _, f := range list {
		if !wellFormedFingerprint.MatchString(f) {
			return fmt.Errorf("malformed fingerprint %q", f)
		}
	}
	return distinct(list)
}

func distinct(list []string) error {
	seen := map[string]bool{}
	for _, f := range list {
		if seen[f] {
			return fmt.Errorf("fingerprint %s twice", f)
		}
		seen[f] = true
	}
	return nil
}
