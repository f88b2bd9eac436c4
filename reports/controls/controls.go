// Package controls knows published bugs of the servers and which spec finds
// each: the proof that the suite sees what has hurt people.
package controls

import (
	"bytes"
	_ "embed"
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"nbdconform/reports/result"
)

//go:embed controls.yaml
var table []byte

// A Control is one published bug.
type Control struct {
	Bug      string // its name, such as a CVE number
	Says     string // what is wrong, in one sentence
	Link     string // where it was published
	Target   string // the server that has or had it
	Profile  string // in which it shows; "": the default
	Spec     string // that finds it
	Clause   string // that is broken
	Verdict  result.Verdict
	Text     string // part of the spec's message
	Releases `yaml:",inline"`
	Tries    int // how often to try where it depends on timing; 0: once
}

// Releases are Debian releases: one whose version has the bug, one that has not.
type Releases struct{ Affected, Fixed string }

// All lists the controls.
func All() ([]Control, error) {
	var list []Control
	d := yaml.NewDecoder(bytes.NewReader(table))
	d.KnownFields(true)
	if err := d.Decode(&list); err != nil {
		return nil, fmt.Errorf("reading the table of controls: %w", err)
	}
	return list, nil
}

// Command is what shows the bug.
func (c Control) Command() string {
	s := fmt.Sprintf("nbdconform run --target %s --release %s", c.Target, c.Affected)
	if c.Profile != "" {
		s += " --profile " + c.Profile
	}
	return s + " --filter " + c.Spec
}

// Red says what is wrong with r, a run on the version that has the bug; "": the
// spec fails as it should.
func (c Control) Red(r result.Result) string {
	s, ok := c.find(r)
	switch {
	case !ok:
		return c.Spec + " was not run"
	case s.Verdict != c.Verdict:
		return fmt.Sprintf("%s is %s, want %s", c.Spec, s.Verdict, c.Verdict)
	case !slices.Contains(s.Clauses, c.Clause):
		return fmt.Sprintf("%s is about %v, want %s among them", c.Spec, s.Clauses, c.Clause)
	case !strings.Contains(s.Message, c.Text):
		return fmt.Sprintf("%s says %q, want %q in it", c.Spec, s.Message, c.Text)
	}
	return ""
}

// Green says what is wrong with r, a run on the version that has not.
func (c Control) Green(r result.Result) string {
	s, ok := c.find(r)
	switch {
	case !ok:
		return c.Spec + " was not run"
	case s.Verdict != result.Pass:
		return fmt.Sprintf("%s is %s, want %s: %s", c.Spec, s.Verdict, result.Pass, s.Message)
	}
	return ""
}

func (c Control) find(r result.Result) (result.Spec, bool) {
	for _, s := range r.Specs {
		if s.ID == c.Spec {
			return s, true
		}
	}
	return result.Spec{}, false
}
