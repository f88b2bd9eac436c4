package quirk

import (
	"bufio"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var wellNamed = regexp.MustCompile(`^[a-z0-9]+(-[a-z0-9]+)*$`)

func TestCatalogue(t *testing.T) {
	clauses := catalogue(t)
	for _, q := range All() {
		if !wellNamed.MatchString(q.Name) {
			t.Errorf("%q is no name", q.Name)
		}
		if q.Side != Server && q.Side != Client {
			t.Errorf("%s has side %q", q.Name, q.Side)
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
		if got, ok := Get(q.Name); !ok || got.Name != q.Name {
			t.Errorf("Get(%q) finds %q", q.Name, got.Name)
		}
	}
	t.Logf("%d quirks", len(All()))
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
