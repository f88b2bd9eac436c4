package main

import (
	"encoding/json"
	"encoding/xml"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/conformance/subject/referenceserver"
	"nbdconform/reports/result"
)

func TestRunOnTheReferenceConforms(t *testing.T) {
	t.Parallel()
	o := nbdconform(t, "run")
	o.want(t, exitConforms)
	r := o.result(t)
	wholeCensus(t, r)
	for _, s := range r.Specs {
		if s.Verdict.Broken() || s.Verdict == result.Warning || s.Verdict == result.Error {
			t.Errorf("%s %s: %s", s.Verdict, s.ID, s.Message)
		}
		if s.Reproduce == "" || s.Name == "" || s.Group == "" || len(s.Clauses) == 0 {
			t.Errorf("incomplete: %+v", s)
		}
	}
	sum := 0
	for _, n := range r.Summary {
		sum += n
	}
	if sum != len(r.Specs) {
		t.Errorf("the summary counts %d specs of %d", sum, len(r.Specs))
	}
	if r.Target.Name != "reference" || r.Target.Size != referenceserver.DefaultSize || r.Target.Export != "disk" {
		t.Errorf("target %+v", r.Target)
	}
	if !strings.Contains(o.stdout, "conforms") {
		t.Errorf("stdout says nothing of it:\n%s", o.stdout)
	}
}

func TestRunWritesEveryReport(t *testing.T) {
	t.Parallel()
	o := nbdconform(t, "run", "--filter", "greeting.fixed-newstyle")
	o.want(t, exitConforms)
	var keys map[string]json.RawMessage
	if err := json.Unmarshal(read(t, o.out, "result.json"), &keys); err != nil {
		t.Fatal(err)
	}
	for _, k := range []string{"schemaVersion", "suite", "document", "target", "started", "seconds", "summary", "specs", "observations", "reproduce"} {
		if keys[k] == nil {
			t.Errorf("result.json lacks %q", k)
		}
	}
	var junit struct {
		Tests int `xml:"tests,attr"`
	}
	if err := xml.Unmarshal(read(t, o.out, "junit.xml"), &junit); err != nil || junit.Tests == 0 {
		t.Errorf("junit.xml: %v, %d tests", err, junit.Tests)
	}
	if page := string(read(t, o.out, "index.html")); !strings.Contains(page, "greeting.fixed-newstyle") {
		t.Error("index.html lacks the spec")
	}
	for _, name := range []string{"result.json", "junit.xml", "index.html"} {
		if !strings.Contains(o.stdout, name) {
			t.Errorf("stdout does not name %s:\n%s", name, o.stdout)
		}
	}
}

func TestRunGoesWhereResultsGo(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	p := prepare(t, nil, "run", "--filter", "greeting.fixed-newstyle", "--profile", "bare")
	p.cmd.Dir = dir
	p.cmd.Args = append(p.cmd.Args[:2], p.cmd.Args[4:]...) // no --out
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p.end().want(t, exitConforms)
	if _, err := os.Stat(filepath.Join(dir, "reports", "out", "reference-bare", "result.json")); err != nil {
		t.Error(err)
	}
}

func TestEveryReferenceProfileConforms(t *testing.T) {
	t.Parallel()
	for _, profile := range referenceserver.Profiles()[1:] {
		t.Run(profile, func(t *testing.T) {
			t.Parallel()
			o := nbdconform(t, "run", "--profile", profile)
			o.want(t, exitConforms)
			wholeCensus(t, o.result(t))
		})
	}
}

func TestSeedChangesTheOrderAlone(t *testing.T) {
	t.Parallel()
	seeded := func(seed string) result.Result {
		return nbdconform(t, "run", "--filter", "level: containsAny SHOULD", "--seed", seed).result(t)
	}
	a, b := seeded("1"), seeded("2")
	if d := cmp.Diff(verdicts(a), verdicts(b)); d != "" {
		t.Error(d)
	}
}

// The command that a result names brings the same verdict again.
func TestReproduceReproduces(t *testing.T) {
	t.Parallel()
	r := nbdconform(t, "run", "--quirk", "greeting-not-fixed", "--filter", "greeting.fixed-newstyle").result(t)
	failed := with(r, result.Fail)
	if len(failed) == 0 {
		t.Fatal("nothing failed")
	}
	words := strings.Fields(failed[0].Reproduce)
	if words[0] != "nbdconform" || strings.Contains(failed[0].Reproduce, "'") {
		t.Fatalf("an unexpected command: %s", failed[0].Reproduce)
	}
	again := nbdconform(t, words[1:]...)
	again.want(t, exitViolates)
	if got := with(again.result(t), result.Fail); len(got) == 0 || got[0].ID != failed[0].ID {
		t.Errorf("%s brings %+v", failed[0].Reproduce, got)
	}
}

func read(t *testing.T, dir, name string) []byte {
	t.Helper()
	b, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return b
}
