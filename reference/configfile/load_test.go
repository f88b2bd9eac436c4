package configfile

import (
	"bytes"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"

	"nbdconform/reference/wire"
)

// one wraps the lines of an export, which start at line 3.
func one(lines ...string) string {
	return "exports:\n  - name: disk\n    " + strings.Join(lines, "\n    ") + "\n"
}

func TestMistakes(t *testing.T) {
	for name, tt := range map[string]struct {
		text string
		want []string
	}{
		"nothing":            {"", []string{"f: it is empty, want a mapping with the key exports"}},
		"no YAML":            {"a: [", []string{"f: line 1: did not find expected node content"}},
		"a text":             {"hello", []string{`f:1: want a mapping with the key exports, got "hello"`}},
		"no exports":         {"quirk: x", []string{`f:1: the key "exports" is missing`}},
		"an empty list":      {"exports: []", []string{"f:1: exports: want a list of exports, the default export first, got an empty one"}},
		"two documents":      {one("size: 1") + "---\na: 1\n", []string{"f:4: a second document, want one"}},
		"an alias":           {"exports: &x\n  - *x", []string{"f:2: aliases are not understood: write it out"}},
		"a key twice":        {one("size: 1", "size: 2"), []string{`f:4: the key "size" is there twice`}},
		"no name":            {"exports:\n  - size: 1M", []string{`f:2: exports[0]: the key "name" is missing`}},
		"unknown key on top": {"sever: 1\n" + one("size: 1"), []string{`f:1: unknown key "sever", want one of default-export, dialect, exports, extended-headers, handshake, limits, listen, quirk, simple-success, structured-replies, tls, unannounced-writes`}},
		"a size":             {one("size: huge"), []string{`f:3: exports[0].size: want a number of bytes such as 1048576, 64K, 8M or 1T, less than 2^63, got "huge"`}},
		"a negative size":    {one("size: -1"), []string{`f:3: exports[0].size: want a number of bytes such as 1048576, 64K, 8M or 1T, less than 2^63, got "-1"`}},
		"a size too large":   {one("size: 9223372036854775808"), []string{`f:3: exports[0].size: want a number of bytes such as 1048576, 64K, 8M or 1T, less than 2^63, got "9223372036854775808"`}},
		"a size beyond":      {one("size: 8E"), []string{"f: line 3: want less than 2^63 bytes"}},
		"a flag":             {one("size: 1", "read-only: 1"), []string{`f:4: exports[0].read-only: want true or false, got "1"`}},
		"a flag left empty":  {one("size: 1", "read-only:"), []string{`f:4: exports[0].read-only: want true or false, got nothing`}},
		"a number as a name": {"exports:\n  - {name: 1, size: 1}", []string{`f:2: exports[0].name: want the name of the export, a string of at most 4096 bytes, got "1"`}},
		"a name too long":    {"exports:\n  - {name: " + strings.Repeat("x", 5000) + ", size: 1}", []string{`f:2: exports[0].name: want the name of the export, a string of at most 4096 bytes, got "` + strings.Repeat("x", 60) + `"... (5000 bytes)`}},
		"a feature":          {one("size: 1", "omit: [fua, disc]"), []string{`f:4: exports[0].omit[1]: want one of flush, fua, trim, write-zeroes, df, multi-conn, cache, fast-zero, block-status-payload, got "disc"`}},
		"a context":          {one("size: 1", "contexts: [x-mine:it]"), []string{`f:4: exports[0].contexts[0]: want base:allocation, qemu:allocation-depth, qemu:dirty-bitmap:NAME, x-nbdconform:depth or x-nbdconform:stripes, got "x-mine:it"`}},
		"data of two kinds":  {one("size: 1", "data: {file: f, repeat: a}"), []string{"f:4: exports[0].data: one of file, pattern and repeat"}},
		"a place":            {one("size: 1") + "listen:\n  - port: 1\n", []string{`f:5: listen[0]: unknown key "port", want one of tcp, unix, vsock`}},
		"a place of two":     {one("size: 1") + "listen:\n  - tcp: ':1'\n    vsock: 1\n", []string{"f:5: listen[0]: one of tcp, unix and vsock with an address"}},
		"TLS":                {one("size: 1") + "tls: {mode: yes}\n", []string{`f:4: tls.mode: want one of off, on, require, got "yes"`}},
		"a limit":            {one("size: 1") + "limits: {workers: 0}\n", []string{`f:4: limits.workers: want a number of 1 or more, got "0"`}},
		"a fault of nothing": {one("size: 1", "faults: [{commands: read}]"), []string{"f:4: exports[0].faults[0]: a fault needs one of the keys error, action and delay, and not both error and action"}},
		"a fault of two":     {one("size: 1", "faults: [{error: EIO, action: hang}]"), []string{"f:4: exports[0].faults[0]: a fault needs one of the keys error, action and delay, and not both error and action"}},
		"a command":          {one("size: 1", "faults: [{commands: reed, error: EIO}]"), []string{"f:4: exports[0].faults[0].commands: a command or a list of commands: read, write, flush, trim, cache, write-zeroes, block-status, resize"}},
		"an error":           {one("size: 1", "faults: [{error: EBADF}]"), []string{`f:4: exports[0].faults[0].error: want one of EPERM, EIO, ENOMEM, EINVAL, ENOSPC, EOVERFLOW, ENOTSUP, ESHUTDOWN, got "EBADF"`}},
		"a probability":      {one("size: 1", "faults: [{error: EIO, probability: 2}]"), []string{`f:4: exports[0].faults[0].probability: want a number above 0, at most 1, got "2"`}},
		"a delay":            {one("size: 1", "faults: [{delay: 5}]"), []string{`f:4: exports[0].faults[0].delay: want a duration such as 500ms, 2s or 1m30s, got "5"`}},
		"several":            {one("size: 1", "sise: 2", "omit: flush") + "handshake: new\n", []string{`f:4: exports[0]: unknown key "sise", want one of `, `f:5: exports[0].omit: want a list of features to leave out, got "flush"`, `f:6: handshake: want one of fixed-newstyle, newstyle, oldstyle, got "new"`}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := Parse("f", []byte(tt.text))
			if err == nil {
				t.Fatal("it is taken")
			}
			lines := strings.Split(err.Error(), "\n")
			if len(lines) != len(tt.want) {
				t.Fatalf("got\n%v\nwant\n%s", err, strings.Join(tt.want, "\n"))
			}
			for i, l := range lines {
				if l != tt.want[i] && (!strings.HasSuffix(tt.want[i], " ") || !strings.HasPrefix(l, tt.want[i])) {
					t.Errorf("got\n%s\nwant\n%s", l, tt.want[i])
				}
			}
		})
	}
}

func TestParseFault(t *testing.T) {
	want := Fault{Commands: Names{"read", "trim"}, Offset: 1 << 20, Error: "EIO", Every: 3}
	for _, s := range []string{
		"commands: [read, trim], offset: 1M, error: EIO, every: 3",
		" {commands: [read, trim], offset: 1M, error: EIO, every: 3}",
	} {
		got, err := ParseFault(s)
		if d := cmp.Diff(want, got); d != "" || err != nil {
			t.Errorf("%s: %v\n%s", s, err, d)
		}
	}
	for s, want := range map[string]string{
		"":                    "a fault needs one of the keys error, action and delay",
		"error: EIO, evry: 3": `unknown key "evry", want one of action, after, commands,`,
		"read,error=EIO":      "unknown key",
		"error: [":            "did not find expected node",
	} {
		if _, err := ParseFault(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: %v, want %s", s, err, want)
		}
	}
}

// The schema is a JSON Schema, and has a key for each field of Config.
func TestSchemaAndFieldsAgree(t *testing.T) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(Schema()))
	if err != nil {
		t.Fatal(err)
	}
	meta, err := jsonschema.NewCompiler().Compile("https://json-schema.org/draft/2020-12/schema")
	if err != nil {
		t.Fatal(err)
	}
	if err := meta.Validate(doc); err != nil {
		t.Error(err)
	}
	agree(t, "", doc.(map[string]any), reflect.TypeFor[Config]())
}

func agree(t *testing.T, place string, at map[string]any, typ reflect.Type) {
	t.Helper()
	if ref, ok := at["$ref"].(string); ok {
		at = lookUp(ref)
	}
	if items, ok := at["items"].(map[string]any); ok {
		at, typ, place = items, typ.Elem(), place+"[]"
		if ref, ok := at["$ref"].(string); ok {
			at = lookUp(ref)
		}
	}
	if typ.Kind() != reflect.Struct {
		return
	}
	var fields []string
	for i := range typ.NumField() {
		f := typ.Field(i)
		name := f.Tag.Get("yaml")
		if !f.IsExported() || name == "-" {
			continue
		}
		fields = append(fields, name)
		if p, ok := at["properties"].(map[string]any)[name].(map[string]any); ok {
			agree(t, place+"."+name, p, f.Type)
		}
	}
	slices.Sort(fields)
	if d := cmp.Diff(keysOf(at), fields); d != "" {
		t.Errorf("%s: (-schema +fields)\n%s", place, d)
	}
	if at["additionalProperties"] != false {
		t.Errorf("%s: additionalProperties is not false", place)
	}
}

func TestSchemaHasEveryDialect(t *testing.T) {
	for _, d := range wire.Dialects() {
		if _, err := Parse("f", []byte(one("size: 1")+"dialect: "+d+"\n")); err != nil {
			t.Error(err)
		}
	}
}

func TestExampleIsUnderstood(t *testing.T) {
	c, err := Load("testdata/example.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Build(); err != nil {
		t.Error(err)
	}
	if got := c.Addresses()[0].Unix; got != "testdata/example.sock" {
		t.Errorf("the socket is at %s", got)
	}
	if _, err := Load("testdata/missing.yaml"); err == nil || !strings.Contains(err.Error(), "missing.yaml") {
		t.Error(err)
	}
}

func FuzzParse(f *testing.F) {
	example, err := os.ReadFile("testdata/example.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(example))
	f.Add(one("size: 1", "faults: [{delay: 1ms, trigger: x}]"))
	f.Add("exports: &x\n  - *x\n")
	f.Fuzz(func(t *testing.T, text string) {
		c, err := Parse("f", []byte(text))
		if err != nil {
			return
		}
		var strict Config
		d := yaml.NewDecoder(strings.NewReader(text))
		d.KnownFields(true)
		if err := d.Decode(&strict); err != nil {
			t.Errorf("the schema takes what the decoder refuses: %v", err)
		}
		if len(c.Exports) == 0 {
			t.Error("there are no exports")
		}
	})
}
