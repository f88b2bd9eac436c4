package baseline

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"go.yaml.in/yaml/v3"
)

// compareVersions orders versions as dpkg does: epoch, upstream version,
// revision, with "~" before the end and letters before everything else. A
// part that bound does not have is not compared, so that 3.24 is equal to
// 1:3.24-1.1.
func compareVersions(v, bound string) int {
	have, want := split(v), split(bound)
	if want.hasEpoch {
		if c := compareDigits(have.epoch, want.epoch); c != 0 {
			return c
		}
	}
	if c := comparePart(have.upstream, want.upstream); c != 0 || !want.hasRevision {
		return c
	}
	return comparePart(have.revision, want.revision)
}

type parts struct {
	epoch, upstream, revision string
	hasEpoch, hasRevision     bool
}

func split(v string) parts {
	p := parts{epoch: "0", revision: "0"}
	if epoch, rest, ok := strings.Cut(v, ":"); ok {
		p.epoch, p.hasEpoch, v = epoch, true, rest
	}
	p.upstream = v
	if i := strings.LastIndexByte(v, '-'); i >= 0 {
		p.upstream, p.revision, p.hasRevision = v[:i], v[i+1:], true
	}
	return p
}

// comparePart compares text and numbers by turns, from the left.
func comparePart(a, b string) int {
	for a != "" || b != "" {
		var ta, tb, na, nb string
		ta, a = cut(a, false)
		tb, b = cut(b, false)
		if c := compareText(ta, tb); c != 0 {
			return c
		}
		na, a = cut(a, true)
		nb, b = cut(b, true)
		if c := compareDigits(na, nb); c != 0 {
			return c
		}
	}
	return 0
}

// cut takes the digits, or what is none, off the front of s.
func cut(s string, digits bool) (front, rest string) {
	i := 0
	for i < len(s) && isDigit(s[i]) == digits {
		i++
	}
	return s[:i], s[i:]
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// compareText compares without digits: "~", the end, letters, the rest.
func compareText(a, b string) int {
	for i := range max(len(a), len(b)) {
		if c := cmp.Compare(rank(a, i), rank(b, i)); c != 0 {
			return c
		}
	}
	return 0
}

func rank(s string, i int) int {
	switch {
	case i >= len(s):
		return 0
	case s[i] == '~':
		return -1
	case 'A' <= s[i] && s[i] <= 'Z', 'a' <= s[i] && s[i] <= 'z':
		return int(s[i])
	}
	return int(s[i]) + 256
}

// compareDigits compares decimal numbers of any length.
func compareDigits(a, b string) int {
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
}

// A bound is one comparison, such as ">= 3.21".
type bound struct{ op, version string }

// Longer operators come before their beginnings.
var operators = []string{">=", "<=", "!=", ">", "<", "="}

func (b bound) holds(v string) bool {
	c := compareVersions(v, b.version)
	switch b.op {
	case ">=":
		return c >= 0
	case "<=":
		return c <= 0
	case "!=":
		return c != 0
	case ">":
		return c > 0
	case "<":
		return c < 0
	}
	return c == 0
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
		bounds, err := parseRange(text)
		ok := err == nil
		for _, b := range bounds {
			ok = ok && b.holds(v)
		}
		if ok {
			return true
		}
	}
	return false
}

func parseRange(text string) ([]bound, error) {
	var bounds []bound
	for part := range strings.SplitSeq(text, ",") {
		b := bound{op: "=", version: strings.TrimSpace(part)}
		for _, op := range operators {
			if rest, ok := strings.CutPrefix(b.version, op); ok {
				b = bound{op, strings.TrimSpace(rest)}
				break
			}
		}
		if err := plausible(b.version); err != nil {
			return nil, fmt.Errorf("version range %q: %w", text, err)
		}
		bounds = append(bounds, b)
	}
	return bounds, nil
}

// plausible refuses what dpkg would not take for a version.
func plausible(v string) error {
	rest := v
	if epoch, after, ok := strings.Cut(v, ":"); ok {
		if epoch == "" || strings.Trim(epoch, "0123456789") != "" {
			return fmt.Errorf("%q: the epoch is no number", v)
		}
		rest = after
	}
	switch {
	case rest == "":
		return errors.New("a version is missing: want one like >= 3.21, < 3.28")
	case !isDigit(rest[0]):
		return fmt.Errorf("%q does not start with a digit", v)
	}
	for i := range len(rest) {
		if r := rank(rest, i); r > 256 && !isDigit(rest[i]) && !strings.ContainsRune(".+-", rune(rest[i])) {
			return fmt.Errorf("%q has a %q in it", v, rest[i])
		}
	}
	return nil
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

// Texts are one text or several.
type Texts []string

// UnmarshalYAML takes one text or a list of them.
func (ts *Texts) UnmarshalYAML(n *yaml.Node) (err error) {
	*ts, err = oneOrMore(n)
	return err
}

// MarshalYAML writes a list of one as what is in it.
func (vs Versions) MarshalYAML() (any, error) { return short(vs), nil }

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
