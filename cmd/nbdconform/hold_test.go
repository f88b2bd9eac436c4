package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestADirectoryIsHeldOnce(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	release, err := hold(dir)
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
