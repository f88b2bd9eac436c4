package judge

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"nbdconform/reports/render/words"
)

// A use is one place in the source that names a code.
type use struct {
	at     token.Position
	code   string
	values int
}

// usesOfCodes reads the package's source: the calls that take a code, and how
// many values each passes with it.
func usesOfCodes(t *testing.T) []use {
	t.Helper()
	code := map[string]int{"accuse": 2, "lose": 1, "Term": 0} // which argument it is
	files, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	var uses []use
	set := token.NewFileSet()
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(set, name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok || call.Ellipsis.IsValid() { // lose passes on what it was given
				return true
			}
			method, ok := call.Fun.(*ast.SelectorExpr)
			if !ok {
				return true
			}
			i, ok := code[method.Sel.Name]
			if !ok {
				return true
			}
			literal, ok := call.Args[i].(*ast.BasicLit)
			if !ok || literal.Kind != token.STRING {
				t.Errorf("%v: the code is no literal", set.Position(call.Pos()))
				return true
			}
			text, err := strconv.Unquote(literal.Value)
			if err != nil {
				t.Fatal(err)
			}
			uses = append(uses, use{set.Position(call.Pos()), text, len(call.Args) - i - 1})
			return true
		})
	}
	return uses
}

var verb = regexp.MustCompile(`%(?:\[(\d)\])?#?[a-z%]`)

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
	slug := regexp.MustCompile(`^[a-z0-9]+([.-][a-z0-9]+)*$`)
	for _, u := range usesOfCodes(t) {
		switch text, ok := words.English()[u.code]; {
		case !slug.MatchString(u.code):
			t.Errorf("%v: %q is no code", u.at, u.code)
		case !ok:
			t.Errorf("%v: %q has no text", u.at, u.code)
		case valuesIn(text) != u.values:
			t.Errorf("%v: %q passes %d values, its text %q has %d", u.at, u.code, u.values, text, valuesIn(text))
		}
	}
}

func TestEachTextHasAUse(t *testing.T) {
	used := map[string]bool{}
	for _, u := range usesOfCodes(t) {
		used[u.code] = true
	}
	if len(used) < 100 {
		t.Fatalf("%d codes were found in the source", len(used))
	}
	file, err := os.ReadFile("../../reports/render/words/judge.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var texts map[string]string
	if err := yaml.Unmarshal(file, &texts); err != nil {
		t.Fatal(err)
	}
	for code := range texts {
		if !used[code] {
			t.Errorf("nothing uses %q", code)
		}
	}
}

// TestEachTextIsWhole trips every check and looks for what package fmt writes
// where a value and its verb do not fit each other.
func TestEachTextIsWhole(t *testing.T) {
	for _, trip := range trips {
		c := &conversation{}
		trip.talk(c, true)
		for _, v := range c.tell(1 << 30).Violations() {
			if s := words.Failure(v.Failure()); strings.Contains(s, "%!") || s == "" || s == v.Code {
				t.Errorf("%s: %s: %q", trip.name, v.Code, s)
			}
		}
	}
}
