// Package words puts failures into words. It is the one place where sentences
// about verdicts are made: everything before it carries codes and values, and
// nothing reads what it writes.
package words

import (
	"embed"
	"encoding/hex"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"go.yaml.in/yaml/v3"

	"nbdconform/reports/result"
)

// A Catalogue has the text of every code, with a verb of package fmt for each
// value: the received ones first, then the expected ones.
type Catalogue map[string]string

//go:embed *.yaml
var files embed.FS

// English is the catalogue that the program speaks. A broken file panics: it
// is part of the program.
var English = sync.OnceValue(func() Catalogue {
	all := Catalogue{}
	names, err := fs.Glob(files, "*.yaml")
	if err != nil {
		panic(err)
	}
	for _, name := range names {
		text, err := files.ReadFile(name)
		if err != nil {
			panic(err)
		}
		var part Catalogue
		if err := yaml.Unmarshal(text, &part); err != nil {
			panic(fmt.Errorf("%s: %w", name, err))
		}
		for code := range part {
			if _, twice := all[code]; twice {
				panic(fmt.Errorf("%s: the code %q has a text already", name, code))
			}
		}
		maps.Copy(all, part)
	}
	return all
})

var current atomic.Pointer[Catalogue]

// Use has everything said by another catalogue, until restore is called. It is
// for tests that show that nothing depends on the words.
func Use(c Catalogue) (restore func()) {
	before := current.Swap(&c)
	return func() { current.Store(before) }
}

func text(code string) string {
	c := English()
	if other := current.Load(); other != nil {
		c = *other
	}
	if t, ok := c[code]; ok {
		return t
	}
	return code
}

// Message is a list of failures as lines, each with its clause where it has one.
func Message(list []result.Failure) string {
	lines := make([]string, len(list))
	for i, f := range list {
		lines[i] = Failure(f)
		if f.Clause != "" {
			lines[i] = f.Clause + ": " + lines[i]
		}
	}
	return strings.Join(lines, "\n")
}

// Failure is one failure in words: what the spec says of it, what was expected
// and received, and the exchange, each where there is one.
func Failure(f result.Failure) string {
	var parts []string
	if f.About != nil {
		parts = append(parts, say(f.About.Code, f.About.Values))
	}
	parts = append(parts, say(f.Code, append(append([]result.Value(nil), f.Received...), f.Expected...)))
	if x := f.Exchange; x != nil {
		shown := Phrase(*x)
		if x.Type == result.BytesValue {
			shown = fmt.Sprintf("%s: %s", Count(x.Number, "byte", "bytes"), shown)
		}
		parts = append(parts, shown)
	}
	parts = slices.DeleteFunc(parts, func(s string) bool { return s == "" })
	return strings.Join(parts, "\n")
}

// Phrase is a value in words.
func Phrase(v result.Value) string { return fmt.Sprint(printable(v)) }

func say(code string, values []result.Value) string {
	template := text(code)
	args := make([]any, 0, len(values))
	for _, v := range values {
		args = append(args, printable(v))
	}
	if n := verbs(template); n >= 0 && n < len(args) {
		args = args[:n]
	}
	return fmt.Sprintf(template, args...)
}

// verbs counts the verbs of a template; -1: it chooses its values by number.
func verbs(template string) (n int) {
	for i := 0; i < len(template); i++ {
		if template[i] != '%' {
			continue
		}
		if i++; i < len(template) && template[i] != '%' {
			if strings.HasPrefix(template[i:], "[") {
				return -1
			}
			n++
		}
	}
	return n
}

// printable is a value as package fmt prints it.
func printable(v result.Value) any {
	switch v.Type {
	case result.NumberValue:
		return v.Number
	case result.NameValue:
		return v.Name
	case result.TextValue:
		return v.Text
	case result.DurationValue:
		return time.Duration(v.Number)
	case result.TruthValue:
		return v.Number == 1
	case result.BytesValue:
		b, _ := hex.DecodeString(v.Text) // made by ValueOf; nothing where it is not
		return cutBytes{b, v.Number}
	case result.ListValue:
		switch v.Name {
		case anyOf:
			return joined(v.Values, " or ")
		case allOf:
			return joined(v.Values, " and ")
		}
		list := make([]any, len(v.Values))
		for i, e := range v.Values {
			list[i] = printable(e)
		}
		return list
	case result.LinesValue:
		var b strings.Builder
		for _, e := range v.Values {
			fmt.Fprintf(&b, "\n  %v", printable(e))
		}
		return b.String()
	case result.TermValue:
		return say(v.Name, v.Values)
	}
	if v.Text != "" || v.Name == "" {
		return v.Text
	}
	return symbol{v.Name, v.Number}
}

// The names of lists that are no mere lists.
const (
	anyOf = "any" // alternatives
	allOf = "all" // properties that hold together
)

// joined is a list in a sentence: "A, B or C".
func joined(list []result.Value, last string) string {
	parts := make([]string, len(list))
	for i, v := range list {
		parts[i] = Phrase(v)
	}
	if n := len(parts) - 1; n > 0 {
		return strings.Join(parts[:n], ", ") + last + parts[n]
	}
	return strings.Join(parts, "")
}

// A symbol prints as its name, or as its number where a verb asks for one.
type symbol struct {
	name   string
	number uint64
}

// Format implements [fmt.Formatter].
func (s symbol) Format(f fmt.State, verb rune) {
	switch verb {
	case 'd', 'x', 'X', 'o', 'b':
		_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), s.number)
	default:
		_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), s.name)
	}
}

// cutBytes are the first of a number of bytes.
type cutBytes struct {
	first []byte
	n     uint64
}

// Format implements [fmt.Formatter].
func (b cutBytes) Format(f fmt.State, verb rune) {
	if verb == 'v' || verb == 's' {
		verb = 'x'
	}
	_, _ = fmt.Fprintf(f, fmt.FormatString(f, verb), b.first)
	if left := b.n - uint64(len(b.first)); left > 0 {
		_, _ = fmt.Fprint(f, "...")
	}
}
