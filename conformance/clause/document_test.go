package clause

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// documents are those that the catalogue is about, in the order of NBD_PROTO.
var documents = []struct{ name, path string }{
	{"proto", "../../../shared/spec/proto.md"},
	{"extended-headers", "../../../shared/spec/proto-extended-headers.md"},
	{"resize", "../../../shared/spec/resize-extension.diff"},
	{"qemu", "../../../shared/spec/nbd.rst"}, // docs/interop/nbd.rst of QEMU
}

// document returns the i-th of them, which are not part of the repository:
// the paths in NBD_PROTO name them.
func document(t *testing.T, i int) []byte {
	t.Helper()
	env, set := os.LookupEnv("NBD_PROTO")
	path := documents[i].path
	if paths := filepath.SplitList(env); set && i < len(paths) {
		path = paths[i]
	} else if set {
		t.Skipf("NBD_PROTO does not name the document %s", documents[i].name)
	}
	md, err := os.ReadFile(path)
	if !set && errors.Is(err, fs.ErrNotExist) {
		t.Skip("the document is not at hand: set NBD_PROTO to its path")
	}
	if err != nil {
		t.Fatal(err)
	}
	if filepath.Ext(path) == ".diff" {
		return Added(md)
	}
	return md
}

func TestTheCatalogueCoversTheDocument(t *testing.T) {
	for i, d := range documents {
		t.Run(d.name, func(t *testing.T) {
			for _, p := range Check(document(t, i), d.name, All()) {
				t.Error(p)
			}
		})
	}
}

func TestTheCatalogueIsInDocumentOrder(t *testing.T) {
	for i, d := range documents {
		t.Run(d.name, func(t *testing.T) { inOrder(t, document(t, i), d.name) })
	}
}

// inOrder reports clauses of a document that stand before an earlier one.
func inOrder(t *testing.T, md []byte, name string) {
	t.Helper()
	lines := map[string][]int{}
	for _, s := range Sentences(md) {
		lines[s.Fingerprint] = append(lines[s.Fingerprint], s.Line)
	}
	last, before := 0, ID("")
	for _, c := range All() {
		if c.Document != name || c.Described {
			continue
		}
		// A clause stands where any one of its sentences does.
		next := 0
		for _, f := range c.Sentences {
			for _, l := range lines[f] {
				if l >= last && (next == 0 || l < next) {
					next = l
				}
			}
		}
		if next == 0 {
			t.Errorf("%s stands after %s (line %d), but all its sentences come before", c.ID, before, last)
			continue
		}
		last, before = next, c.ID
	}
}
