package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/conformance"
	"nbdconform/conformance/clause"
	"nbdconform/containers/containertest"
	"nbdconform/reports/baseline"
	"nbdconform/reports/matrix"
	"nbdconform/reports/result"
)

const (
	knownDir     = "../../containers/known"
	knownClients = knownDir + "/clients"
)

// Every entry that is committed is about specs and clauses that exist, and
// about a target that exists.
func TestCommittedBaselinesNameWhatExists(t *testing.T) {
	t.Parallel()
	specs := map[string]bool{}
	for _, e := range census(t) {
		specs[e.ID] = true
	}
	for _, id := range conformance.Judged(clause.Server) {
		specs[result.JudgePrefix+string(id)] = true
	}
	committed(t, knownDir, "", specs)

	ofClients, err := conformance.List(clause.Client, "")
	if err != nil {
		t.Fatal(err)
	}
	specs = map[string]bool{}
	for _, e := range ofClients {
		specs[e.ID] = true
	}
	for _, id := range conformance.Judged(clause.Client) {
		specs[result.JudgePrefix+string(id)] = true
	}
	committed(t, knownClients, matrix.ClientPrefix, specs)
}

func committed(t *testing.T, dir, prefix string, specs map[string]bool) {
	t.Helper()
	files, err := baseline.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		for _, e := range f.Entries {
			_, known := clause.Get(clause.ID(e.Clause))
			switch {
			case e.Target+".yaml" != prefix+filepath.Base(f.Name):
				t.Errorf("%s:%d: is about %s", f.Name, e.Line, e.Target)
			case strings.HasPrefix(e.Reason, baseline.Todo):
				t.Errorf("%s:%d: has no reason", f.Name, e.Line)
			case e.Spec == "*" && e.Verdict == result.Blocked && e.Profile != "": // what stands in the way is an entry of its own
			case e.Withheld == "" && (!specs[e.Spec] || !known):
				t.Errorf("%s:%d: there is no spec %s or no clause %s", f.Name, e.Line, e.Spec, e.Clause)
			}
		}
	}
}

// So it is with client programs.
func TestGateOnAKnownClient(t *testing.T) {
	containertest.NeedImage(t, "bookworm")
	t.Parallel()
	out := t.TempDir()
	nbdconform(t, "clients", "--program", "nbd-client", "--out", out).want(t, exitViolates)
	known, err := filepath.Abs(knownClients + "/nbd-client.yaml")
	if err != nil {
		t.Fatal(err)
	}
	nbdconform(t, "gate", out, "--baseline", known).want(t, exitConforms)
	text, err := os.ReadFile(known)
	if err != nil {
		t.Fatal(err)
	}
	fewer := write(t, t.TempDir(), "fewer.yaml", strings.ReplaceAll(string(text), "spec: client.shutdown.list", "spec: client.shutdown.info"))
	g := nbdconform(t, "gate", out, "--baseline", fewer)
	g.want(t, exitViolates)
	for _, w := range []string{"NEW FAIL  client.shutdown.list", "STALE  client.shutdown.info"} {
		if !strings.Contains(g.stdout, w) {
			t.Errorf("no %q in:\n%s", w, g.stdout)
		}
	}
}

// A known version passes its gate; one entry less, one too many, and it is red.
func TestGateOnAKnownServer(t *testing.T) {
	containertest.NeedImage(t, "bullseye")
	t.Parallel()
	o := nbdconform(t, "run", "--target", "nbdkit", "--release", "bullseye")
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
