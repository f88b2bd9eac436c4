package render

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reports/result"
)

func TestAll(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "reports", "qemu-nbd")
	for range 2 { // the second time replaces the first
		paths, err := All(dir, broken())
		if err != nil {
			t.Fatal(err)
		}
		var names []string
		for _, p := range paths {
			names = append(names, filepath.Base(p))
			if info, err := os.Stat(p); err != nil || info.Size() == 0 || info.Mode().Perm() != 0o644 {
				t.Errorf("%s: %v, %v", p, info, err)
			}
		}
		if diff := cmp.Diff([]string{"result.json", "junit.xml", "index.html", "summary.md", "result.sarif", "result.tap", "badge.svg"}, names); diff != "" {
			t.Errorf("paths (-want +got):\n%s", diff)
		}
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 7 {
		t.Errorf("%d entries in the directory, want the 7 files and no leftovers (%v)", len(entries), err)
	}
	b, err := os.ReadFile(filepath.Join(dir, "result.json"))
	if err != nil {
		t.Fatal(err)
	}
	got, err := result.Read(bytes.NewReader(b))
	if err != nil {
		t.Fatal(err)
	}
	if got.Exit() != broken().Exit() {
		t.Errorf("Exit of what was written is %d", got.Exit())
	}
}

func TestAllKeepsTheOldFileWhenWritingFails(t *testing.T) {
	dir := t.TempDir()
	old := filepath.Join(dir, "result.json")
	if err := os.WriteFile(old, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := broken()
	bad.Specs[0].Verdict = "maybe"
	if paths, err := All(dir, bad); err == nil || len(paths) != 0 {
		t.Errorf("All = %q, %v, want an error", paths, err)
	}
	if b, _ := os.ReadFile(old); string(b) != "old" {
		t.Errorf("the old file is now %q", b)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("leftovers: %v", entries)
	}
}

func TestAllNeedsADirectory(t *testing.T) {
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := All(file, broken()); err == nil {
		t.Error("All wrote into a file")
	}
}

// The samples are what the suite may well write: result.json has to accept them.
func TestSamplesFitTheSchema(t *testing.T) {
	for name, r := range samples() {
		var b bytes.Buffer
		if err := result.Write(&b, r); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
