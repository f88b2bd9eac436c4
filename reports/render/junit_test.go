package render

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"nbdconform/reports/result"
)

// allowed is the grammar of the strict consumer, apart from the one in
// junit.xsd: the attributes (* required) and the parents of each element.
var allowed = map[string]struct{ parent, attrs string }{
	"testsuites": {"", "name* tests* failures* errors* skipped* time*"},
	"testsuite":  {"testsuites", "name* tests* failures* errors* skipped* time* timestamp*"},
	"properties": {"testsuite", ""},
	"property":   {"properties", "name* value*"},
	"testcase":   {"testsuite", "classname* name* time* file line"},
	"skipped":    {"testcase", "message*"},
	"failure":    {"testcase", "message* type*"},
	"error":      {"testcase", "message* type*"},
	"system-out": {"testcase", ""},
	"system-err": {"testcase", ""},
}

// consume reads a JUnit file the way an unforgiving CI server would and
// returns how many of each element it saw.
func consume(t *testing.T, doc []byte) map[string]int {
	t.Helper()
	seen := map[string]int{}
	claims := map[string]int{}
	var path []string
	outcomes := 0
	d := xml.NewDecoder(bytes.NewReader(doc))
	for {
		tok, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			name := tok.Name.Local
			rule, ok := allowed[name]
			parent := ""
			if len(path) > 0 {
				parent = path[len(path)-1]
			}
			if !ok || parent != rule.parent {
				t.Errorf("<%s> inside of %q", name, parent)
			}
			checkAttrs(t, name, strings.Fields(rule.attrs), tok.Attr)
			seen[name]++
			path = append(path, name)
			switch name {
			case "testsuite":
				for _, a := range tok.Attr {
					if n, err := strconv.Atoi(a.Value); err == nil {
						claims[a.Name.Local] = n
					}
				}
			case "testcase":
				outcomes = 0
			case "skipped", "failure", "error":
				if outcomes++; outcomes > 1 {
					t.Error("a testcase with two outcomes")
				}
			}
		case xml.EndElement:
			path = path[:len(path)-1]
		}
	}
	for attr, element := range map[string]string{"tests": "testcase", "failures": "failure", "errors": "error", "skipped": "skipped"} {
		if claims[attr] != seen[element] {
			t.Errorf("%s=%d, but there are %d <%s>", attr, claims[attr], seen[element], element)
		}
	}
	return seen
}

func checkAttrs(t *testing.T, element string, rules []string, attrs []xml.Attr) {
	t.Helper()
	for _, a := range attrs {
		name := a.Name.Local
		if !slices.Contains(rules, name) && !slices.Contains(rules, name+"*") {
			t.Errorf("<%s %s=> is unknown", element, name)
		}
		if a.Value == "" && (name == "message" || name == "type" || name == "name" || name == "classname") {
			t.Errorf("<%s %s=\"\">", element, name)
		}
		if name == "time" {
			if n, err := strconv.ParseFloat(a.Value, 64); err != nil || n < 0 {
				t.Errorf("<%s time=%q>", element, a.Value)
			}
		}
	}
	for _, rule := range rules {
		if name, required := strings.CutSuffix(rule, "*"); required && !slices.ContainsFunc(attrs, func(a xml.Attr) bool { return a.Name.Local == name }) {
			t.Errorf("<%s> has no %s", element, name)
		}
	}
}

func TestJUnitForAStrictConsumer(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			seen := consume(t, rendered(t, r, JUnit))
			n := r.Summary
			want := map[string]int{
				"testcase": len(r.Specs),
				"failure":  n[result.Fail] + n[result.Crash] + n[result.Hang],
				"error":    n[result.Error] + n[result.Inconclusive],
				"skipped":  n[result.Unsupported] + n[result.Skipped] + n[result.Blocked],
			}
			if len(r.Doubts()) > 0 && want["error"] == 0 {
				want["error"]++
				want["testcase"]++
			}
			for element, count := range want {
				if seen[element] != count {
					t.Errorf("%d <%s>, want %d", seen[element], element, count)
				}
			}
			if red := seen["failure"]+seen["error"] > 0; r.Exit() != 0 && !red {
				t.Error("a run that does not conform looks green")
			}
		})
	}
}

func TestJUnitForXMLLint(t *testing.T) {
	lint, err := exec.LookPath("xmllint")
	if err != nil {
		t.Skip("xmllint is not on PATH: the files were not held against junit.xsd")
	}
	check := func(doc []byte) ([]byte, error) {
		path := filepath.Join(t.TempDir(), "junit.xml")
		if err := os.WriteFile(path, doc, 0o600); err != nil {
			t.Fatal(err)
		}
		return exec.CommandContext(t.Context(), lint, "--nonet", "--noout", "--schema", "junit.xsd", path).CombinedOutput()
	}
	for name, r := range samples() {
		doc := rendered(t, r, JUnit)
		if out, err := check(doc); err != nil {
			t.Errorf("%s: %v\n%s", name, err, out)
		}
		if mutant := bytes.Replace(doc, []byte("classname="), []byte("class="), 1); !bytes.Equal(mutant, doc) {
			if _, err := check(mutant); err == nil {
				t.Errorf("%s: the schema accepts a testcase without classname", name)
			}
		}
	}
}

func TestJUnitOfEachVerdict(t *testing.T) {
	for _, v := range append(slices.Clone(result.Verdicts), "no such verdict") {
		want := map[result.Verdict]string{
			result.Pass: "", result.Warning: "", result.Fail: "failure", result.Crash: "failure", result.Hang: "failure",
			result.Blocked: "skipped", result.Unsupported: "skipped", result.Skipped: "skipped",
		}
		element, known := want[v]
		if !known {
			element = "error"
		}
		c := junitCaseOf(result.Spec{ID: "x", Name: "x", Verdict: v, Message: "the reason", Location: "x.go:7"}, false)
		got := ""
		for name, o := range map[string]*junitOutcome{"failure": c.Failure, "skipped": c.Skipped, "error": c.Error} {
			if o != nil {
				got += name
				if !strings.Contains(o.Message, "the reason") {
					t.Errorf("%s: message %q has no reason", v, o.Message)
				}
			}
		}
		if got != element {
			t.Errorf("%s became %q, want %q", v, got, element)
		}
		if (v == result.Warning) != (c.SystemOut != nil && strings.Contains(c.SystemOut.Body, "warning: the reason")) {
			t.Errorf("%s: system-out %v", v, c.SystemOut)
		}
		if c.File != "x.go" || c.Line != "7" {
			t.Errorf("%s: file %q, line %q", v, c.File, c.Line)
		}
	}
}
