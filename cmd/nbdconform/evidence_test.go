package main

import (
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/reports/evidence"
)

// The bundle of a failure has a script that shows the failure again on the
// server that has it, and does not on one that hasn't.
func TestEvidenceReproducesWithoutUs(t *testing.T) {
	t.Parallel()
	o := nbdconform(t, "run", "--quirk", "abort-unsupported", "--filter", "abort.ack")
	o.want(t, exitViolates)
	r := o.result(t)
	found := false
	for _, s := range r.Specs {
		if !s.Verdict.Broken() {
			if s.Evidence != "" {
				t.Errorf("%s: %s has evidence", s.ID, s.Verdict)
			}
			continue
		}
		b, err := evidence.Read(filepath.Join(o.out, filepath.FromSlash(s.Evidence)))
		if err != nil {
			t.Fatalf("%s: %v", s.ID, err)
		}
		if b.Spec.ID != s.ID || b.Offending == nil || b.Run.Quirk != "abort-unsupported" || !strings.Contains(o.stdout, s.Evidence) {
			t.Errorf("%+v", b)
		}
		found = found || s.ID == "abort.ack"
	}
	if !found {
		t.Fatal("abort.ack did not fail")
	}
	python, err := exec.LookPath("python3")
	if err != nil {
		t.Skip("python3 is not on PATH: the script was not run")
	}
	script := filepath.Join(o.out, "evidence", "abort.ack", evidence.ScriptFile)
	for quirk, want := range map[string]int{"abort-unsupported": 1, "": 0} {
		socket := filepath.Join(t.TempDir(), "s")
		args := []string{"serve", "--unix", socket}
		if quirk != "" {
			args = append(args, "--quirk", quirk)
		}
		serving(t, args[1:]...)
		cmd := exec.CommandContext(t.Context(), python, script, socket)
		out, _ := cmd.CombinedOutput()
		if got := cmd.ProcessState.ExitCode(); got != want {
			t.Errorf("quirk %q: exit status %d, want %d:\n%s", quirk, got, want, out)
		}
	}
}
