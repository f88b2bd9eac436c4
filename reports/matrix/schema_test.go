package matrix

import (
	"bytes"
	"encoding/json"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"nbdconform/reports/result"
)

type object = map[string]any

func raced() Matrix {
	m := sample()
	m.Performance = &Performance{
		Date: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Machine: "m", Load: [2]string{"0.1", "0.2"}, Rounds: 1, Seconds: 1, Size: 1,
		Speeds: []Speed{{Server: Peer{Name: "nbdkit"}, Load: "4K", Bytes: 4096, PerSecond: []float64{1}}},
	}
	return m
}

func first(d object, name string) object { return d[name].([]any)[0].(object) }

func TestSchemaRefusesMutants(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, raced()); err != nil {
		t.Fatal(err)
	}
	if err := validate(b.Bytes()); err != nil || !strings.Contains(b.String(), `"$schema": "`+SchemaURL+`"`) {
		t.Fatalf("the example itself: %v", err)
	}
	for name, change := range map[string]func(object){
		"another schema":                 func(d object) { d["$schema"] = "urn:nbdconform:result:2.0" },
		"a field that nobody knows":      func(d object) { d["extra"] = 1 },
		"no pairings":                    func(d object) { delete(d, "pairings") },
		"null for pairings":              func(d object) { d["pairings"] = nil },
		"a date that is none":            func(d object) { d["made"] = "yesterday" },
		"a run with an unknown verdict":  func(d object) { first(first(d, "runs"), "specs")["verdict"] = "ok" },
		"a run that is none":             func(d object) { d["runs"] = []any{object{}} },
		"an unknown activity":            func(d object) { first(d, "pairings")["activity"] = "dance" },
		"an unknown outcome":             func(d object) { first(d, "pairings")["outcome"] = "Works" },
		"corrupt data without a word":    func(d object) { delete(first(d, "pairings"), "detail") },
		"a client without a name":        func(d object) { first(d, "pairings")["client"] = object{"suite": "sid"} },
		"a client with more":             func(d object) { first(d, "pairings")["client"].(object)["x"] = "y" },
		"a negative time":                func(d object) { first(d, "pairings")["seconds"] = -1 },
		"something missing for no cause": func(d object) { first(d, "skipped")["why"] = "" },
		"one load average":               func(d object) { d["performance"].(object)["loadAverage"] = []any{"1"} },
		"no percentiles":                 func(d object) { delete(first(d["performance"].(object), "speeds"), "microseconds") },
		"a negative speed":               func(d object) { first(d["performance"].(object), "speeds")["perSecond"] = []any{-1} },
	} {
		var d object
		if err := json.Unmarshal(b.Bytes(), &d); err != nil {
			t.Fatal(err)
		}
		change(d)
		text, err := json.Marshal(d)
		if err != nil {
			t.Fatal(err)
		}
		if validate(text) == nil {
			t.Errorf("%s: no error", name)
		}
		if _, err := Read(bytes.NewReader(text)); err == nil {
			t.Errorf("%s is read", name)
		}
	}
}

func TestControlCharactersAreData(t *testing.T) {
	m := raced()
	m.Pairings[0].Output = "\x00\x1b[31m\u2028</script>\"\\"
	var b bytes.Buffer
	if err := Write(&b, m); err != nil {
		t.Fatal(err)
	}
	if got, err := Read(&b); err != nil || got.Pairings[0].Output != m.Pairings[0].Output {
		t.Error(err)
	}
}

func TestWhatIsPublishedFitsTheSchema(t *testing.T) {
	b, err := os.ReadFile("../published/matrix.json")
	if err == nil {
		_, err = Read(bytes.NewReader(b))
	}
	if err != nil {
		t.Error(err)
	}
}

// What others made with runs of schema 1 is read, and runs keep their version.
func TestReadsFormerMatrices(t *testing.T) {
	text, err := os.ReadFile("../result/testdata/schema-1.json")
	if err != nil {
		t.Fatal(err)
	}
	former, err := result.Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	m := sample()
	m.Runs = append(m.Runs, former)
	var b bytes.Buffer
	if err := Write(&b, m); err != nil {
		t.Fatal(err)
	}
	for _, version := range []string{SchemaVersion, FormerVersion} {
		text := strings.Replace(b.String(), SchemaURL, "urn:nbdconform:matrix:"+version, 1)
		text = strings.Replace(text, `"schemaVersion": "2.0"`, `"schemaVersion": "`+version+`"`, 1)
		got, err := Read(strings.NewReader(text))
		if err != nil {
			t.Fatalf("version %s: %v", version, err)
		}
		if n := len(got.Runs) - 1; !got.Runs[n].Former() || got.Runs[0].Former() {
			t.Errorf("version %s: the runs are of other versions", version)
		}
	}
}

// The schema and the Go types are two accounts of one thing.
func TestSchemaAgreesWithTypes(t *testing.T) {
	var schema object
	if err := json.Unmarshal(Schema(), &schema); err != nil {
		t.Fatal(err)
	}
	defs := schema["$defs"].(object)
	for name, v := range map[string]any{
		"": Matrix{}, "skip": Skip{}, "peer": Peer{}, "pairing": Pairing{}, "performance": Performance{}, "speed": Speed{}, "percentiles": Percentiles{},
	} {
		def := schema
		if name != "" {
			def = defs[name].(object)
		}
		var all, required []string
		for f := range reflect.TypeOf(v).Fields() {
			field, option, _ := strings.Cut(f.Tag.Get("json"), ",")
			all = append(all, field)
			if option != "omitempty" {
				required = append(required, field)
			}
		}
		var has []string
		for p := range def["properties"].(object) {
			has = append(has, p)
		}
		same(t, name+" fields", all, has)
		same(t, name+" required", required, texts(def["required"]))
	}
	pairing := defs["pairing"].(object)["properties"].(object)
	same(t, "activities", words(Operations), texts(pairing["activity"].(object)["enum"]))
	same(t, "outcomes", words(Outcomes), texts(pairing["outcome"].(object)["enum"]))
}

func words[S ~string](list []S) (out []string) {
	for _, s := range list {
		out = append(out, string(s))
	}
	return out
}

func texts(v any) (out []string) {
	for _, e := range v.([]any) {
		out = append(out, e.(string))
	}
	return out
}

func same(t *testing.T, what string, a, b []string) {
	t.Helper()
	slices.Sort(a)
	slices.Sort(b)
	if !slices.Equal(a, b) {
		t.Errorf("%s: types say %q, schema says %q", what, a, b)
	}
}
