package main

import (
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func dialUnix(t *testing.T, socket string) net.Conn {
	t.Helper()
	c, err := net.Dial("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

func TestReplaySaysWhetherTheFailureIsStillThere(t *testing.T) {
	t.Parallel()
	run := nbdconform(t, "run", "--quirk", "abort-unsupported", "--filter", "abort.ack")
	run.want(t, exitViolates)
	bundle := filepath.Join(run.out, "evidence", "abort.ack")
	judged := filepath.Join(run.out, "evidence", "judge.opt.abort.ack")
	if _, err := os.Stat(judged); err != nil {
		t.Fatal(err)
	}
	for name, tc := range map[string]struct {
		args   []string
		want   string
		status int
	}{
		"as recorded":          {[]string{bundle}, "\nreproduced: ", exitViolates},
		"by its file":          {[]string{bundle + "/bundle.json"}, "\nreproduced: ", exitViolates},
		"a line of the judge":  {[]string{judged}, "\nreproduced: ", exitViolates},
		"without the quirk":    {[]string{bundle, "--quirk", ""}, "\nnot reproduced: it passes", exitConforms},
		"on another target":    {[]string{bundle, "--target", "reference"}, "\nnot reproduced: it passes", exitConforms},
		"with another quirk":   {[]string{bundle, "--quirk", "option-reply-wrong-magic"}, "can't tell: ", exitUntrusted},
		"a target of no kind":  {[]string{bundle, "--target", "toaster"}, "", exitUntrusted},
		"nothing":              {[]string{bundle + "s"}, "", exitUntrusted},
		"a directory":          {[]string{run.out}, "", exitUntrusted},
		"two bundles":          {[]string{bundle, judged}, "", exitUntrusted},
		"a server that is not": {[]string{bundle, "--uri", "nbd+unix:///?socket=/nonexistent"}, "", exitUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := nbdconform(t, append([]string{"replay"}, tc.args...)...)
			o.want(t, tc.status)
			if !strings.Contains(o.stdout, tc.want) {
				t.Errorf("no %q in\n%s", tc.want, o.stdout)
			}
		})
	}
}

func TestReportTurnsAResultIntoEveryForm(t *testing.T) {
	t.Parallel()
	run := nbdconform(t, "run", "--quirk", "abort-unsupported", "--filter", "abort.ack")
	in := filepath.Join(run.out, "result.json")
	for format, file := range map[string]string{
		"json": "result.json", "junit": "junit.xml", "html": "index.html", "markdown": "summary.md",
		"sarif": "result.sarif", "tap": "result.tap", "badge": "badge.svg",
	} {
		want, err := os.ReadFile(filepath.Join(run.out, file))
		if err != nil {
			t.Fatal(err)
		}
		out := filepath.Join(t.TempDir(), "out")
		nbdconform(t, "report", in, "--format", format, "--out", out).want(t, 0)
		got, err := os.ReadFile(out)
		if err != nil || string(got) != string(want) {
			t.Errorf("%s: differs from what the run wrote (%v)", format, err)
		}
	}
	nbdconform(t, "report", in, "--format", "papyrus").want(t, exitUntrusted)
	nbdconform(t, "report", in+"s").want(t, exitUntrusted)
}
