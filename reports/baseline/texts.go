package baseline

import (
	"fmt"

	"go.yaml.in/yaml/v3"
)

// Texts are one text or several.
type Texts []string

// UnmarshalYAML takes one text or a list of them.
func (ts *Texts) UnmarshalYAML(n *yaml.Node) (err error) {
	*ts, err = oneOrMore(n)
	return err
}

// MarshalYAML writes a list of one as what is in it.
func (ts Texts) MarshalYAML() (any, error) { return short(ts), nil }

func short(list []string) any {
	if len(list) == 1 {
		return list[0]
	}
	return list
}

func oneOrMore(n *yaml.Node) ([]string, error) {
	if n.Kind == yaml.ScalarNode {
		return []string{n.Value}, nil
	}
	var list []string
	if err := n.Decode(&list); err != nil {
		return nil, fmt.Errorf("line %d: want a text or a list of texts", n.Line)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("line %d: the list is empty: leave the key out", n.Line)
	}
	return list, nil
}
