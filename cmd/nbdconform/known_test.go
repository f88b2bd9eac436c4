package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/servers"
	"nbdconform/containers/containertest"
	"nbdconform/reports/baseline"
	"nbdconform/reports/result"
)

const knownDir = "../../containers/known"

// Every entry that is committed is about specs and clauses that exist, and
// about a target that exists.
func TestCommittedBaselinesNameWhatExists(t *testing.T) {
	t.Parallel()
	files, err := baseline.Load(knownDir, filepath.Join(knownDir, "fuzz"))
	if err != nil {
		t.Fatal(err)
	}
	specs := map[string]bool{}
	for _, e := range census(t) {
		specs[e.ID] = true
	}
	for _, id := range servers.Judged() {
		specs[servers.JudgePrefix+string(id)] = true
	}
	for _, f := range files {
		for _, e := range f.Entries {
			_, known := clause.Get(clause.ID(e.Clause))
			byClause := filepath.Base(filepath.Dir(f.Name)) == "fuzz" && e.Spec == ""
			switch {
			case e.Target+".yaml" != filepath.Base(f.Name):
				t.Errorf("%s:%d: is about %s", f.Name, e.Line, e.Target)
			case strings.HasPrefix(e.Reason, baseline.Todo):
				t.Errorf("%s:%d: has no reason", f.Name, e.Line)
			case e.Spec == "*" && e.Verdict == result.Blocked && e.Profile != "": // what stands in the way is an entry of its own
			case e.Withheld == "" && (!specs[e.Spec] && !byClause || !known):
				t.Errorf("%s:%d: there is no spec %s or no clause %s", f.Name, e.Line, e.Spec, e.Clause)
			}
		}
	}
}

// A known version passes its gate; one entry less, one too many, and it is red.
func TestGateOnAKnownServer(t *testing.T) {
	containertest.NeedImage(t, "bullseye")
	t.Parallel()
	o := nbdconform(t, "run", "--target", "nbdkit", "--suite", "bullseye")
	known, err := filepath.Abs(knownDir + "/nbdkit.yaml")
	if err != nil {
		t.Fatal(err)
	}
	nbdconform(t, "gate", o.out, "--baseline", known).want(t, exitConforms)

	text, err := os.ReadFile(known)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	fewer := write(t, dir, "fewer.yaml", strings.ReplaceAll(string(text), "spec: set-meta.duplicate", "spec: abort.ack"))
	g := nbdconform(t, "gate", o.out, "--baseline", fewer)
	g.want(t, exitViolates)
	for _, w := range []string{"NEW FAIL  set-meta.duplicate", "STALE  abort.ack"} {
		if !strings.Contains(g.stdout, w) {
			t.Errorf("no %q in:\n%s", w, g.stdout)
		}
	}
}
