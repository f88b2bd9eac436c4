package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/containers/containertest"
	"nbdconform/fuzz/campaign"
	"nbdconform/reports/fuzzing"
)

// sideBySide runs a campaign against another target, and returns what differs.
func sideBySide(t *testing.T, status int, args ...string) []fuzzing.Difference {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "c")
	o := nbdconform(t, append([]string{"fuzz", "--dir", dir}, args...)...)
	o.want(t, status)
	r, found, err := campaign.Load(dir)
	if err != nil || !found {
		t.Fatal(found, err)
	}
	page, err := os.ReadFile(filepath.Join(dir, "index.html"))
	if err != nil {
		t.Fatal(err)
	}
	kinds := map[string]bool{}
	for _, d := range r.Differs {
		if kinds[d.Key()] {
			t.Errorf("listed twice: %s", d.Key())
		}
		kinds[d.Key()] = true
		if !strings.Contains(o.stdout, strings.Fields(d.Verdict)[0]) || !strings.Contains(string(page), d.Asked) {
			t.Errorf("not in the report: %s: %s\n%s", d.Asked, d.Verdict, o.stdout)
		}
	}
	return r.Differs
}

// verdictOn is the verdict on what is asked, where one of the two says something.
func verdictOn(list []fuzzing.Difference, asked, said string) string {
	for _, d := range list {
		if d.Asked == asked && (d.One == said || d.Other == said) {
			return d.Verdict
		}
	}
	return ""
}

// The good server has no difference from itself, one that the document allows is
// listed as such, and one that it does not names who breaks what.
func TestFuzzAgainst(t *testing.T) {
	t.Parallel()
	against := []string{"--against", "reference", "--time", "4s"}
	t.Run("the same", func(t *testing.T) {
		t.Parallel()
		if list := sideBySide(t, exitConforms, against...); len(list) > 0 {
			t.Errorf("%+v", list)
		}
	})
	t.Run("allowed", func(t *testing.T) {
		t.Parallel()
		list := sideBySide(t, exitConforms, append(against, "--quirk", "info-minimal")...)
		for _, d := range list {
			if d.Verdict != campaign.BothAllowed {
				t.Errorf("%s: %s and %s: %s", d.Asked, d.One, d.Other, d.Verdict)
			}
		}
		if len(list) == 0 {
			t.Error("nothing differs")
		}
	})
	t.Run("a violation", func(t *testing.T) {
		t.Parallel()
		list := sideBySide(t, exitViolates, append(against, "--quirk", "abort-unsupported")...)
		if v := verdictOn(list, "NBD_OPT_ABORT", "NBD_REP_ERR_UNSUP"); v != "violates opt.abort.ack (reference)" {
			t.Errorf("%q: %+v", v, list)
		}
	})
}

// Two versions of one server side by side.
func TestFuzzAgainstAnotherVersion(t *testing.T) {
	containertest.NeedImage(t, "bookworm")
	containertest.NeedImage(t, "trixie")
	t.Parallel()
	list := sideBySide(t, exitConforms, "--target", "nbdkit", "--release", "bookworm", "--against", "nbdkit:trixie", "--time", "8s",
		"--baseline", absolute(t, knownDir), "--baseline", absolute(t, knownDir+"/fuzz"))
	if len(list) == 0 {
		t.Error("nothing differs")
	}
}

func absolute(t *testing.T, path string) string {
	t.Helper()
	path, err := filepath.Abs(path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}
