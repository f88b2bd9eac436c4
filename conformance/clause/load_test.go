package clause

import (
	"io/fs"
	"strings"
	"testing"
	"testing/fstest"
)

func TestTheCatalogueLoads(t *testing.T) {
	dir, err := fs.Sub(catalogue, "catalogue")
	if err != nil {
		t.Fatal(err)
	}
	clauses, err := load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range clauses {
		got, ok := Get(c.ID)
		if !ok || got.ID != c.ID {
			t.Errorf("Get(%q) = %+v, %v", c.ID, got, ok)
		}
		if c.Document == "" {
			t.Errorf("%s has no document", c.ID)
		}
	}
}

func TestGet(t *testing.T) {
	if c, ok := Get("no.such-clause"); ok {
		t.Errorf("Get of an unknown id = %+v", c)
	}
	if c := MustGet("trans.cookie.echo"); c.Level != Must || c.Side != Server || c.Document != "proto" {
		t.Errorf("trans.cookie.echo = %+v", c)
	}
	defer func() {
		if r := recover(); r == nil || !strings.Contains(r.(string), "no.such-clause") {
			t.Errorf("MustGet of an unknown id panics with %v", r)
		}
	}()
	MustGet("no.such-clause")
}

func TestAllIsTheCallersOwn(t *testing.T) {
	first := All()[0].ID
	All()[0].ID = "changed.by-caller"
	if got := All()[0].ID; got != first {
		t.Errorf("the first clause is now %s", got)
	}
}

func TestTheFilesFormOneCatalogue(t *testing.T) {
	const one = "- {id: a.one, level: MUST, side: server, section: S, requires: It is., sentences: [0123456789ab]}\n"
	for name, c := range map[string]struct{ file, content, want string }{
		"as it is":                        {also[0].name, "", ""},
		"a sentence of another document":  {also[1].name, "- {id: a.one, sentences: [0123456789ab]}", ""},
		"a further sentence":              {also[0].name, "- {id: a.one, sentences: [ba9876543210]}", ""},
		"a file that nobody listed":       {"new.yaml", "", "not in the list"},
		"an id in two files":              {files[1].name, one, "a.one is taken"},
		"a bad entry":                     {files[1].name, "- {id: a.two}", files[1].name},
		"a sentence for an unknown id":    {also[0].name, "- {id: a.two, sentences: [ba9876543210]}", "no clause a.two"},
		"a sentence that is known by now": {also[0].name, "- {id: a.one, sentences: [0123456789ab]}", "twice"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := fstest.MapFS{}
			for _, f := range also {
				dir[f.name] = &fstest.MapFile{}
			}
			for _, f := range files {
				dir[f.name] = &fstest.MapFile{}
			}
			dir[files[0].name] = &fstest.MapFile{Data: []byte(one)}
			dir[c.file] = &fstest.MapFile{Data: []byte(c.content)}

			_, err := load(dir)

			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)):
				t.Errorf("error %v, want one with %q", err, c.want)
			}
		})
	}
	t.Run("a missing file", func(t *testing.T) {
		if _, err := load(fstest.MapFS{}); err == nil {
			t.Error("loads")
		}
	})
}
