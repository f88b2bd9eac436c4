package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"nbdconform/cmd/nbdconform/internal/campaigns"
	"nbdconform/fuzz/campaign"
)

// sweepOf reads how far a sweep is.
func sweepOf(t *testing.T, dir string) (s struct{ Done []string }) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, campaigns.StateFile))
	if os.IsNotExist(err) {
		return s
	}
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// A sweep that is stopped in the middle of a profile goes on there, and keeps
// what there was.
func TestSweepGoesOn(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sweep")
	args := []string{"fuzz", "--target", "reference", "--profile", "all", "--time", "17s", "--dir", dir}
	p := start(t, nil, args...)
	for end := time.Now().Add(patience); len(sweepOf(t, dir).Done) < 2; time.Sleep(50 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("no profile came to its end")
		}
	}
	time.Sleep(300 * time.Millisecond)
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	first := p.end()
	first.want(t, exitUntrusted)
	if !strings.Contains(first.stderr, "the same command goes on") {
		t.Error(first.stderr)
	}
	done := sweepOf(t, dir).Done
	before := map[string]int{}
	dirs, _ := filepath.Glob(filepath.Join(dir, "*", "campaign.json"))
	for _, f := range dirs {
		r, _, err := campaign.Load(filepath.Dir(f))
		if err != nil {
			t.Fatal(err)
		}
		before[filepath.Base(filepath.Dir(f))] = r.Execs
	}
	if len(before) != len(done)+1 {
		t.Errorf("%d campaigns came to their end, there are records of %d", len(done), len(before))
	}

	second := nbdconform(t, args...)
	second.want(t, exitConforms)
	for _, name := range done {
		if strings.Contains(second.stderr, name+" for") {
			t.Errorf("%s, which was done, is run again", name)
		}
	}
	for name, execs := range before {
		r, _, err := campaign.Load(filepath.Join(dir, name))
		if err != nil || r.Execs < execs || r.Left != 0 {
			t.Errorf("%s: %d scripts, there were %d (%v)", name, r.Execs, execs, err)
		}
	}
}

// A profile that can't be had costs the others nothing, makes the sweep one that
// can't be trusted, and is tried again by the same command.
func TestSweepWithoutAProfile(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "sweep")
	args := []string{"fuzz", "--target", "reference", "--profile", "all", "--time", "8s", "--dir", dir}
	const missing = "reference-read-only"
	blocker := filepath.Join(dir, missing)
	if err := os.MkdirAll(filepath.Join(blocker, "campaign.json"), 0o777); err != nil { // a directory where the record goes
		t.Fatal(err)
	}
	first := nbdconform(t, args...)
	first.want(t, exitUntrusted)
	all := len(sweepOf(t, dir).Done)
	if all < 10 || !strings.Contains(first.stdout, "1 campaign could not be run to the end") {
		t.Errorf("%d campaigns came to their end\n%s", all, first.stdout)
	}
	if err := os.RemoveAll(blocker); err != nil {
		t.Fatal(err)
	}
	second := nbdconform(t, args...)
	second.want(t, exitConforms)
	if n := strings.Count(second.stderr, "] reference-"); n != 1 || !strings.Contains(second.stderr, missing+" for") {
		t.Errorf("%d campaigns were run again:\n%s", n, second.stderr)
	}
}
