package main

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/cmd/nbdconform/internal/runs"
)

func TestADirectoryIsHeldOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	release, err := runs.Hold(dir)
	if err != nil {
		t.Fatal(err)
	}
	o := nbdconform(t, "run", "--filter", "abort.ack", "--out", dir)
	o.want(t, exitUntrusted)
	if want := dir + " is in use by another nbdconform: wait for its end, or name another directory"; !strings.Contains(o.stderr, want) {
		t.Errorf("stderr: %s\nwant %s", o.stderr, want)
	}
	release()
	if _, err := os.Stat(dir); err == nil {
		t.Error("an empty directory is left behind")
	}
	nbdconform(t, "run", "--filter", "abort.ack", "--out", dir).want(t, exitConforms)
}

// The verdict is told even where it can't be kept.
func TestReportsThatCanNotBeWritten(t *testing.T) {
	for _, command := range []string{"run", "clients"} {
		dir := t.TempDir()
		if err := os.MkdirAll(filepath.Join(dir, "result.json", "in the way"), 0o777); err != nil {
			t.Fatal(err)
		}
		filter := map[string]string{"run": "abort.ack", "clients": "client.info.unknown"}[command]
		o := nbdconform(t, command, "--filter", filter, "--out", dir)
		o.want(t, exitUntrusted)
		if !strings.Contains(o.stdout, ": conforms") || strings.Contains(o.stdout, "Written") || !strings.Contains(o.stderr, "writing result.json") {
			t.Errorf("%s\n%s", o.stdout, o.stderr)
		}
	}
}

// Who has the result of an earlier run has what it shows, until there is another.
func TestARunWithoutAResultLeavesTheEvidenceOfTheOneBefore(t *testing.T) {
	for name, later := range map[string]struct {
		inTheWay bool
		args     []string
		want     string
	}{
		"not written": {true, []string{"--quirk", "abort-unsupported", "--filter", "abort.ack"}, "writing result.json"},
		"no run":      {false, []string{"--filter", "abort.ack", "--", "false", "{socket}"}, "exit status 1"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			nbdconform(t, "run", "--quirk", "abort-unsupported", "--filter", "abort.ack", "--out", dir).want(t, exitViolates)
			if result := filepath.Join(dir, "result.json"); later.inTheWay {
				if err := errors.Join(os.Rename(result, result+".old"), os.MkdirAll(filepath.Join(result, "in the way"), 0o777)); err != nil {
					t.Fatal(err)
				}
			}
			before := tree(t, dir)
			o := nbdconform(t, append([]string{"run", "--out", dir}, later.args...)...)
			o.want(t, exitUntrusted)
			if !strings.Contains(o.stderr, later.want) {
				t.Errorf("stderr: %s\nwant %s", o.stderr, later.want)
			}
			if diff := cmp.Diff(before, tree(t, dir)); diff != "" {
				t.Errorf("(-before +after)\n%s", diff)
			}
			nbdconform(t, "replay", filepath.Join(dir, "evidence", "abort.ack")).want(t, exitViolates)
		})
	}
}

// tree is what a directory holds, by path.
func tree(t *testing.T, dir string) map[string]string {
	t.Helper()
	files := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		files[path] = string(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}

func TestMergeTakesEachDirectoryOnce(t *testing.T) {
	dir := t.TempDir()
	nbdconform(t, "fuzz", "--time", "1s", "--dir", filepath.Join(dir, "s0")).want(t, exitConforms)
	before, err := os.ReadFile(filepath.Join(dir, "s0", "campaign.json"))
	if err != nil {
		t.Fatal(err)
	}
	for want, args := range map[string][]string{
		"is named twice":                     {"merge", dir + "/s0", dir + "/s0/", "--out", dir + "/all"},
		"is one of the directories to merge": {"merge", dir + "/s0", "--out", dir + "/x/../s0"},
	} {
		o := nbdconform(t, args...)
		o.want(t, exitUntrusted)
		if !strings.Contains(o.stderr, want) {
			t.Errorf("%v: %s", args, o.stderr)
		}
	}
	after, err := os.ReadFile(filepath.Join(dir, "s0", "campaign.json"))
	if err != nil || string(before) != string(after) {
		t.Errorf("%v: the shard is not what it was", err)
	}
	nbdconform(t, "merge", dir+"/s0", "--out", dir+"/all").want(t, exitConforms)
}

// What people wrote is there as it was until it is there as it is to be.
func TestABaselineIsRewrittenInOnePiece(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "known.yaml"), filepath.Join(dir, "link.yaml")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(file, link); err != nil {
		t.Fatal(err)
	}
	reader, err := os.Open(file)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	if err := rewrite(link, []byte("new")); err != nil {
		t.Fatal(err)
	}
	old := make([]byte, 8)
	n, _ := reader.Read(old)
	text, err := os.ReadFile(file)
	if err != nil || string(text) != "new" || string(old[:n]) != "old" {
		t.Errorf("%q, %v; a reader saw %q", text, err, old[:n])
	}
}
