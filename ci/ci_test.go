package ci

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A workspace is a directory in which a runner works, with the suite built.
type workspace struct {
	root, dir, temp, summary string
}

type action struct {
	Inputs map[string]struct {
		Default string
	}
	Runs struct {
		Steps []struct {
			Name, Run, Shell, Uses string
			Env                    map[string]string
		}
	}
}

func newWorkspace(t *testing.T) workspace {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	w := workspace{root: root, dir: t.TempDir(), temp: t.TempDir()}
	w.summary = filepath.Join(w.temp, "summary.md")
	return w
}

func (w workspace) write(t *testing.T, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(w.dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

var expression = regexp.MustCompile(`\$\{\{ *([a-z_.]+) *\}\}`)

// expand does what a runner does with ${{ ... }}.
func (w workspace) expand(t *testing.T, a action, inputs map[string]string, text string) string {
	t.Helper()
	return expression.ReplaceAllStringFunc(text, func(m string) string {
		name := expression.FindStringSubmatch(m)[1]
		if name == "github.action_path" {
			return w.root
		}
		input, ok := strings.CutPrefix(name, "inputs.")
		if _, known := a.Inputs[input]; !ok || !known {
			t.Fatalf("the action says %s, which a runner does not know", m)
		}
		if v, ok := inputs[input]; ok {
			return v
		}
		return a.Inputs[input].Default
	})
}

// runAction runs the steps of action.yml that are commands, one after the
// other, and returns the exit status of the first that fails, with all output.
func (w workspace) runAction(t *testing.T, inputs map[string]string) (int, string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(w.root, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	for name := range inputs {
		if _, ok := a.Inputs[name]; !ok {
			t.Fatalf("the action has no input %s", name)
		}
	}
	var out bytes.Buffer
	ran := 0
	for _, step := range a.Runs.Steps {
		if step.Run == "" {
			continue
		}
		ran++
		if _, err := os.Stat(filepath.Join(w.temp, "nbdconform")); err == nil && strings.Contains(step.Run, "go build") {
			continue // the first case has built it
		}
		env := append(os.Environ(), "RUNNER_TEMP="+w.temp, "GITHUB_STEP_SUMMARY="+w.summary, "GITHUB_WORKSPACE="+w.dir)
		for k, v := range step.Env {
			env = append(env, k+"="+w.expand(t, a, inputs, v))
		}
		if status := w.shell(t, &out, env, w.expand(t, a, inputs, step.Run)); status != 0 {
			return status, out.String()
		}
	}
	if ran < 2 {
		t.Fatalf("the action has %d steps that run, want building and judging", ran)
	}
	return 0, out.String()
}

func (w workspace) shell(t *testing.T, out *bytes.Buffer, env []string, script string) int {
	t.Helper()
	cmd := exec.Command("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", script)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = w.dir, env, out, out
	err := cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode()
}

const some = "id: containsAny {greeting.fixed-newstyle, abort.ack, abort.ack.later}"

// server is the reference server, as somebody's server under test.
func (w workspace) server(quirk string) string {
	command := filepath.Join(w.temp, "nbdconform") + " serve --unix {socket}"
	if quirk != "" {
		command += " --quirk " + quirk
	}
	return command
}

const known = `baseline: 2
entries:
  - {target: nbdconform, versions: "< 2", clause: opt.abort.ack, verdict: fail, reason: Planted.}
`

func TestActionIsGreenAndRed(t *testing.T) {
	w := newWorkspace(t)
	w.write(t, "known.yaml", known)
	w.write(t, "empty.yaml", "baseline: 2\nentries: []\n")
	for _, tc := range []struct {
		name    string
		inputs  map[string]string
		status  int
		out     string
		summary string
	}{
		{"a good server", map[string]string{"command": w.server("")}, 0, "conforms", "nbdconform"},
		{"a bug", map[string]string{"command": w.server("abort-unsupported")}, 1, "does not conform", "abort.ack"},
		{"a bug and a baseline", map[string]string{"command": w.server("abort-unsupported"), "baseline": "empty.yaml"}, 1, "NEW FAIL  abort.ack", "## Gate"},
		{"a known bug", map[string]string{"command": w.server("abort-unsupported"), "baseline": "known.yaml", "version": "1.4"}, 0, "green", "## Gate"},
		{"a bug that is not known in this version", map[string]string{"command": w.server("abort-unsupported"), "baseline": "known.yaml", "version": "2.0"}, 1, "NEW FAIL", "red"},
		{"a bug that is gone", map[string]string{"command": w.server(""), "baseline": "known.yaml", "version": "1.4"}, 1, "PASSES  abort.ack", "red"},
		{"a baseline that is not there", map[string]string{"command": w.server(""), "baseline": "none.yaml"}, 2, "reading baseline", ""},
		{"no server", nil, 2, "nothing to judge", ""},
		{"a server that does not start", map[string]string{"command": "false {socket}"}, 2, "", ""},
		{"an address where nobody is", map[string]string{"uri": "nbd+unix:///?socket=none"}, 2, "", ""},
	} {
		t.Run(tc.name, func(t *testing.T) {
			_ = os.Remove(w.summary)
			inputs := map[string]string{"filter": some}
			for k, v := range tc.inputs {
				inputs[k] = v
			}
			status, out := w.runAction(t, inputs)
			summary, _ := os.ReadFile(w.summary)
			if status != tc.status || !strings.Contains(out, tc.out) || !strings.Contains(string(summary), tc.summary) {
				t.Errorf("status %d, want %d, %q in the output and %q in the summary:\n%s\nsummary:\n%s", status, tc.status, tc.out, tc.summary, out, summary)
			}
			if _, err := os.Stat(filepath.Join(w.dir, "nbdconform-report", "junit.xml")); tc.status < 2 && err != nil {
				t.Error(err)
			}
		})
	}
}

// The template's script, with the suite where before_script would put it.
func TestGitLabTemplateIsGreenAndRed(t *testing.T) {
	w := newWorkspace(t)
	text, err := os.ReadFile("gitlab.yml")
	if err != nil {
		t.Fatal(err)
	}
	var jobs map[string]struct {
		Variables    map[string]string
		BeforeScript []string `yaml:"before_script"`
		Script       []string
	}
	if err := yaml.Unmarshal(text, &jobs); err != nil {
		t.Fatal(err)
	}
	job := jobs[".nbdconform"]
	build := strings.NewReplacer("/tmp/nbdconform", w.root, "/usr/local/bin", w.temp)
	if len(job.BeforeScript) != 2 || len(job.Script) != 1 {
		t.Fatalf("%+v", job)
	}
	for quirk, want := range map[string]int{"": 0, "abort-unsupported": 1} {
		env := append(os.Environ(), "PATH="+w.temp+":"+os.Getenv("PATH"), "INPUT_FILTER="+some, "INPUT_COMMAND="+w.server(quirk))
		for k, v := range job.Variables {
			env = append(env, k+"="+v)
		}
		var out bytes.Buffer
		script := build.Replace(job.BeforeScript[1] + "\n" + job.Script[0]) // the first clones what is here already
		if status := w.shell(t, &out, env, script); status != want {
			t.Errorf("quirk %q: status %d, want %d:\n%s", quirk, status, want, out.String())
		}
		if _, err := os.Stat(filepath.Join(w.dir, "nbdconform-report", "junit.xml")); err != nil {
			t.Error(err)
		}
	}
}
