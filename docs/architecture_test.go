// Package docs tests what the pages of this directory say of the code.
package docs

import (
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const module = "nbdconform/"

// A listed is a package as a table of architecture.md lists it.
type listed struct {
	path string // without the module
	api  bool
}

var row = regexp.MustCompile("(?m)^\\| `([a-z0-9/]+)` \\| (.+) \\| (\\*\\*API\\*\\*)? ?\\|$")

// page reads the packages that architecture.md lists.
func page(t *testing.T) []listed {
	t.Helper()
	text, err := os.ReadFile("architecture.md")
	if err != nil {
		t.Fatal(err)
	}
	_, packages, ok := strings.Cut(string(text), "\n## Packages\n")
	if !ok {
		t.Fatal(`architecture.md has no section "Packages"`)
	}
	var list []listed
	for _, m := range row.FindAllStringSubmatch(packages, -1) {
		list = append(list, listed{path: m[1], api: m[3] != ""})
	}
	return list
}

func TestEachPackageIsOnThePage(t *testing.T) {
	list := exec.Command("go", "list", "./...")
	list.Dir = ".."
	out, err := list.Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	there := strings.Fields(string(out))
	named := map[string]bool{}
	for _, p := range page(t) {
		path := module + p.path
		if named[path] {
			t.Errorf("architecture.md lists %s twice", p.path)
		}
		named[path] = true
		if !slices.Contains(there, path) {
			t.Errorf("architecture.md lists %s, which is no package", p.path)
		}
	}
	for _, path := range there {
		if !named[path] {
			t.Errorf("architecture.md does not list %s: add a row to its wing", strings.TrimPrefix(path, module))
		}
	}
}
