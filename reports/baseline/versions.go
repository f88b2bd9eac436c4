package baseline

import (
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"

	"nbdconform/reports/debversion"
)

// A comparison is a part of a range, such as ">= 3.21".
type comparison struct {
	op, text string
	bound    debversion.Bound
}

// Longer operators come before their beginnings.
var operators = []string{">=", "<=", "!=", ">", "<", "="}

// holds reports whether it is true of version v. Nothing is true of what is not
// a version.
func (c comparison) holds(v string) bool {
	order, err := c.bound.Compare(v)
	if err != nil {
		return false
	}
	switch c.op {
	case ">=":
		return order >= 0
	case "<=":
		return order <= 0
	case "!=":
		return order != 0
	case ">":
		return order > 0
	case "<":
		return order < 0
	}
	return order == 0
}

// Versions are ranges of versions, any of which may hold: ">= 3.21, < 3.28" is
// one range. None at all stand for every version, and for one that is unknown.
type Versions []string

// Contain reports whether v is in one of the ranges.
func (vs Versions) Contain(v string) bool {
	if len(vs) == 0 {
		return true
	}
	if v == "" {
		return false
	}
	for _, text := range vs {
		list, err := parseRange(text)
		ok := err == nil
		for _, c := range list {
			ok = ok && c.holds(v)
		}
		if ok {
			return true
		}
	}
	return false
}

func parseRange(text string) (list []comparison, err error) {
	for part := range strings.SplitSeq(text, ",") {
		c := comparison{op: "=", text: strings.TrimSpace(part)}
		for _, op := range operators {
			if rest, ok := strings.CutPrefix(c.text, op); ok {
				c.op, c.text = op, strings.TrimSpace(rest)
				break
			}
		}
		if c.text == "" {
			return nil, fmt.Errorf("version range %q: a version is missing: expected one like >= 3.21, < 3.28", text)
		}
		if c.bound, err = debversion.ParseBound(c.text); err != nil {
			return nil, fmt.Errorf("version range %q: %w", text, err)
		}
		list = append(list, c)
	}
	return list, nil
}

// UnmarshalYAML takes one range or a list of them.
func (vs *Versions) UnmarshalYAML(n *yaml.Node) error {
	list, err := oneOrMore(n)
	if err != nil {
		return err
	}
	for _, text := range list {
		if _, err := parseRange(text); err != nil {
			return fmt.Errorf("line %d: %w", n.Line, err)
		}
	}
	*vs = list
	return nil
}

// MarshalYAML writes a list of one as what is in it.
func (vs Versions) MarshalYAML() (any, error) { return short(vs), nil }
