package configfile

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"github.com/santhosh-tekuri/jsonschema/v6/kind"
	"go.yaml.in/yaml/v3"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

//go:embed config.schema.json
var schemaJSON []byte

// Schema returns the JSON Schema of configuration files. The caller owns the slice.
func Schema() []byte { return bytes.Clone(schemaJSON) }

const schemaURL = "urn:nbdconform:setup:1"

// compiled returns the schema, or a part of it.
func compiled(part string) (*jsonschema.Schema, error) {
	doc, err := schemaDocument()
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.DefaultDraft(jsonschema.Draft2020)
	if err := c.AddResource(schemaURL, doc); err != nil {
		return nil, fmt.Errorf("adding config.schema.json: %w", err)
	}
	return c.Compile(schemaURL + part)
}

var schemaDocument = sync.OnceValues(func() (any, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(schemaJSON))
	if err != nil {
		return nil, fmt.Errorf("parsing config.schema.json: %w", err)
	}
	return doc, nil
})

// validate notes what is wrong with the document. The error is about the schema.
func (t *tree) validate(part string, value any) error {
	schema, err := compiled(part)
	if err != nil {
		return err
	}
	err = schema.Validate(value)
	if ve, ok := errors.AsType[*jsonschema.ValidationError](err); ok {
		t.explain(ve)
		slices.SortStableFunc(t.mistakes, func(a, b Mistake) int { return a.Line - b.Line })
		return nil
	}
	return err
}

// explain notes the leaves of a tree of errors, in words that say what would
// be right: the description of that part of the schema.
func (t *tree) explain(ve *jsonschema.ValidationError) {
	n, place := t.find(ve.InstanceLocation)
	at := lookUp(ve.SchemaURL)
	want, _ := at["description"].(string)
	switch k := ve.ErrorKind.(type) {
	case *kind.AdditionalProperties:
		for _, name := range k.Properties {
			t.mistake(keyOf(n, name), place, fmt.Sprintf("unknown key %q, want one of %s", name, strings.Join(keysOf(at), ", ")))
		}
		return
	case *kind.Required:
		for _, name := range k.Missing {
			t.mistake(n, place, fmt.Sprintf("the key %q is missing", name))
		}
		return
	case *kind.AnyOf, *kind.OneOf, *kind.Not, *kind.MinProperties, *kind.MaxProperties:
		if want != "" {
			t.mistake(n, place, want)
			return
		}
	case *kind.Enum:
		var list []string
		for _, w := range k.Want {
			list = append(list, fmt.Sprint(w))
		}
		t.mistake(n, place, fmt.Sprintf("want one of %s, got %s", strings.Join(list, ", "), shown(n)))
		return
	}
	if len(ve.Causes) > 0 {
		for _, c := range ve.Causes {
			t.explain(c)
		}
		return
	}
	if want == "" {
		want = ve.ErrorKind.LocalizedString(message.NewPrinter(language.English))
		t.mistake(n, place, want)
		return
	}
	t.mistake(n, place, fmt.Sprintf("want %s, got %s", want, shown(n)))
}

// longest is how much of a value an error quotes, in bytes.
const longest = 60

// shown is a value in an error.
func shown(n *yaml.Node) string {
	switch n.Kind {
	case yaml.MappingNode:
		return "a mapping"
	case yaml.SequenceNode:
		if len(n.Content) == 0 {
			return "an empty one"
		}
		return "a list"
	}
	if n.Tag == "!!null" {
		return "nothing"
	}
	if len(n.Value) > longest {
		return fmt.Sprintf("%q... (%d bytes)", n.Value[:longest], len(n.Value))
	}
	return strconv.Quote(n.Value)
}

// find returns a part of the document, and its place in words.
func (t *tree) find(location []string) (*yaml.Node, string) {
	n, place := t.root, ""
	for _, step := range location {
		switch n.Kind {
		case yaml.SequenceNode:
			i, err := strconv.Atoi(step)
			if err != nil || i >= len(n.Content) {
				return n, place
			}
			n, place = n.Content[i], place+"["+step+"]"
		case yaml.MappingNode:
			for i := 0; i+1 < len(n.Content); i += 2 {
				if n.Content[i].Value == step {
					n = n.Content[i+1]
					break
				}
			}
			if place != "" {
				place += "."
			}
			place += step
		}
	}
	return n, place
}

// keyOf is the node of a key of a mapping, for its line.
func keyOf(n *yaml.Node, name string) *yaml.Node {
	for i := 0; n.Kind == yaml.MappingNode && i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i]
		}
	}
	return n
}

// lookUp returns the part of the schema that a URL of an error points at.
func lookUp(url string) map[string]any {
	doc, err := schemaDocument()
	if err != nil {
		return nil
	}
	_, pointer, _ := strings.Cut(url, "#")
	for step := range strings.SplitSeq(strings.Trim(pointer, "/"), "/") {
		switch d := doc.(type) {
		case map[string]any:
			if step != "" {
				doc = d[strings.ReplaceAll(step, "%24", "$")]
			}
		case []any:
			if i, err := strconv.Atoi(step); err == nil && i < len(d) {
				doc = d[i]
			}
		}
	}
	m, _ := doc.(map[string]any)
	return m
}

// keysOf lists the properties of a part of the schema.
func keysOf(at map[string]any) (list []string) {
	p, _ := at["properties"].(map[string]any)
	for name := range p {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}
