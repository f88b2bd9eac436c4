package configfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"
)

// Load reads a configuration file. Relative paths in it start from its
// directory. An error has a line for everything that is wrong, as FILE:LINE.
func Load(name string) (*Config, error) {
	text, err := os.ReadFile(name)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	c, err := Parse(name, text)
	if err != nil {
		return nil, err
	}
	c.dir = filepath.Dir(name)
	return c, nil
}

// Parse reads the text of a configuration file; the name is for errors.
func Parse(name string, text []byte) (*Config, error) {
	c := &Config{}
	return c, decode(name, text, "", c)
}

// ParseFault reads one fault, written as in a configuration file but on one
// line, with or without the braces: "commands: read, error: EIO".
func ParseFault(text string) (Fault, error) {
	var f Fault
	if !strings.HasPrefix(strings.TrimSpace(text), "{") {
		text = "{" + text + "}"
	}
	err := decode("", []byte(text), "#/$defs/fault", &f)
	return f, err
}

// decode parses one document, holds it against the part of the schema, and
// stores it in to.
func decode(name string, text []byte, part string, to any) error {
	d := yaml.NewDecoder(bytes.NewReader(text))
	var doc, more yaml.Node
	if err := d.Decode(&doc); err != nil {
		if errors.Is(err, io.EOF) {
			err = errors.New("it is empty, want a mapping with the key exports")
		}
		return &Error{[]Mistake{{File: name, Text: strings.TrimPrefix(err.Error(), "yaml: ")}}}
	}
	if err := d.Decode(&more); !errors.Is(err, io.EOF) {
		return &Error{[]Mistake{{File: name, Line: more.Line, Text: "a second document, want one"}}}
	}
	t := tree{file: name, root: doc.Content[0]}
	value := t.value(t.root, 0)
	if len(t.mistakes) == 0 {
		if err := t.validate(part, value); err != nil {
			return err
		}
	}
	if len(t.mistakes) > 0 {
		return &Error{t.mistakes}
	}
	if err := t.root.Decode(to); err != nil {
		return &Error{[]Mistake{{File: name, Text: strings.TrimPrefix(err.Error(), "yaml: ")}}}
	}
	return nil
}

// A Mistake is one thing that is wrong in a file.
type Mistake struct {
	File  string
	Line  int    // 0: unknown
	Place string // like exports[0].size, or ""
	Text  string
}

func (m Mistake) String() string {
	var b strings.Builder
	if m.File != "" {
		b.WriteString(m.File + ":")
		if m.Line > 0 {
			fmt.Fprintf(&b, "%d:", m.Line)
		}
		b.WriteByte(' ')
	}
	if m.Place != "" {
		b.WriteString(m.Place + ": ")
	}
	return b.String() + m.Text
}

// An Error is all that is wrong in a file.
type Error struct{ Mistakes []Mistake }

func (e *Error) Error() string {
	var lines []string
	for _, m := range e.Mistakes {
		lines = append(lines, m.String())
	}
	return strings.Join(lines, "\n")
}

// deepest is how deep a document may be: aliases can make it go on for ever.
const deepest = 32

// A tree is a document with the places of its parts.
type tree struct {
	file     string
	root     *yaml.Node
	mistakes []Mistake
}

func (t *tree) mistake(n *yaml.Node, place, text string) {
	t.mistakes = append(t.mistakes, Mistake{t.file, n.Line, place, text})
}

// value is n as the schema takes it.
func (t *tree) value(n *yaml.Node, depth int) any {
	if depth > deepest {
		t.mistake(n, "", "this is nested too deep")
		return nil
	}
	switch n.Kind {
	case yaml.AliasNode:
		t.mistake(n, "", "aliases are not understood: write it out")
		return nil
	case yaml.SequenceNode:
		list := []any{}
		for _, c := range n.Content {
			list = append(list, t.value(c, depth+1))
		}
		return list
	case yaml.MappingNode:
		m := map[string]any{}
		for i := 0; i+1 < len(n.Content); i += 2 {
			key := n.Content[i]
			if _, twice := m[key.Value]; twice {
				t.mistake(key, "", fmt.Sprintf("the key %q is there twice", key.Value))
			}
			m[key.Value] = t.value(n.Content[i+1], depth+1)
		}
		return m
	}
	var v any
	if err := n.Decode(&v); err != nil {
		t.mistake(n, "", strings.TrimPrefix(err.Error(), "yaml: "))
	}
	switch v.(type) {
	case nil, bool, int, int64, uint64, float64, string:
		return v
	}
	return n.Value // a time stamp, or the like
}
