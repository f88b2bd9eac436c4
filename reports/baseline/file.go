package baseline

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"nbdconform/reports/result"
)

// FormatVersion is the number that a file starts with.
const FormatVersion = 2

// formerVersion is the format whose signatures were made from messages.
const formerVersion = 1

// maxFile bounds a file, in bytes.
const maxFile = 16 << 20

// A File is a list of entries and the text that they were read from.
type File struct {
	Name    string
	Entries []Entry

	lines  []string    // of the text
	nodes  []yaml.Node // of the entries
	atLine int         // of the key entries, from 1
	inline bool        // entries is written as [...]
	former bool        // of formerVersion
}

// Load reads a file, or every *.yaml in a directory, as one list.
func Load(names ...string) ([]File, error) {
	var all []File
	for _, name := range names {
		paths := []string{name}
		info, err := os.Stat(name)
		if err != nil {
			return nil, fmt.Errorf("reading baseline: %w", err)
		}
		if info.IsDir() {
			if paths, err = filepath.Glob(filepath.Join(name, "*.yaml")); err != nil || len(paths) == 0 {
				return nil, fmt.Errorf("reading baseline: the directory %s has no *.yaml", name)
			}
		}
		for _, p := range paths {
			text, err := readFile(p)
			if err != nil {
				return nil, err
			}
			f, err := Parse(p, text)
			if err != nil {
				return nil, err
			}
			all = append(all, *f)
		}
	}
	return all, nil
}

func readFile(name string) ([]byte, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, fmt.Errorf("reading baseline: %w", err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err == nil && len(text) > maxFile {
		err = fmt.Errorf("%s: larger than %d MiB", name, maxFile>>20)
	}
	if err != nil {
		return nil, fmt.Errorf("reading baseline: %w", err)
	}
	return text, nil
}

// Parse reads the text of a file. name is for messages.
func Parse(name string, text []byte) (*File, error) {
	f, err := parseAny(name, text)
	if err == nil && f.former {
		return nil, fmt.Errorf("reading baseline %s: baseline: %d has signatures of an older form: run nbdconform baseline migrate %s --before OLD_RESULT --after NEW_RESULT",
			name, formerVersion, name)
	}
	return f, err
}

// parseAny reads a file of either version.
func parseAny(name string, text []byte) (*File, error) {
	f := &File{Name: name, lines: strings.SplitAfter(string(text), "\n")}
	if err := f.parse(text); err != nil {
		return nil, fmt.Errorf("reading baseline %s: %w", name, err)
	}
	return f, nil
}

var errForeign = errors.New(`no baseline: want "baseline: 2" and a list of entries (nbdconform baseline update makes one)`)

func (f *File) parse(text []byte) error {
	var doc, rest yaml.Node
	d := yaml.NewDecoder(bytes.NewReader(text))
	switch err := d.Decode(&doc); {
	case errors.Is(err, io.EOF):
		return fmt.Errorf("the file is empty: %w", errForeign)
	case err != nil:
		return err
	case doc.Kind != yaml.DocumentNode || doc.Content[0].Kind != yaml.MappingNode:
		return errForeign
	}
	if err := d.Decode(&rest); !errors.Is(err, io.EOF) {
		return errors.New("more than one document")
	}
	list, err := f.header(doc.Content[0])
	if err != nil {
		return err
	}
	for _, n := range list.Content {
		e, err := f.decodeEntry(n)
		if err != nil {
			return fmt.Errorf("line %d: %w", n.Line, err)
		}
		if i := slices.IndexFunc(f.Entries, func(o Entry) bool { return same(o, e) }); i >= 0 {
			return fmt.Errorf("line %d: the entry of line %d says the same", n.Line, f.Entries[i].Line)
		}
		f.Entries, f.nodes = append(f.Entries, e), append(f.nodes, *n)
	}
	return nil
}

// header checks the keys of the document and returns the list of entries.
func (f *File) header(top *yaml.Node) (list *yaml.Node, err error) {
	version := 0
	for i := 0; i+1 < len(top.Content); i += 2 {
		key, value := top.Content[i], top.Content[i+1]
		switch key.Value {
		case "baseline":
			if err := value.Decode(&version); err != nil {
				return nil, errForeign
			}
		case "entries":
			if value.Kind != yaml.SequenceNode {
				return nil, fmt.Errorf("line %d: entries is no list: write [] for none", key.Line)
			}
			list, f.atLine, f.inline = value, key.Line, value.Style&yaml.FlowStyle != 0
		default:
			return nil, fmt.Errorf("line %d: unknown key %q: %w", key.Line, key.Value, errForeign)
		}
	}
	switch {
	case list == nil || version == 0:
		return nil, errForeign
	case version != FormatVersion && version != formerVersion:
		return nil, fmt.Errorf("baseline: %d is unknown here, this program reads %d", version, FormatVersion)
	}
	f.former = version == formerVersion
	return list, nil
}

// decodeEntry refuses keys that no entry has: Node.Decode would pass over them.
func (f *File) decodeEntry(n *yaml.Node) (Entry, error) {
	e := Entry{Line: n.Line}
	if n.Kind != yaml.MappingNode {
		return e, errors.New("an entry has keys, such as target")
	}
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == formerRelease {
			n.Content[i].Value = "release"
		}
		if k := n.Content[i].Value; !slices.Contains(keys, k) {
			return e, fmt.Errorf("unknown key %q: an entry has %s", k, strings.Join(keys, ", "))
		}
	}
	if err := n.Decode(&e); err != nil {
		return e, err
	}
	if f.former && e.Verdict == formerWarning {
		e.Verdict = result.Warning
	}
	return e, e.check()
}

// formerWarning is what the verdict warning was called in files of formerVersion.
const formerWarning result.Verdict = "weak"

// formerRelease is what the key release was called before.
const formerRelease = "suite"

// keys are those of an entry, in the order in which they are written.
var keys = func() (names []string) {
	for f := range reflect.TypeFor[Entry]().Fields() {
		if name, _, _ := strings.Cut(f.Tag.Get("yaml"), ","); name != "-" {
			names = append(names, name)
		}
	}
	return names
}()

// same reports whether two entries are about the same failure.
func same(a, b Entry) bool {
	return a.Target == b.Target && slices.Equal(a.Versions, b.Versions) && a.Profile == b.Profile && a.Release == b.Release &&
		a.Spec == b.Spec && a.Clause == b.Clause && a.Verdict == b.Verdict && a.Withheld == b.Withheld
}
