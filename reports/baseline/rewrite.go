package baseline

import (
	"bytes"
	"errors"
	"slices"

	"go.yaml.in/yaml/v3"
)

// rewritten is the text of an entry with the values of another, and with the
// comments that it had.
func rewritten(text string, e Entry) (string, error) {
	var doc, want yaml.Node
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil {
		return "", err
	}
	if doc.Kind != yaml.DocumentNode || doc.Content[0].Kind != yaml.SequenceNode || len(doc.Content[0].Content) != 1 {
		return "", errors.New("not one entry")
	}
	if err := want.Encode(e); err != nil {
		return "", err
	}
	merge(doc.Content[0].Content[0], &want)
	var buf bytes.Buffer
	enc := yaml.NewEncoder(&buf)
	enc.SetIndent(2)
	if err := enc.Encode(&doc); err != nil {
		return "", err
	}
	return indented("  ", buf.String()), nil
}

// merge makes a mapping say what another says, with as little change as will do.
func merge(have, want *yaml.Node) {
	for i := 0; i+1 < len(want.Content); i += 2 {
		key, value := want.Content[i], want.Content[i+1]
		old := lookup(have, key.Value)
		switch {
		case old == nil:
			have.Content = append(have.Content, key, value)
		case !slices.Equal(textsOf(old), textsOf(value)):
			value.LineComment, value.HeadComment, value.FootComment = old.LineComment, old.HeadComment, old.FootComment
			*old = *value
		}
	}
	for i := 0; i+1 < len(have.Content); {
		if lookup(want, have.Content[i].Value) == nil {
			have.Content = slices.Delete(have.Content, i, i+2)
			continue
		}
		i += 2
	}
}

// lookup returns the value of a key, or nil.
func lookup(mapping *yaml.Node, key string) *yaml.Node {
	for i := 0; i+1 < len(mapping.Content); i += 2 {
		if mapping.Content[i].Value == key {
			return mapping.Content[i+1]
		}
	}
	return nil
}

// textsOf is a scalar, or a list of them, as texts.
func textsOf(n *yaml.Node) []string {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}
	}
	var all []string
	for _, c := range n.Content {
		all = append(all, c.Value)
	}
	return all
}
