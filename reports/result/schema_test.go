package result

import (
	"bytes"
	"encoding/json"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
)

type object = map[string]any

// mutated encodes the example after change has had its way with the JSON.
func mutated(t *testing.T, change func(object)) []byte {
	t.Helper()
	var doc object
	d := json.NewDecoder(strings.NewReader(written(t, example())))
	d.UseNumber()
	if err := d.Decode(&doc); err != nil {
		t.Fatal(err)
	}
	change(doc)
	b, err := json.Marshal(doc)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func spec(doc object, i int) object { return doc["specs"].([]any)[i].(object) }

func TestSchemaRefusesMutants(t *testing.T) {
	if _, err := Read(bytes.NewReader(mutated(t, func(object) {}))); err != nil {
		t.Fatalf("the example itself: %v", err)
	}
	tests := []struct {
		name   string
		mutate func(object)
		want   string
	}{
		{"an unknown verdict", func(d object) { spec(d, 1)["verdict"] = "FAIL" }, `specs[1] ("cmd.trim.beyond").verdict`},
		{"an unknown level", func(d object) { spec(d, 0)["level"] = "must" }, `.level`},
		{"an unknown field of the document", func(d object) { d["extra"] = 1 }, "document: additional properties 'extra'"},
		{"an unknown field of a spec", func(d object) { spec(d, 0)["extra"] = 1 }, `specs[0] ("cmd.read.answers"): additional`},
		{"an unknown field of the target", func(d object) { d["target"].(object)["x"] = 1 }, "target: additional"},
		{"a field in other letters", func(d object) { spec(d, 0)["Verdict"] = "pass" }, "additional"},
		{"no level", func(d object) { delete(spec(d, 0), "level") }, "missing property 'level'"},
		{"clauses as text", func(d object) { spec(d, 0)["clauses"] = "cmd.read" }, ".clauses: got string"},
		{"null clauses", func(d object) { spec(d, 0)["clauses"] = nil }, ".clauses: got null"},
		{"a pass without a clause", func(d object) { spec(d, 0)["clauses"] = []any{} }, ".clauses: minItems"},
		{"a crash without a reason", func(d object) { spec(d, 1)["message"] = "" }, ".message: minLength"},
		{"a negative time", func(d object) { spec(d, 0)["seconds"] = -1 }, ".seconds"},
		{"a date that is none", func(d object) { d["started"] = "yesterday" }, "started: "},
		{"a negative size", func(d object) { d["target"].(object)["size"] = -1 }, "target.size"},
		{"a size beyond 64 bits", func(d object) { d["target"].(object)["size"] = json.Number("18446744073709551616") }, "target.size"},
		{"an unknown provider", func(d object) { d["target"].(object)["provider"] = "moon" }, "target.provider"},
		{"a verdict missing from the summary", func(d object) { delete(d["summary"].(object), "hang") }, "summary: missing property 'hang'"},
		{"another verdict in the summary", func(d object) { d["summary"].(object)["ok"] = 1 }, "summary: additional"},
		{"a summary that counts wrong", func(d object) { d["summary"].(object)["pass"] = 7 }, "summary.pass: 7, but counting the specs gives 1"},
		{"a version that is no text", func(d object) { d["schemaVersion"] = 1.0 }, "schemaVersion"},
		{"no specs at all", func(d object) { delete(d, "specs") }, "missing property 'specs'"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			_, err := Read(bytes.NewReader(mutated(t, tt.mutate)))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("Read = %v\nwant an error with %q", err, tt.want)
			}
		})
	}
}

func TestErrorsNameThreePlacesAtMost(t *testing.T) {
	_, err := Read(bytes.NewReader(mutated(t, func(d object) {
		for i := range 3 {
			spec(d, i)["level"], spec(d, i)["seconds"] = "x", "y"
		}
	})))
	if err == nil || !strings.HasSuffix(err.Error(), "; and 3 more") {
		t.Errorf("Read = %v, want three places and a count", err)
	}
}

// The schema and the Go types are two accounts of one thing.
func TestSchemaAgreesWithTypes(t *testing.T) {
	var schema object
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	props := schema["properties"].(object)
	defs := schema["$defs"].(object)
	tests := []struct {
		typ any
		def object
	}{
		{Result{}, schema},
		{Suite{}, props["suite"].(object)},
		{Document{}, props["document"].(object)},
		{Target{}, props["target"].(object)},
		{Spec{}, defs["spec"].(object)},
		{Failure{}, defs["failure"].(object)},
		{Statement{}, defs["failure"].(object)["properties"].(object)["about"].(object)},
		{Where{}, defs["failure"].(object)["properties"].(object)["where"].(object)},
		{Value{}, defs["value"].(object)},
		{Mark{}, defs["mark"].(object)},
		{Observation{}, defs["observation"].(object)},
	}
	for _, tt := range tests {
		typ := reflect.TypeOf(tt.typ)
		var all, required []string
		for f := range typ.Fields() {
			name, opts, _ := strings.Cut(f.Tag.Get("json"), ",")
			all = append(all, name)
			if opts != "omitempty" {
				required = append(required, name)
			}
		}
		checkSame(t, typ.Name()+" fields", slices.Values(all), maps.Keys(tt.def["properties"].(object)))
		checkSame(t, typ.Name()+" required", slices.Values(required), slices.Values(texts(tt.def["required"])))
		if tt.def["additionalProperties"] != false {
			t.Errorf("%s: additionalProperties is not false", typ.Name())
		}
	}
	var names []string
	for _, v := range Verdicts {
		names = append(names, string(v))
	}
	verdict := defs["spec"].(object)["properties"].(object)["verdict"].(object)
	summary := props["summary"].(object)
	checkSame(t, "verdicts", slices.Values(names), slices.Values(texts(verdict["enum"])))
	checkSame(t, "summary fields", slices.Values(names), maps.Keys(summary["properties"].(object)))
	checkSame(t, "summary required", slices.Values(names), slices.Values(texts(summary["required"])))
	if id := schema["$id"]; id != SchemaURL {
		t.Errorf("$id is %v, want %v", id, SchemaURL)
	}
}

func texts(v any) []string {
	var list []string
	for _, e := range v.([]any) {
		list = append(list, e.(string))
	}
	return list
}

func checkSame(t *testing.T, what string, a, b func(func(string) bool)) {
	t.Helper()
	if a, b := slices.Sorted(a), slices.Sorted(b); !slices.Equal(a, b) {
		t.Errorf("%s: types say %q, schema says %q", what, a, b)
	}
}
