package clause

import (
	"errors"
	"io/fs"
	"os"
	"strings"
	"testing"
)

// protocol returns the protocol document, which is not part of the
// repository: the first path in NBD_PROTO names it.
func protocol(t *testing.T) []byte {
	t.Helper()
	paths, set := os.LookupEnv("NBD_PROTO")
	path, _, _ := strings.Cut(paths, string(os.PathListSeparator))
	if !set {
		path = "../../../shared/spec/proto.md"
	}
	md, err := os.ReadFile(path)
	if !set && errors.Is(err, fs.ErrNotExist) {
		t.Skip("the protocol document is not at hand: set NBD_PROTO to its path")
	}
	if err != nil {
		t.Fatal(err)
	}
	return md
}

func TestTheCatalogueCoversTheDocument(t *testing.T) {
	md := protocol(t)
	for _, p := range Check(md, "proto", All()) {
		t.Error(p)
	}
}

func TestTheCatalogueIsInDocumentOrder(t *testing.T) {
	lines := map[string][]int{}
	for _, s := range Sentences(protocol(t)) {
		lines[s.Fingerprint] = append(lines[s.Fingerprint], s.Line)
	}
	last, before := 0, ID("")
	for _, c := range All() {
		if c.Document != "proto" || c.Described {
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
