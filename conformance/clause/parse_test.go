package clause

import (
	"strings"
	"testing"
)

func TestParseRejects(t *testing.T) {
	const good = `- id: trans.cookie.echo
  level: MUST
  side: server
  section: Transmission
  requires: It is so.
  sentences: [0123456789ab]
`
	if _, err := parse([]byte(good)); err != nil {
		t.Fatalf("the entry that the others are made of: %v", err)
	}
	for name, c := range map[string]struct{ old, new, want string }{
		"an id with capitals":     {"trans.cookie.echo", "trans.Cookie", "malformed id"},
		"an id of one word":       {"trans.cookie.echo", "trans", "malformed id"},
		"an id with an empty one": {"trans.cookie.echo", "trans..echo", "malformed id"},
		"a level of another kind": {"MUST", "MUST NOT", "unknown level"},
		"a side of another kind":  {"server", "proxy", "unknown side"},
		"no section":              {"Transmission", `""`, "no section"},
		"no paraphrase":           {"It is so.", `" "`, "no requires"},
		"no full stop":            {"It is so.", "It is so", "full stop"},
		"no sentences":            {"[0123456789ab]", "[]", "no sentences"},
		"a short fingerprint":     {"0123456789ab", "0123", "malformed fingerprint"},
		"a fingerprint twice":     {"[0123456789ab]", "[0123456789ab, 0123456789ab]", "twice"},
		"a document of its own":   {"level:", "document: uri\n  level:", "given by the file"},
		"an unknown key":          {"level:", "lvel: x\n  level:", "lvel"},
		"a second document":       {"- id", "[]\n---\n- id", "more than one"},
		"no YAML":                 {"- id", "- [id", "yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parse([]byte(strings.Replace(good, c.old, c.new, 1)))
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	f.Add([]byte("- {id: a.b, level: MAY, side: both, section: S, requires: It is., sentences: [0123456789ab]}"))
	f.Add([]byte("- &a {id: a.b}\n- *a\n"))
	f.Add([]byte("---\n---\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		clauses, err := parse(data)
		if err != nil {
			return
		}
		for _, c := range clauses {
			if err := c.validate(); err != nil {
				t.Errorf("parse let %+v through: %v", c, err)
			}
		}
	})
}
