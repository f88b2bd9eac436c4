package clause

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
)

//go:embed catalogue/*.yaml
var catalogue embed.FS

// files lists the catalogue in document order, with the document that each
// file is about.
var files = []struct{ document, name string }{
	{"proto", "string.yaml"},
	{"proto", "handshake.yaml"},
	{"proto", "haggling.yaml"},
	{"proto", "trans.yaml"},
	{"proto", "tls.yaml"},
	{"proto", "size.yaml"},
	{"proto", "meta.yaml"},
	{"proto", "values-flags.yaml"},
	{"proto", "values-options.yaml"},
	{"proto", "values-replies.yaml"},
	{"proto", "values-chunks.yaml"},
	{"proto", "values-commands.yaml"},
	{"proto", "values-errors.yaml"},
	{"proto", "values-interop.yaml"},
	{"proto", "layout.yaml"},
	{"extended-headers", "extended-headers.yaml"},
	{"uri", "uri.yaml"},
	{"resize", "resize.yaml"},
	{"init-state", "init-state.yaml"},
	{"get-lba-status", "get-lba-status.yaml"},
	{"write-zeroes-rfc", "write-zeroes-rfc.yaml"},
	{"qemu", "qemu.yaml"},
}

// also lists the files with further sentences for clauses of other files, and
// the document that these sentences are in.
var also = []struct{ document, name string }{
	{"proto", "also.yaml"},
	{"extended-headers", "extended-headers-also.yaml"},
}

type index struct {
	clauses []Clause
	byID    map[ID]int
}

// The catalogue is part of the program: if it does not load, no verdict is to
// be trusted, and the program stops.
var loaded = sync.OnceValue(func() index {
	dir, err := fs.Sub(catalogue, "catalogue")
	if err != nil {
		panic(err)
	}
	clauses, err := load(dir)
	if err != nil {
		panic(fmt.Sprintf("loading the clause catalogue: %v", err))
	}
	byID := make(map[ID]int, len(clauses))
	for i, c := range clauses {
		byID[c.ID] = i
	}
	return index{clauses, byID}
})

// topic is the first part of an id, which the catalogue gives to all clauses of
// a topic and to no others.
func topic(id ID) Topic {
	first, _, _ := strings.Cut(string(id), ".")
	return Topic(first)
}

// All returns every clause in document order. The slice is the caller's own,
// the Sentences in it are not.
func All() []Clause { return slices.Clone(loaded().clauses) }

// Get returns the clause that has an id.
func Get(id ID) (Clause, bool) {
	x := loaded()
	i, ok := x.byID[id]
	if !ok {
		return Clause{}, false
	}
	return x.clauses[i], true
}

// MustGet is Get for ids written in source code: it panics where there is no
// such clause.
func MustGet(id ID) Clause {
	c, ok := Get(id)
	if !ok {
		panic(fmt.Sprintf("no clause %q in the catalogue", id))
	}
	return c
}

// load reads all files of a catalogue and joins them.
func load(dir fs.FS) ([]Clause, error) {
	if err := allListed(dir); err != nil {
		return nil, err
	}
	var out []Clause
	at := map[ID]int{}
	for _, f := range files {
		data, err := fs.ReadFile(dir, f.name)
		if err != nil {
			return nil, err
		}
		clauses, err := parse(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		for _, c := range clauses {
			if _, ok := at[c.ID]; ok {
				return nil, fmt.Errorf("%s: the id %s is taken", f.name, c.ID)
			}
			c.Document, c.Topic = f.document, topic(c.ID)
			at[c.ID] = len(out)
			out = append(out, c)
		}
	}
	for _, f := range also {
		data, err := fs.ReadFile(dir, f.name)
		if err != nil {
			return nil, err
		}
		more, err := parseAlso(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", f.name, err)
		}
		for _, m := range more {
			i, ok := at[m.ID]
			if !ok {
				return nil, fmt.Errorf("%s: there is no clause %s", f.name, m.ID)
			}
			if err := out[i].add(f.document, m.Sentences); err != nil {
				return nil, fmt.Errorf("%s: %s: %w", f.name, m.ID, err)
			}
		}
	}
	return out, nil
}

// add adds sentences of a document, the clause's own or another.
func (c *Clause) add(document string, sentences []string) error {
	if document == c.Document {
		c.Sentences = append(c.Sentences, sentences...)
		return distinct(c.Sentences)
	}
	if c.Restated == nil {
		c.Restated = map[string][]string{}
	}
	c.Restated[document] = append(c.Restated[document], sentences...)
	return distinct(c.Restated[document])
}

// allListed reports a file that the list does not know and that would go
// unread.
func allListed(dir fs.FS) error {
	names, err := fs.Glob(dir, "*.yaml")
	if err != nil {
		return err
	}
	for _, name := range names {
		listed := false
		for _, f := range slices.Concat(files, also) {
			listed = listed || f.name == name
		}
		if !listed {
			return fmt.Errorf("%s is not in the list of files", name)
		}
	}
	return nil
}
