package docs

import (
	"flag"
	"fmt"
	"go/constant"
	"go/types"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/tools/go/packages"
)

var update = flag.Bool("update", false, "write api.txt anew")

const apiFile = "api.txt"

func TestAPI(t *testing.T) {
	var paths []string
	for _, p := range page(t) {
		if p.api {
			paths = append(paths, module+p.path)
		}
	}
	if len(paths) == 0 {
		t.Fatal("architecture.md marks no package as API")
	}
	loaded, err := packages.Load(&packages.Config{
		Mode: packages.NeedImports | packages.NeedTypes | packages.NeedSyntax | packages.NeedTypesInfo, Dir: "..",
	}, paths...)
	if err != nil {
		t.Fatal(err)
	}
	var lines []string
	for _, p := range loaded {
		for _, e := range p.Errors {
			t.Fatal(e)
		}
		lines = append(lines, surface(p.Types)...)
	}
	slices.Sort(lines)
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(apiFile, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(apiFile)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(got, "\n")); diff != "" {
		t.Errorf(`the exported API is not what docs/api.txt says (-api.txt +code):
%s
Programs of others may depend on these names. If the change is not meant, undo
it or unexport the name. If it is, run
	go test ./docs -run TestAPI -update
and commit api.txt with the change. A line that goes away breaks programs: say
so in the message of the commit.`, diff)
	}
}

// surface lists the exported names of a package, one line for each constant,
// variable, function, type, field and method.
func surface(p *types.Package) (lines []string) {
	short := func(o *types.Package) string {
		if o == p {
			return ""
		}
		return strings.TrimPrefix(o.Path(), module)
	}
	say := func(format string, args ...any) {
		lines = append(lines, strings.TrimPrefix(p.Path(), module)+": "+fmt.Sprintf(format, args...))
	}
	for _, name := range p.Scope().Names() {
		o := p.Scope().Lookup(name)
		if !o.Exported() {
			continue
		}
		switch o := o.(type) {
		case *types.Const:
			say("%s = %s", types.ObjectString(o, short), value(o.Val()))
		case *types.TypeName:
			described(o, short, say)
		default:
			say("%s", types.ObjectString(o, short))
		}
	}
	return lines
}

func value(v constant.Value) string {
	if v.Kind() == constant.String {
		return v.ExactString()
	}
	return v.String()
}

// described lists a type with its exported fields and methods. An alias of a type
// that outsiders can't import has those of the type.
func described(o *types.TypeName, short types.Qualifier, say func(string, ...any)) {
	typeOf, name := o.Type(), o.Name()
	if o.IsAlias() {
		say("type %s = %s", name, types.TypeString(types.Unalias(typeOf), short))
		typeOf = types.Unalias(typeOf)
		if n, ok := typeOf.(*types.Named); !ok || !strings.Contains(n.Obj().Pkg().Path(), "/internal/") {
			return
		}
	}
	switch u := typeOf.Underlying().(type) {
	case *types.Struct:
		say("type %s struct", name)
		for f := range u.Fields() {
			if f.Exported() {
				say("type %s struct, %s %s%s", name, f.Name(), types.TypeString(f.Type(), short), embedded(f))
			}
		}
	case *types.Interface:
		say("type %s interface", name)
		for m := range u.Methods() {
			say("type %s interface, %s%s", name, m.Name(), strings.TrimPrefix(types.TypeString(m.Type(), short), "func"))
		}
	default:
		say("type %s %s", name, types.TypeString(u, short))
	}
	if n, ok := typeOf.(*types.Named); ok {
		for m := range n.Methods() {
			if m.Exported() {
				say("method %s.%s%s", receiver(m, name), m.Name(), strings.TrimPrefix(types.TypeString(m.Type(), short), "func"))
			}
		}
	}
}

func embedded(f *types.Var) string {
	if f.Embedded() {
		return ", embedded"
	}
	return ""
}

func receiver(m *types.Func, name string) string {
	if _, ok := m.Signature().Recv().Type().(*types.Pointer); ok {
		return "(*" + name + ")"
	}
	return "(" + name + ")"
}
