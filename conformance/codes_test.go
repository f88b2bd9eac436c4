package conformance

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"nbdconform/reports/render/words"
)

// A use is one call in the source that names a code.
type use struct {
	at     token.Position
	code   string
	values int // that are passed with it; -1: a list
}

// takesCode says which argument of a function is a code. Values follow it.
var takesCode = map[string]int{
	"accuse": 2, "lose": 1, "Term": 0, "Because": 0, "Blocked": 1, "Unsupported": 0, "Inconclusive": 0,
	"Harness": 0, "Unsuited": 0, "Provoked": 0, "To": 1, "NotTo": 1, "excluded": 2,
}

var slug = regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`)

// source reads the packages below this one and cmd: the calls that name a code,
// and all literals.
func source(t *testing.T) (uses []use, literals map[string]bool) {
	t.Helper()
	literals = map[string]bool{}
	set := token.NewFileSet()
	for _, dir := range []string{".", "../cmd"} {
		err := filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || !strings.HasSuffix(path, ".go") || strings.HasSuffix(path, "_test.go") {
				return err
			}
			file, err := parser.ParseFile(set, path, nil, 0)
			if err != nil {
				return err
			}
			ast.Inspect(file, func(n ast.Node) bool {
				switch n := n.(type) {
				case *ast.BasicLit:
					if text, err := strconv.Unquote(n.Value); err == nil && n.Kind == token.STRING {
						literals[text] = true
					}
				case *ast.CallExpr:
					if u, ok := named(n); ok {
						u.at = set.Position(n.Pos())
						uses = append(uses, u)
					}
				}
				return true
			})
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return uses, literals
}

// named is the code that a call names by a literal.
func named(call *ast.CallExpr) (use, bool) {
	name := ""
	switch f := call.Fun.(type) {
	case *ast.Ident:
		name = f.Name
	case *ast.SelectorExpr:
		name = f.Sel.Name
	}
	i, ok := takesCode[name]
	if !ok || i >= len(call.Args) {
		return use{}, false
	}
	literal, ok := call.Args[i].(*ast.BasicLit)
	if !ok || literal.Kind != token.STRING {
		return use{}, false
	}
	code, err := strconv.Unquote(literal.Value)
	u := use{code: code, values: len(call.Args) - i - 1}
	if call.Ellipsis.IsValid() {
		u.values = -1
	}
	return u, err == nil
}

var verb = regexp.MustCompile(`%(?:\[(\d)\])?[#+0-9]*[a-zA-Z%]`)

// valuesIn counts the values that a template speaks of.
func valuesIn(template string) int {
	n, most := 0, 0
	for _, v := range verb.FindAllStringSubmatch(template, -1) {
		switch {
		case v[0] == "%%":
		case v[1] == "":
			n++
		default:
			i, _ := strconv.Atoi(v[1])
			most = max(most, i)
		}
	}
	return max(n, most)
}

func TestEachCodeHasAText(t *testing.T) {
	uses, _ := source(t)
	if len(uses) < 500 {
		t.Fatalf("%d codes were found in the source", len(uses))
	}
	for _, u := range uses {
		switch text, ok := words.English()[u.code]; {
		case !slug.MatchString(u.code):
			t.Errorf("%v: %q is no code", u.at, u.code)
		case !ok:
			t.Errorf("%v: %q has no text", u.at, u.code)
		case u.values >= 0 && valuesIn(text) != u.values:
			t.Errorf("%v: %q passes %d values, its text %q has %d", u.at, u.code, u.values, text, valuesIn(text))
		}
	}
}

func TestEachTextHasAUse(t *testing.T) {
	_, literals := source(t)
	for code := range words.English() {
		if !literals[code] {
			t.Errorf("nothing uses %q", code)
		}
	}
}
