package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHelpHasAnExampleAndFitsTheScreen(t *testing.T) {
	t.Parallel()
	var names []string
	for _, c := range root().Commands() {
		if !c.Hidden && c.Name() != "completion" && c.Name() != "help" {
			names = append(names, c.Name())
		}
	}
	for _, name := range append(names, "") {
		o := nbdconform(t, strings.Fields(name+" --help")...)
		o.want(t, 0)
		if !strings.Contains(o.stdout, "Examples:\n  nbdconform "+name) {
			t.Errorf("the help of %q has no example:\n%s", name, o.stdout)
		}
		fits(t, o.stdout)
	}
}

func TestAFailingRunFitsTheScreen(t *testing.T) {
	t.Parallel()
	o := nbdconform(t, "run", "--quirk", "option-reply-wrong-magic")
	o.want(t, exitViolates)
	fits(t, o.stdout)
	fits(t, o.stderr)
	if strings.Contains(o.stdout+o.stderr, "\x1b") {
		t.Error("colours in a pipe")
	}
}

func TestVersionIsOneLine(t *testing.T) {
	t.Parallel()
	o := nbdconform(t, "--version")
	o.want(t, 0)
	if !strings.HasPrefix(o.stdout, "nbdconform ") || strings.Count(o.stdout, "\n") != 1 {
		t.Errorf("%q", o.stdout)
	}
}

func TestListExplainAndCoverage(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		args string
		want []string
	}{
		"specs":             {"list", []string{"greeting.fixed-newstyle", " specs\n"}},
		"specs by filter":   {"list --filter greeting.fixed-newstyle", []string{"greeting.fixed-newstyle", "\n1 spec\n"}},
		"specs by clause":   {"list --filter flag.client.unknown.drop", []string{"greeting.client-flags.unknown"}},
		"specs by label":    {"list --filter level:MUST", []string{"greeting.client-flags.unknown"}},
		"profiles":          {"list --profiles", []string{"reference ", "block-4096", "qemu-nbd ", "nbdkit ", "nbd-server "}},
		"quirks":            {"list --quirks", []string{"greeting-not-fixed ", "allowed"}},
		"a clause":          {"explain flag.client.unknown.drop", []string{"MUST, binds the server", "Judged by:\n", "greeting.client-flags.unknown", "Run them: nbdconform run --filter"}},
		"a spec":            {"explain greeting.client-flags.unknown", []string{"Judges:\n", "flag.client.unknown.drop", "Proven by the quirk"}},
		"a line of a judge": {"explain judge.layout.greeting", []string{"the judge, on every connection"}},
		"coverage":          {"coverage", []string{"level", "MUST", "server", "todo"}},
		"what is to do":     {"coverage --todo", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := nbdconform(t, argWords(tc.args)...)
			o.want(t, 0)
			for _, w := range tc.want {
				if !strings.Contains(o.stdout, w) {
					t.Errorf("no %q in:\n%s", w, o.stdout)
				}
			}
			if strings.HasPrefix(tc.args, "explain") {
				fits(t, o.stdout)
			}
		})
	}
}

func TestSpecCheckAgreesWithTheDocument(t *testing.T) {
	t.Parallel()
	name := os.Getenv("NBD_PROTO")
	if name == "" {
		name, _ = filepath.Abs("../../../shared/spec/proto.md")
	}
	if _, err := os.Stat(name); err != nil {
		t.Skipf("the document is not at hand: set NBD_PROTO: %v", err)
	}
	o := nbdconform(t, "spec-check", name)
	o.want(t, 0)
	if !strings.Contains(o.stdout, "clauses agree") {
		t.Errorf("%s", o.stdout)
	}
	other := filepath.Join(t.TempDir(), "other.md")
	md, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(other, []byte(strings.ReplaceAll(string(md), "MUST", "MAY")), 0o600); err != nil {
		t.Fatal(err)
	}
	nbdconform(t, "spec-check", other).want(t, exitViolates)
}

// fits fails the test if a line of more than one word is longer than a screen is wide.
func fits(t *testing.T, text string) {
	t.Helper()
	for line := range strings.SplitSeq(text, "\n") {
		if utf8.RuneCountInString(line) > 80 && len(strings.Fields(line)) > 2 {
			t.Errorf("%d columns: %s", utf8.RuneCountInString(line), line)
		}
	}
}

// Each example is a command line that a shell takes as it is printed, and that
// the command understands.
func TestExamplesAreUnderstood(t *testing.T) {
	t.Parallel()
	for _, c := range append(root().Commands(), root()) {
		for line := range strings.Lines(strings.ReplaceAll(c.Example, "\\\n", "")) {
			line = strings.TrimSpace(line)
			if !strings.HasPrefix(line, "nbdconform ") {
				continue
			}
			shell := exec.Command("sh", "-c", "set -- "+line+"\nprintf '%s\\n' \"$@\"")
			shell.Dir = t.TempDir()
			out, err := shell.Output()
			if err != nil {
				t.Errorf("%s: %v", line, err)
				continue
			}
			args := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
			called, rest, err := root().Find(args[1:])
			if err == nil {
				err = called.ParseFlags(rest)
			}
			if err == nil {
				err = called.ValidateArgs(called.Flags().Args())
			}
			if err != nil {
				t.Errorf("%s: %v", line, err)
			}
		}
	}
}
