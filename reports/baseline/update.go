package baseline

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"nbdconform/reports/result"
)

// A Change is one entry that Update added, took out or wrote anew. Before and
// After are its text, "" where there is none.
type Change struct{ Before, After string }

// Update makes the file agree with a result and says what it changed. What
// need not change stays as it is, byte by byte: order, comments, reasons. New
// entries have a reason that starts with TODO, which the gate refuses, and so
// have entries whose failure became another one.
//
// An entry for versions beside this one keeps them: only this version is taken
// out of it or added to it.
func Update(f *File, r result.Result, withhold []string, now time.Time) ([]Change, error) {
	if f.inline && len(f.Entries) > 0 {
		return nil, fmt.Errorf("%s: entries is written in brackets: write one entry below the other", f.Name)
	}
	blocks := f.blocks()
	edit := editor{target: r.Target, blocks: blocks}
	report := Check(r, []File{*f}, now)
	for _, finding := range report.Findings {
		switch finding.Kind {
		case New:
			edit.add(*finding.Spec)
		case Changed:
			edit.replace(finding)
		case Passes, Stale:
			edit.drop(finding.Entry)
		}
	}
	for _, id := range withhold {
		if err := edit.withhold(id, r); err != nil {
			return nil, err
		}
	}
	changes := edit.changes()
	if len(changes) == 0 {
		return nil, nil
	}
	g, err := Parse(f.Name, []byte(f.assemble(edit.blocks)))
	if err != nil {
		return nil, fmt.Errorf("updating: %w", err)
	}
	*f = *g
	return changes, nil
}

// Empty is a file without entries.
func Empty(name string) *File {
	f, err := Parse(name, []byte("# Known failures. See nbdconform gate --help.\nbaseline: 2\nentries: []\n"))
	if err != nil {
		panic(err)
	}
	return f
}

// Bytes is the text of the file.
func (f *File) Bytes() []byte { return []byte(strings.Join(f.lines, "")) }

// A block is the text of an entry, with the comments above it.
type block struct {
	entry   Entry
	was, is string // "" where there is none
	touched bool
}

// blocks cuts the file's text into entries.
func (f *File) blocks() []*block {
	var blocks []*block
	starts := f.starts()
	for i, e := range f.Entries {
		end := len(f.lines)
		if i+1 < len(starts) {
			end = starts[i+1]
		}
		text := strings.Join(f.lines[starts[i]:end], "")
		blocks = append(blocks, &block{entry: e, was: text, is: text})
	}
	return blocks
}

// starts are the indexes of the lines at which the entries start, comments included.
func (f *File) starts() []int {
	var starts []int
	for _, e := range f.Entries {
		at := e.Line - 1
		for at > f.atLine && strings.HasPrefix(strings.TrimSpace(f.lines[at-1]), "#") {
			at--
		}
		starts = append(starts, at)
	}
	return starts
}

// assemble puts the text together again.
func (f *File) assemble(blocks []*block) string {
	head := len(f.lines)
	if starts := f.starts(); len(starts) > 0 {
		head = starts[0]
	}
	var kept []string
	for _, b := range blocks {
		if b.is != "" {
			kept = append(kept, b.is)
		}
	}
	// Entries are set apart by an empty line, unless those of the file are not.
	gap, last := "\n", ""
	for _, b := range blocks {
		if last != "" && b.was != "" && !strings.HasSuffix(last, "\n\n") {
			gap = ""
		}
		last = cmp.Or(b.was, last)
	}
	for i := range kept {
		kept[i] = strings.TrimRight(kept[i], "\n") + "\n"
	}
	top := slices.Clone(f.lines[:head])
	if f.inline || len(kept) == 0 {
		top[f.atLine-1] = "entries:\n"
		if len(kept) == 0 {
			top[f.atLine-1] = "entries: []\n"
		}
	}
	return strings.Join(top, "") + strings.Join(kept, gap)
}

type editor struct {
	target result.Target
	blocks []*block
}

func (e *editor) find(entry *Entry) *block {
	i := slices.IndexFunc(e.blocks, func(b *block) bool { return b.was != "" && b.entry.Line == entry.Line })
	return e.blocks[i]
}

// add writes an entry for a failure, or lets one for other versions have this
// version too.
func (e *editor) add(s result.Spec) {
	n := NewEntry(e.target, s)
	for _, b := range e.blocks {
		o := b.entry
		if b.is != "" && len(o.Versions) > 0 && e.target.Version != "" && !o.wildcard() && o.Release == "" && o.Target == n.Target &&
			o.ofProfile(e.target.Profile) && o.knows(e.target.Name, s) {
			o.Versions = append(slices.Clone(o.Versions), n.Versions...)
			b.write(o)
			return
		}
	}
	e.insert(n)
}

// insert puts an entry before the first that comes after it in the alphabet.
func (e *editor) insert(n Entry) {
	at := len(e.blocks)
	for i, b := range e.blocks {
		if b.is != "" && before(n, b.entry) {
			at = i
			break
		}
	}
	b := &block{}
	b.write(n)
	e.blocks = slices.Insert(e.blocks, at, b)
}

func before(a, b Entry) bool {
	return cmp.Or(cmp.Compare(a.Target, b.Target), cmp.Compare(a.Profile, b.Profile),
		cmp.Compare(cmp.Or(a.Spec, a.Clause, a.Withheld), cmp.Or(b.Spec, b.Clause, b.Withheld))) < 0
}

// replace gives a failure that became another one its new signature. The
// reason is asked for again, and the old one kept behind it.
func (e *editor) replace(f Finding) {
	n := NewEntry(e.target, *f.Spec)
	old := *f.Entry
	n.Reason = Todo + ": the failure changed. It was: " + old.Reason
	n.Link, n.Profile, n.Release = old.Link, old.Profile, old.Release
	if len(old.Versions) == 0 || e.target.Version == "" {
		n.Versions, n.Clause, n.Flaky = old.Versions, old.Clause, old.Flaky
		e.find(f.Entry).write(n)
		return
	}
	e.drop(f.Entry)
	e.insert(n)
}

// drop takes this version out of an entry, and the entry away if it is about no other.
func (e *editor) drop(entry *Entry) {
	b := e.find(entry)
	left := without(b.entry.Versions, e.target.Version)
	if len(left) == 0 {
		b.is, b.touched = "", true
		return
	}
	o := b.entry
	o.Versions = left
	b.write(o)
}

// without takes a version out of ranges: those that are nothing else go.
func without(vs Versions, v string) Versions {
	var left Versions
	for _, text := range vs {
		bounds, err := parseRange(text)
		switch {
		case err != nil || !(Versions{text}).Contain(v):
			left = append(left, text)
		case len(bounds) > 1 || bounds[0].op != "=":
			left = append(left, text+", != "+v)
		}
	}
	return left
}

// withhold turns the failure of a spec into an entry that does not say what it is about.
func (e *editor) withhold(id string, r result.Result) error {
	i := slices.IndexFunc(r.Specs, func(s result.Spec) bool { return s.ID == id && s.Verdict.Troubled() })
	if i < 0 {
		return fmt.Errorf("withholding %s: the result has no failure of that name", id)
	}
	n := NewEntry(e.target, r.Specs[i])
	for _, b := range e.blocks {
		if b.is != "" && b.entry.knows(e.target.Name, r.Specs[i]) && b.entry.applies(e.target) {
			if b.entry.Withheld != "" {
				return nil
			}
			b.is, b.touched = "", true
		}
	}
	n.Withheld = Digest(e.target.Name, r.Specs[i])
	n.Spec, n.Clause, n.Verdict, n.Signature = "", "", "", nil
	n.Reason = "Not public yet: its maintainers come first."
	e.insert(n)
	return nil
}

// changes lists the blocks that are not what they were.
func (e *editor) changes() []Change {
	var all []Change
	for _, b := range e.blocks {
		if b.touched && b.was != b.is {
			all = append(all, Change{strings.Trim(b.was, "\n"), strings.Trim(b.is, "\n")})
		}
	}
	return all
}

// write gives the block the text of an entry. Where it had one, only the keys
// whose values are others are touched, and all comments stay.
func (b *block) write(e Entry) {
	b.entry, b.touched = e, true
	b.is = EntryText(e)
	if b.was == "" {
		return
	}
	if text, err := rewritten(b.was, e); err == nil {
		b.is = text
	}
}
