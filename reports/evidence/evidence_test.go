package evidence

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reports/recording"
	"nbdconform/reports/result"
)

func bundle() Bundle {
	return Bundle{
		Spec: Spec{
			ID: "greeting.magic", Name: "The greeting opens with the magic", Level: "MUST", Clause: "layout.greeting",
			Clauses: []string{"layout.greeting"}, Requires: "It does.", Verdict: result.Fail, Message: "want 'this' \"that\" '''\nand more \\",
		},
		SeenIn: "greeting.magic",
		Target: result.Target{Name: "evil\x1b[2J '''", Provider: "uri", Advertised: []string{}},
		Suite:  result.Suite{Name: "nbdconform", Version: "v1"}, Document: result.Document{Name: "proto.md", Revision: "1"},
		Environment: Environment{OS: "linux", Arch: "amd64", Go: "go1", CPUs: 2},
		Run:         Run{URI: "nbd://localhost", Filter: "greeting.magic"},
		Command:     "nbdconform run --uri nbd://localhost --filter greeting.magic",
		Afterwards:  Afterwards{Served: true, State: "running"},
		Offending:   &Place{Connection: 1, Offset: 4, Length: 8, Judged: true},
	}
}

// spoken is a recording of one connection on which each side says something.
func spoken() *recording.Recording {
	return &recording.Recording{Start: time.Date(2025, 3, 14, 9, 26, 53, 0, time.UTC), Events: []recording.Event{
		{Kind: recording.Connects},
		{Kind: recording.ServerSent, Bytes: []byte("hello, client")},
		{Kind: recording.ClientSent, Bytes: []byte("hello, server")},
		{Kind: recording.ServerSent, Bytes: []byte("bye")},
		{Kind: recording.ServerEnds},
		{Kind: recording.ClientEnds},
	}}
}

func names(t *testing.T, dir string) (list []string) {
	t.Helper()
	all, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range all {
		list = append(list, e.Name())
	}
	return list
}

func TestABundleIsReadAsItWasWritten(t *testing.T) {
	dir := t.TempDir()
	if err := Write(dir, bundle(), Material{Recording: spoken(), Transcript: "S: hello\n", Stderr: "oops\n"}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{BundleFile, CaptureFile, ScriptFile, StderrFile, TranscriptFile}, names(t, dir)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	got, err := Read(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := bundle()
	want.SchemaVersion, want.Limits, want.Recorded = SchemaVersion, got.Limits, spoken().Start
	want.Connections = []Connection{{ClientBytes: 13, ServerBytes: 16}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	for name, contains := range map[string][]string{
		TranscriptFile: {"S: hello", "clause    layout.greeting (MUST)", "again     nbdconform run"},
		StderrFile:     {"oops", "# the target's program afterwards: running"},
	} {
		text, _ := os.ReadFile(filepath.Join(dir, name))
		for _, c := range contains {
			if !strings.Contains(string(text), c) {
				t.Errorf("%s has no %q:\n%s", name, c, text)
			}
		}
	}
}

func TestWhatIsNotABundleIsRefused(t *testing.T) {
	good, err := encode(func() Bundle {
		b := bundle()
		b.SchemaVersion, b.Limits, b.Connections = SchemaVersion, "some", []Connection{}
		return b
	}())
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(m map[string]any){
		"another version":     func(m map[string]any) { m["schemaVersion"] = "9.0" },
		"no spec":             func(m map[string]any) { delete(m, "spec") },
		"an unknown field":    func(m map[string]any) { m["colour"] = "red" },
		"a passed spec":       func(m map[string]any) { m["spec"].(map[string]any)["verdict"] = "pass" },
		"a negative offset":   func(m map[string]any) { m["offending"].(map[string]any)["offset"] = -1 },
		"connection 0":        func(m map[string]any) { m["offending"].(map[string]any)["connection"] = 0 },
		"a time of no format": func(m map[string]any) { m["recorded"] = "yesterday" },
		"no clause":           func(m map[string]any) { m["spec"].(map[string]any)["clauses"] = []any{} },
	} {
		var m map[string]any
		if err := json.Unmarshal(good, &m); err != nil {
			t.Fatal(err)
		}
		change(m)
		text, _ := json.Marshal(m)
		if _, err := parse(text); err == nil {
			t.Errorf("%s: accepted", name)
		}
	}
	for _, text := range []string{"", "{", "[]", "null", strings.Repeat(" ", maxBundle+1)} {
		if _, err := parse([]byte(text)); err == nil {
			t.Errorf("%.10q: accepted", text)
		}
	}
	if _, err := Read(t.TempDir()); err == nil {
		t.Error("an empty directory is read")
	}
}

func TestAStoreIsBoundedAndSaysWhatIsMissing(t *testing.T) {
	out := t.TempDir()
	s, err := NewStore(out, Limits{Bundles: 2, Bytes: 40})
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct{ id, want string }{{"a", ""}, {"b/../../c", "recordings of this run take"}, {"...", "2 bundles of this run"}} {
		b := bundle()
		b.Spec.ID = tc.id
		dir, err := s.Add(b, Material{Recording: spoken()})
		if err != nil {
			t.Fatal(err)
		}
		fresh := filepath.Join(out, strings.Replace(dir, Dir, fresh, 1))
		got, err := Read(fresh)
		if err != nil {
			t.Fatal(err)
		}
		if tc.want == "" && got.LeftOut != "" || !strings.Contains(got.LeftOut, tc.want) {
			t.Errorf("%s: left out %q, want %q", tc.id, got.LeftOut, tc.want)
		}
		_, err = os.Stat(filepath.Join(fresh, CaptureFile))
		if (err == nil) != (tc.want == "") {
			t.Errorf("%s: capture: %v", tc.id, err)
		}
	}
	if err := Publish(out); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"a", "b-..-..-c", "unnamed"}, names(t, filepath.Join(out, Dir))); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
}

func TestBundlesReplaceThoseOfTheRunBeforeWhenTheyArePublished(t *testing.T) {
	out := t.TempDir()
	run := func(id string) {
		s, err := NewStore(out, DefaultLimits)
		if err != nil {
			t.Fatal(err)
		}
		b := bundle()
		b.Spec.ID = id
		if _, err := s.Add(b, Material{Recording: spoken()}); err != nil {
			t.Fatal(err)
		}
	}
	has := func(want ...string) {
		t.Helper()
		if diff := cmp.Diff(want, names(t, filepath.Join(out, Dir))); diff != "" {
			t.Errorf("(-want +got)\n%s", diff)
		}
	}
	publish := func() {
		if err := Publish(out); err != nil {
			t.Fatal(err)
		}
	}
	run("first")
	publish()
	has("first")
	mine := filepath.Join(out, Dir, "mine")
	if err := os.MkdirAll(mine, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(mine, TranscriptFile), []byte("notes"), 0o600); err != nil {
		t.Fatal(err)
	}
	run("killed")
	has("first", "mine")
	run("second")
	has("first", "mine")
	publish()
	has("mine", "second")
	run("failed")
	if err := Discard(out); err != nil {
		t.Fatal(err)
	}
	publish() // of a run without failures
	has("mine")
	if left := names(t, out); len(left) != 1 {
		t.Errorf("left behind: %v", left)
	}
}

func TestLongAndHostileTextsFit(t *testing.T) {
	b := bundle()
	b.Spec.Message = strings.Repeat("\xff\x00'''\n", 1<<18)
	m := Material{Recording: spoken(), Transcript: strings.Repeat("\"\"\"\x00\xff\\\n", 1<<10)}
	dir := t.TempDir()
	if err := Write(dir, b, m); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(dir); err != nil {
		t.Error(err)
	}
	text, _ := os.ReadFile(filepath.Join(dir, ScriptFile))
	if bytes.ContainsRune(text, 0) {
		t.Error("the script has a zero byte")
	}
}
