package interop

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"nbdconform/conformance/usage"
	"nbdconform/reference/starttls"
	"nbdconform/reports/matrix"
)

// support is the committed table.
func support(t *testing.T) map[string]bool {
	t.Helper()
	b, err := os.ReadFile(filepath.Join("..", "..", "docs", "support.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]bool{}
	for line := range strings.Lines(string(b)) {
		if cells := strings.Split(line, "|"); len(cells) == 7 {
			rows[strings.TrimSpace(cells[1])] = true
			for _, c := range cells[1:6] {
				if strings.TrimSpace(c) == "" && strings.TrimSpace(cells[1]) != "" {
					t.Errorf("an empty cell: %s", line)
				}
			}
		}
	}
	return rows
}

// constants are the names that constants of package wire have in the protocol
// document, as their line comments say.
func constants(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "..", "reference", "wire", "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`^NBD_[A-Z0-9_]+`)
	found := map[string]bool{}
	for _, f := range files {
		if strings.HasSuffix(f, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), f, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			g, ok := d.(*ast.GenDecl)
			if !ok || g.Tok != token.CONST {
				continue
			}
			for _, s := range g.Specs {
				v := s.(*ast.ValueSpec)
				if n := name.FindString(strings.TrimSpace(v.Comment.Text())); n != "" {
					found[n] = true
				}
			}
		}
	}
	return slices.Sorted(maps.Keys(found))
}

// dialect are the constants of the drafts, which have a row for the whole draft.
var dialect = regexp.MustCompile(`^NBD_(FLAG_GET_|STATE_(ALLOCATED|ZEROED|DEALLOCATED|DIRTY|CLEAN)$)`)

func TestEveryConstantHasARow(t *testing.T) {
	rows, names := support(t), constants(t)
	if len(names) < 80 {
		t.Fatalf("package wire has %d constants with names: are they still found?", len(names))
	}
	for _, n := range names {
		if !rows[n] && !dialect.MatchString(n) {
			t.Errorf("docs/support.md has no row for %s: make support", n)
		}
	}
	for _, i := range usage.All() {
		if !rows[i.Name] {
			t.Errorf("docs/support.md has no row for %s: make support", i.Name)
		}
	}
}

func TestATableWithGapsIsRefused(t *testing.T) {
	r := &Report{Releases: []string{"trixie"}, Self: usage.Set{}}
	everything := usage.Set{}
	everything.Add(usage.All()...)
	r.Records = []Record{
		{Server: true, Peer: matrix.Peer{Name: "nbdinfo", Release: "trixie"}, Items: everything},
		{Peer: matrix.Peer{Name: "nbdkit", Release: "trixie"}, Items: everything},
	}
	if _, err := r.Table(); len(reasons) > 0 && (err == nil || !strings.Contains(err.Error(), "stale")) {
		t.Errorf("reasons for what is there: %v", err)
	}
	flush := usage.Item{Kind: usage.Command, Name: "NBD_CMD_FLUSH"}
	lacking := usage.Set{}
	lacking.Join(everything)
	delete(lacking, flush)
	r.Records[1].Items = lacking
	if _, err := r.Table(); err == nil || !strings.Contains(err.Error(), "NBD_CMD_FLUSH: not observed with the reference client and servers") {
		t.Errorf("a gap: %v", err)
	}
}

func TestTheReferenceHasEverythingThatPeersSend(t *testing.T) {
	s, err := withItself(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range usage.All() {
		if (i.Name == usage.PSK || i.Name == usage.Anonymous) && !starttls.BuiltWithGnuTLS {
			continue
		}
		if !s[i] && reasons[i.Name] == "" {
			t.Errorf("not observed: %v", i)
		}
	}
}
