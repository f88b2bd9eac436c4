package result

import (
	"bytes"
	"encoding/json"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestReadsSchema1(t *testing.T) {
	text, err := os.ReadFile("testdata/schema-1.json")
	if err != nil {
		t.Fatal(err)
	}
	r, err := Read(bytes.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	weak := strings.Count(string(text), `"verdict": "weak"`)
	if !r.Former() || r.SchemaVersion != FormerVersion || weak == 0 || r.Summary[Warning] != weak || len(r.Summary) != len(Verdicts) {
		t.Errorf("version %s, %d warnings of %d: %v", r.SchemaVersion, r.Summary[Warning], weak, r.Summary)
	}
	for _, s := range r.Specs {
		if s.Verdict == "weak" || s.Failures != nil || s.Verdict.Troubled() && s.Signature == "" {
			t.Errorf("%s: %s, %d failures, signature %q", s.ID, s.Verdict, len(s.Failures), s.Signature)
		}
	}
	if got := r.Exit(); got != ExitFails {
		t.Errorf("Exit() = %d", got)
	}

	// It is written in the form that it was read in.
	var was, is any
	if err := json.Unmarshal(text, &was); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal([]byte(written(t, r)), &is); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(was, is); diff != "" {
		t.Errorf("(-read +written):\n%s", diff)
	}
	if r.Summary[Warning] != weak {
		t.Error("Write changed the caller's value")
	}
}

func TestSchema1HasNothingOfSchema2(t *testing.T) {
	text, err := os.ReadFile("testdata/schema-1.json")
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct{ old, with string }{
		"the verdict warning": {`"verdict": "weak"`, `"verdict": "warning"`},
		"failures as values":  {`"verdict": "weak",`, `"verdict": "weak", "failures": [],`},
	} {
		changed := strings.Replace(string(text), tt.old, tt.with, 1)
		if _, err := Read(strings.NewReader(changed)); err == nil || changed == string(text) {
			t.Errorf("%s in schema 1: %v", name, err)
		}
	}
}

func TestMarksStayAtTheirLines(t *testing.T) {
	var b strings.Builder
	var marks []Mark
	const lines = 20000
	for i := range lines {
		line := "C: some message of the conversation, decoded"
		if i%1000 == 7 {
			line = "!! bad"
			marks = append(marks, Mark{Line: i + 1})
		}
		b.WriteString(line + "\n")
	}
	r := example()
	r.Specs[1].Transcript, r.Specs[1].Marks = b.String(), marks
	got, err := Read(strings.NewReader(written(t, r)))
	if err != nil {
		t.Fatal(err)
	}
	s := got.Specs[1]
	kept := strings.Split(s.Transcript, "\n")
	if len(kept) >= lines || len(s.Marks) == 0 || len(s.Marks) >= len(marks) {
		t.Fatalf("%d lines, %d marks", len(kept), len(s.Marks))
	}
	for _, m := range s.Marks {
		if kept[m.Line-1] != "!! bad" {
			t.Errorf("line %d is marked: %q", m.Line, kept[m.Line-1])
		}
	}
	if n := strings.Count(s.Transcript, "!! bad"); n != len(s.Marks) {
		t.Errorf("%d marks are left of %d", len(s.Marks), n)
	}
}
