package baseline

import (
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"nbdconform/reports/result"
)

// A Pair is a run of one target by a suite that made signatures from messages,
// and by one that makes them from failures.
type Pair struct{ Before, After result.Result }

// A kind is a failure by its former signature.
type kind struct {
	target, spec string
	verdict      result.Verdict
	signature    string
}

// A migration knows what former signatures, and digests, have become.
type migration struct {
	signatures map[kind]map[string]bool
	digests    map[string]map[string]bool
}

// Migrate reads a file of the former version and gives its entries the
// signatures that the failures of the pairs have now. A signature that no pair
// has stays as it is; left says which: such an entry matches nothing. A file of
// this version is an error. Entries keep their reasons, comments and order.
func Migrate(name string, text []byte, pairs []Pair) (f *File, left []string, err error) {
	old, err := parseAny(name, text)
	switch {
	case err != nil:
		return nil, nil, err
	case !old.former:
		return nil, nil, fmt.Errorf("%s: is of version %d already", name, FormatVersion)
	case old.inline && len(old.Entries) > 0:
		return nil, nil, fmt.Errorf("%s: entries is written in brackets: write one entry below the other", name)
	}
	m := migration{map[kind]map[string]bool{}, map[string]map[string]bool{}}
	for _, p := range pairs {
		if err := m.learn(p); err != nil {
			return nil, nil, err
		}
	}
	edit := editor{blocks: old.blocks()}
	for _, b := range slices.Clone(edit.blocks) {
		e := b.entry
		var lost []string
		if e.Withheld != "" {
			lost = edit.reissue(b, m.digests[e.Withheld])
		} else {
			e.Signature, lost = m.renewed(e)
			if !slices.Equal(e.Signature, b.entry.Signature) || strings.Contains(b.was, string(formerWarning)) {
				b.write(e)
			}
		}
		for _, l := range lost {
			left = append(left, fmt.Sprintf("line %d: %s", e.Line, l))
		}
	}
	now := atTheTop.ReplaceAllString(old.assemble(edit.blocks), fmt.Sprintf("baseline: %d", FormatVersion))
	f, err = Parse(name, []byte(now))
	return f, left, err
}

var atTheTop = regexp.MustCompile(fmt.Sprintf(`(?m)^baseline:\s*%d\b`, formerVersion))

// learn takes in the failures that both runs of a pair met.
func (m migration) learn(p Pair) error {
	if !p.Before.Former() || p.After.Former() {
		return errors.New("migrating: a pair is a result of schema 1 and one of schema 2")
	}
	if a, b := p.Before.Target.Name, p.After.Target.Name; a != b {
		return fmt.Errorf("migrating: a result of %s is no pair with one of %s", a, b)
	}
	after := map[string]result.Spec{}
	for _, s := range p.After.Specs {
		after[s.ID] = s
	}
	for _, was := range p.Before.Specs {
		is, ok := after[was.ID]
		if !ok || was.Verdict != is.Verdict || !was.Verdict.Troubled() {
			continue
		}
		k := kind{p.Before.Target.Name, was.ID, was.Verdict, was.Signature}
		// A failure that another spec, or another target, has as well.
		for _, k := range []kind{k, {k.target, "", k.verdict, k.signature}, {"", "", k.verdict, k.signature}} {
			put(m.signatures, k, signature(is))
		}
		former := was
		if former.Verdict == result.Warning {
			former.Verdict = formerWarning
		}
		put(m.digests, Digest(k.target, former), Digest(k.target, is))
	}
	return nil
}

func put[K comparable](m map[K]map[string]bool, k K, v string) {
	if m[k] == nil {
		m[k] = map[string]bool{}
	}
	m[k][v] = true
}

// renewed are the signatures that an entry has now, and those of its former ones
// that no pair has.
func (m migration) renewed(e Entry) (now Texts, lost []string) {
	for _, s := range e.Signature {
		found := m.signatures[kind{e.Target, e.Spec, e.Verdict, s}]
		for _, k := range []kind{{e.Target, "", e.Verdict, s}, {"", "", e.Verdict, s}} {
			if others := m.signatures[k]; len(found) == 0 && len(others) == 1 {
				found = others // the same failure of another spec, and there is no doubt
			}
		}
		switch {
		case len(found) > 0:
		case e.Verdict == result.Crash, e.Verdict == result.Blocked && strings.Contains(s, ": by "):
			now = append(now, s) // these never were made from messages
		default:
			now, lost = append(now, s), append(lost, fmt.Sprintf("%s %s: %s", e.Verdict, e.Spec, s))
		}
		for _, s := range slices.Sorted(maps.Keys(found)) {
			if !slices.Contains(now, s) {
				now = append(now, s)
			}
		}
	}
	return now, lost
}

// reissue gives a withheld entry its new digest, and puts others for the same
// former failure beside it.
func (e *editor) reissue(b *block, digests map[string]bool) (lost []string) {
	if len(digests) == 0 {
		return []string{"withheld " + b.entry.Withheld}
	}
	first := true
	for _, d := range slices.Sorted(maps.Keys(digests)) {
		n := b.entry
		n.Withheld = d
		if first {
			b.write(n)
		} else {
			more := &block{}
			more.write(n)
			e.blocks = slices.Insert(e.blocks, slices.Index(e.blocks, b)+1, more)
		}
		first = false
	}
	return nil
}
