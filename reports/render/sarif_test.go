package render

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/owenrumney/go-sarif/v3/pkg/report/v210/sarif"
	"github.com/santhosh-tekuri/jsonschema/v6"

	"nbdconform/reports/result"
)

// sarifSchema is the schema of the standard. A module that brings it keeps it
// to itself, so it is taken from the source.
var sarifSchema = sync.OnceValues(func() (*jsonschema.Schema, error) {
	dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", "github.com/owenrumney/go-sarif/v3").Output()
	if err != nil {
		return nil, err
	}
	name := filepath.Join(strings.TrimSpace(string(dir)), "pkg", "report", "v210", "sarif", "schema.go")
	file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
	if err != nil {
		return nil, err
	}
	literal := file.Decls[0].(*ast.GenDecl).Specs[0].(*ast.ValueSpec).Values[0].(*ast.BasicLit)
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return nil, err
	}
	doc, err := jsonschema.UnmarshalJSON(strings.NewReader(text))
	if err != nil {
		return nil, err
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	if err := c.AddResource("urn:sarif", doc); err != nil {
		return nil, err
	}
	return c.Compile("urn:sarif")
})

// strictSARIF reads a log the way a consumer does that forgives nothing: no
// unknown field, and the schema of the standard.
func strictSARIF(doc []byte) (*sarif.Report, []string) {
	d := json.NewDecoder(bytes.NewReader(doc))
	d.DisallowUnknownFields()
	var r sarif.Report
	if err := d.Decode(&r); err != nil {
		return nil, []string{err.Error()}
	}
	schema, err := sarifSchema()
	if err != nil {
		return nil, []string{err.Error()}
	}
	v, err := jsonschema.UnmarshalJSON(bytes.NewReader(doc))
	if err == nil {
		err = schema.Validate(v)
	}
	if err != nil {
		return nil, []string{err.Error()}
	}
	return &r, nil
}

func TestSARIFForAStrictConsumer(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			doc := rendered(t, r, SARIF)
			log, wrong := strictSARIF(doc)
			if wrong != nil {
				t.Fatalf("%q\n%s", wrong, doc)
			}
			run := log.Runs[0]
			rules := run.Tool.Driver.Rules
			for _, x := range run.Results {
				if rules[x.RuleIndex].ID == nil || *rules[x.RuleIndex].ID != *x.RuleID {
					t.Errorf("rule %d is not %q", x.RuleIndex, *x.RuleID)
				}
				if len(x.Locations) != 1 || *x.Locations[0].LogicalLocations[0].FullyQualifiedName == "" {
					t.Errorf("%s has no location", *x.RuleID)
				}
			}
			n := r.Summary
			if want := n[result.Fail] + n[result.Crash] + n[result.Hang] + n[result.Warning]; len(run.Results) != want {
				t.Errorf("%d results, want %d", len(run.Results), want)
			}
			if got := *run.Invocations[0].ExecutionSuccessful; got != (len(r.Doubts()) == 0) {
				t.Errorf("executionSuccessful is %v, the exit status %d", got, r.Exit())
			}
			var ids []string
			for _, k := range rules {
				ids = append(ids, *k.ID)
			}
			if slices.Sort(ids); len(slices.Compact(slices.Clone(ids))) != len(ids) {
				t.Errorf("rules are there twice: %q", ids)
			}
			if bytes.ContainsAny(doc, "\x00\x1b\x7f") {
				t.Error("control characters")
			}
		})
	}
}

func TestTheStrictConsumerOfSARIFIsStrict(t *testing.T) {
	doc := string(rendered(t, broken(), SARIF))
	for _, tc := range [][2]string{
		{`"version": "2.1.0"`, `"version": "2.0.0"`},
		{`"level": "error"`, `"level": "fatal"`},
		{`"kind": "fail"`, `"kind": "failed"`},
		{`"ruleIndex": 0`, `"ruleIndex": -2`},
		{`"message": {`, `"massage": {`},
		{`"startTimeUtc": "20`, `"startTimeUtc": "x`},
	} {
		if !strings.Contains(doc, tc[0]) {
			t.Fatalf("no %s", tc[0])
		}
		if _, wrong := strictSARIF([]byte(strings.Replace(doc, tc[0], tc[1], 1))); wrong == nil {
			t.Errorf("%s is accepted", tc[1])
		}
	}
}
