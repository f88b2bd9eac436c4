package wire_test

import (
	"errors"
	"go/ast"
	"go/constant"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nbdconform/reference/wire"
)

// A declared constant of the package.
type declared struct {
	name    string // in Go
	comment string // behind it: the document's name, where it has one
	typ     string
	value   uint64
}

// source is what the tests want to know of the package's own text.
type source struct {
	funcs   []string // exported functions
	consts  []declared
	clauses []string // literals of clause ids
}

func readSource(t *testing.T) source {
	t.Helper()
	paths, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	fset := token.NewFileSet()
	var files []*ast.File
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		f, err := parser.ParseFile(fset, path, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, f)
	}
	// Constants need no imports: errors about those that are missing don't matter.
	info := &types.Info{Defs: map[*ast.Ident]types.Object{}}
	conf := types.Config{Error: func(error) {}, Importer: noImporter{}}
	_, _ = conf.Check("wire", fset, files, info)

	var s source
	for _, f := range files {
		for n := range ast.Preorder(f) {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if n.Recv == nil && n.Name.IsExported() {
					s.funcs = append(s.funcs, n.Name.Name)
				}
			case *ast.ValueSpec:
				for _, name := range n.Names {
					if c, ok := info.Defs[name].(*types.Const); ok && name.IsExported() {
						s.consts = append(s.consts, declare(c, n.Comment.Text()))
					}
				}
			case *ast.BasicLit:
				if id, err := strconv.Unquote(n.Value); err == nil && clauseID.MatchString(id) {
					s.clauses = append(s.clauses, id)
				}
			}
		}
	}
	return s
}

type noImporter struct{}

func (noImporter) Import(string) (*types.Package, error) { return nil, errors.New("not needed") }

func declare(c *types.Const, comment string) declared {
	v, _ := constant.Uint64Val(constant.ToInt(c.Val()))
	return declared{
		name: c.Name(), comment: strings.TrimSpace(comment), value: v,
		typ: strings.TrimPrefix(c.Type().String(), "wire."),
	}
}

func TestEveryParseAndReadFunctionHasAGoldenText(t *testing.T) {
	// Tested with what follows a header, which the table does not have.
	covered := map[string]bool{"ReadPayload": true, "ReadChunkPayload": true, "ReadOptionData": true}
	for _, m := range messages() {
		covered[m.parser], covered[m.reader] = true, true
	}
	for _, f := range readSource(t).funcs {
		if (strings.HasPrefix(f, "Parse") || strings.HasPrefix(f, "Read")) && !covered[f] {
			t.Errorf("%s is tried by no golden text", f)
		}
	}
}

func TestEveryTypeOfMessageHasAGoldenText(t *testing.T) {
	seen := map[any]bool{}
	for _, m := range messages() {
		switch v := m.want.(type) {
		case wire.OptionHeader:
			seen[v.Option] = true
		case wire.OptionReplyHeader:
			seen[v.Type] = true
		case wire.Info:
			seen[v.Type] = true
		case wire.Request:
			seen[v.Type] = true
		case wire.ChunkHeader:
			seen[v.Type] = true
		}
	}
	for _, c := range readSource(t).consts {
		var v any
		switch c.typ {
		case "Option":
			v = wire.Option(c.value)
		case "ReplyType":
			v = wire.ReplyType(c.value)
		case "InfoType":
			v = wire.InfoType(c.value)
		case "Command":
			v = wire.Command(c.value)
		case "ChunkType":
			v = wire.ChunkType(c.value)
		default:
			continue
		}
		if !seen[v] {
			t.Errorf("%s is in no golden text", c.name)
		}
	}
}

func TestEveryGoldenTextIsUsedAndSaysWhatItIs(t *testing.T) {
	used := map[string]bool{}
	for _, m := range messages() {
		used[m.file] = true
	}
	paths, err := filepath.Glob(filepath.Join("testdata", "golden", "*"))
	if err != nil || len(paths) == 0 {
		t.Fatalf("no golden texts, error %v", err)
	}
	for _, path := range paths {
		file, ok := strings.CutSuffix(filepath.Base(path), ".hex")
		if !ok || !used[file] {
			t.Errorf("%s is used by no test", path)
			continue
		}
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasPrefix(string(text), "# "+file+".hex   section: ") {
			t.Errorf("%s does not begin with its name and section", path)
		}
	}
}

var clauseID = regexp.MustCompile(`^(opt|rep|chunk|cmd|cmdflag|flag|meta|size|string|trans|handshake|layout)(\.[a-z0-9-]+)+$`)

// The catalogue is read as text: this package is below the one that knows it.
func TestClausesAreInTheCatalogue(t *testing.T) {
	paths, err := filepath.Glob(filepath.Join("..", "..", "conformance", "clause", "catalogue", "*.yaml"))
	if err != nil || len(paths) == 0 {
		t.Skipf("no clause catalogue beside this package, error %v", err)
	}
	known := map[string]bool{}
	id := regexp.MustCompile(`(?m)^\s*(?:- )?id: (\S+)`)
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range id.FindAllStringSubmatch(string(text), -1) {
			known[m[1]] = true
		}
	}
	clauses := readSource(t).clauses
	// Those of strings are put together from the rule and the side.
	var ids []string
	for _, c := range slices.Compact(slices.Sorted(slices.Values(clauses))) {
		if strings.HasPrefix(c, "string.") {
			ids = append(ids, c+".client", c+".server")
		} else {
			ids = append(ids, c)
		}
	}
	if len(ids) < 30 {
		t.Errorf("found %d clause ids in the package, there should be more", len(ids))
	}
	for _, id := range ids {
		if !known[id] {
			t.Errorf("%s is not in the catalogue", id)
		}
	}
}
