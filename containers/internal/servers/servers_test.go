package servers

import (
	"slices"
	"testing"
)

func TestInteropProfilesExist(t *testing.T) {
	for _, p := range Programs {
		if len(p.Interop) == 0 {
			t.Errorf("%s has no profile for interop", p.Name)
		}
		for i, name := range p.Interop {
			if _, err := p.Profile(name); err != nil || slices.Contains(p.Interop[:i], name) {
				t.Errorf("%s: %q is twice in the list, or %v", p.Name, name, err)
			}
		}
	}
}

func TestProfilesHaveNamesOfTheirOwn(t *testing.T) {
	for _, p := range Programs {
		seen := map[string]bool{}
		for _, f := range p.Profiles {
			if f.Name == "" || seen[f.Name] {
				t.Errorf("%s: a second profile %q", p.Name, f.Name)
			}
			seen[f.Name] = true
		}
	}
}
