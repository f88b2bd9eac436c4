package render

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"nbdconform/reports/result"
)

// A tapRead is what the strict consumer learns from a TAP document.
type tapRead struct {
	passed, failed, skipped int
	bail                    string
	yaml                    []map[string]string
}

var tapTest = regexp.MustCompile(`^(ok|not ok) ([0-9]+) - ((?:[^#\\]|\\[#\\])*?)(?: # SKIP ((?:[^#\\]|\\[#\\])+))?$`)

// strictTAP reads TAP 14 by the grammar of its specification, as far as this
// suite makes use of it, and accepts nothing else.
func strictTAP(doc string) (r tapRead, err error) {
	if !utf8.ValidString(doc) || !strings.HasSuffix(doc, "\n") {
		return r, fmt.Errorf("not lines of UTF-8")
	}
	lines := strings.Split(strings.TrimSuffix(doc, "\n"), "\n")
	if lines[0] != "TAP version 14" {
		return r, fmt.Errorf("version line %q", lines[0])
	}
	plan, n := -1, 0
	for i := 1; i < len(lines); i++ {
		line := lines[i]
		switch m := tapTest.FindStringSubmatch(line); {
		case r.bail != "":
			return r, fmt.Errorf("line %d: %q behind the end", i+1, line)
		case m != nil:
			if n++; strconv.Itoa(n) != m[2] {
				return r, fmt.Errorf("line %d: number %s, want %d", i+1, m[2], n)
			}
			switch {
			case m[4] != "":
				r.skipped++
			case m[1] == "ok":
				r.passed++
			default:
				r.failed++
			}
		case line == "  ---" && n > 0:
			var block []string
			for i++; i < len(lines) && lines[i] != "  ..."; i++ {
				if lines[i] != "" && !strings.HasPrefix(lines[i], "  ") {
					return r, fmt.Errorf("line %d: %q within YAML", i+1, lines[i])
				}
				block = append(block, strings.TrimPrefix(lines[i], "  "))
			}
			if i == len(lines) {
				return r, fmt.Errorf("YAML without an end")
			}
			var m map[string]string
			if err := yaml.Unmarshal([]byte(strings.Join(block, "\n")), &m); err != nil {
				return r, fmt.Errorf("line %d: %w", i+1, err)
			}
			r.yaml = append(r.yaml, m)
		case strings.HasPrefix(line, "1..") && plan < 0:
			if plan, err = strconv.Atoi(line[3:]); err != nil {
				return r, err
			}
		case strings.HasPrefix(line, "# "):
		case strings.HasPrefix(line, "Bail out! "):
			r.bail = strings.TrimPrefix(line, "Bail out! ")
		default:
			return r, fmt.Errorf("line %d: %q", i+1, line)
		}
	}
	if plan != n {
		return r, fmt.Errorf("planned %d, came %d", plan, n)
	}
	return r, nil
}

func TestTAPForAStrictConsumer(t *testing.T) {
	for name, r := range samples() {
		t.Run(name, func(t *testing.T) {
			doc := string(rendered(t, r, TAP))
			got, err := strictTAP(doc)
			if err != nil {
				t.Fatalf("%v\n%s", err, doc)
			}
			n := r.Summary
			want := [3]int{
				n[result.Pass] + n[result.Warning], n[result.Fail] + n[result.Crash] + n[result.Hang] + n[result.Error] + n[result.Inconclusive],
				n[result.Skipped] + n[result.Unsupported] + n[result.Blocked],
			}
			if have := [3]int{got.passed, got.failed, got.skipped}; have != want {
				t.Errorf("passed, failed, skipped: %v, want %v", have, want)
			}
			if (got.bail != "") != (len(r.Doubts()) > 0) {
				t.Errorf("Bail out! %q, exit status %d", got.bail, r.Exit())
			}
			if len(got.yaml) != want[1]+n[result.Warning] {
				t.Errorf("%d diagnostics, want %d", len(got.yaml), want[1]+n[result.Warning])
			}
		})
	}
}

func TestTAPTellsTheMessageWhole(t *testing.T) {
	r := hostile()
	got, err := strictTAP(string(rendered(t, r, TAP)))
	if err != nil {
		t.Fatal(err)
	}
	if want := strings.TrimRight(xmlText(visible(r.Specs[0].Message)), "\n "); got.yaml[0]["message"] != want {
		t.Errorf("%q\nwant\n%q", got.yaml[0]["message"], want)
	}
}

// Nothing in an id, a name or a reason is a directive, or ends one.
func TestTAPHasNoDirectivesOfOthers(t *testing.T) {
	r := result.Result{Specs: []result.Spec{
		{ID: "a", Name: `it fails # SKIP \# TODO`, Verdict: result.Fail, Message: "m"},
		{ID: "b", Name: "it lacks # TODO something", Verdict: result.Unsupported, Message: "no # SKIP\nok 9 - forged"},
	}}
	r.Count()
	got, err := strictTAP(string(rendered(t, r, TAP)))
	if err != nil || got.failed != 1 || got.skipped != 1 || got.passed != 0 {
		t.Errorf("%v: %+v", err, got)
	}
}

func TestTAPForProve(t *testing.T) {
	prove, err := exec.LookPath("prove")
	if err != nil {
		t.Skip("prove is not on PATH: the files were not shown to Test::Harness")
	}
	for name, r := range samples() {
		path := filepath.Join(t.TempDir(), name+".tap")
		// Test::Harness knows nothing later than version 13, in which these files mean the same.
		doc := strings.Replace(string(rendered(t, r, TAP)), "TAP version 14", "TAP version 13", 1)
		if err := os.WriteFile(path, []byte(doc), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), prove, "--source", "File", "--ext", "tap", path).CombinedOutput()
		if good := err == nil; good != (r.Exit() == result.ExitConforms) {
			t.Errorf("%s: prove says %v, the exit status is %d:\n%s", name, err, r.Exit(), out)
		}
		if strings.Contains(string(out), "Parse errors") && len(r.Doubts()) == 0 {
			t.Errorf("%s: %s", name, out)
		}
	}
}
