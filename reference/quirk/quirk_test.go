package quirk_test

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"nbdconform/reference/quirk"
	clientquirk "nbdconform/reference/quirk/client"
	serverquirk "nbdconform/reference/quirk/server"
)

// wellNamed allows a dot within a number, as in the version of a protocol.
var wellNamed = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+|\.[0-9]+)*$`)

func TestServers(t *testing.T) { check(t, serverquirk.All(), serverquirk.Get) }

func TestClients(t *testing.T) { check(t, clientquirk.All(), clientquirk.Get) }

// check looks at all quirks of one side.
func check[Q quirk.Quirk](t *testing.T, all []Q, get func(string) (Q, bool)) {
	t.Helper()
	clauses := catalogue(t)
	for _, one := range all {
		q := one.Facts()
		if !wellNamed.MatchString(q.Name) {
			t.Errorf("%q is no name", q.Name)
		}
		if (q.Breaks == "") != q.Allowed {
			t.Errorf("%s breaks %q, and allowed is %v", q.Name, q.Breaks, q.Allowed)
		}
		if q.Breaks != "" && !clauses[q.Breaks] {
			t.Errorf("%s breaks %s, which is no clause", q.Name, q.Breaks)
		}
		if q.Doc == "" || strings.HasSuffix(q.Doc, ".") {
			t.Errorf("%s has the doc %q", q.Name, q.Doc)
		}
		if got, ok := get(q.Name); !ok || got.Facts().Name != q.Name {
			t.Errorf("Get(%q) finds %q", q.Name, got.Facts().Name)
		}
	}
	t.Logf("%d quirks", len(all))
}

// catalogue reads the ids of all clauses; their package is above this one.
func catalogue(t *testing.T) map[string]bool {
	files, err := filepath.Glob("../../conformance/clause/catalogue/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no catalogue: %v", err)
	}
	ids := make(map[string]bool)
	for _, name := range files {
		f, err := os.Open(name)
		if err != nil {
			t.Fatal(err)
		}
		for s := bufio.NewScanner(f); s.Scan(); {
			if id, ok := strings.CutPrefix(s.Text(), "- id: "); ok {
				ids[strings.TrimSpace(id)] = true
			}
		}
		_ = f.Close()
	}
	return ids
}
