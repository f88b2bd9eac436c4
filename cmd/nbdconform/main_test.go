package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"nbdconform/conformance"
	"nbdconform/conformance/clause"
	"nbdconform/reports/result"
)

// The tests of this package look at the program from outside: they build it
// once and run it.

// binary is the program under test.
var binary string

// patience is how long anything may take before a test gives up on it.
const patience = 2 * time.Minute

func TestMain(m *testing.M) {
	if play := os.Getenv(roleVariable); play != "" {
		playRole(play)
		return
	}
	os.Exit(withBinary(m))
}

func withBinary(m *testing.M) int {
	dir, err := os.MkdirTemp("", "nbdconform-test-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = filepath.Join(dir, "nbdconform")
	build := exec.Command("go", "build", "-o", binary, ".")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		fmt.Fprintf(os.Stderr, "building the program: %v\n%s", err, out)
		return 1
	}
	return m.Run()
}

// An outcome is what a finished program leaves.
type ended struct {
	status         int
	stdout, stderr string
	out            string // directory of the reports
}

// nbdconform runs the program in an empty directory. A "run" writes its reports to outcome.out.
func nbdconform(t *testing.T, args ...string) ended {
	t.Helper()
	return start(t, nil, args...).end()
}

// A running program.
type running struct {
	t              *testing.T
	cmd            *exec.Cmd
	out            string
	stdout, stderr bytes.Buffer
}

// start starts the program with more variables in its environment.
func start(t *testing.T, env []string, args ...string) *running {
	t.Helper()
	p := prepare(t, env, args...)
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return p
}

func prepare(t *testing.T, env []string, args ...string) *running {
	t.Helper()
	dir := t.TempDir()
	p := &running{t: t, out: filepath.Join(dir, "out")}
	if len(args) > 0 && args[0] == "run" {
		args = append([]string{"run", "--out", p.out}, args[1:]...)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	p.cmd = exec.CommandContext(ctx, binary, args...)
	p.cmd.Dir, p.cmd.Env = dir, append(os.Environ(), env...)
	p.cmd.Stdout, p.cmd.Stderr = &p.stdout, &p.stderr
	p.cmd.WaitDelay = time.Second
	t.Cleanup(func() {
		cancel()
		_ = p.cmd.Wait()
	})
	return p
}

// end waits for the program to exit.
func (p *running) end() ended {
	p.t.Helper()
	err := p.cmd.Wait()
	if p.cmd.ProcessState == nil || p.cmd.ProcessState.ExitCode() < 0 {
		p.t.Fatalf("%v: %v\n%s", p.cmd.Args, err, p.stderr.String())
	}
	return ended{p.cmd.ProcessState.ExitCode(), p.stdout.String(), p.stderr.String(), p.out}
}

// result reads result.json, which validates it.
func (o ended) result(t *testing.T) result.Result {
	t.Helper()
	f, err := os.Open(filepath.Join(o.out, "result.json"))
	if err != nil {
		t.Fatalf("%v; stderr:\n%s", err, o.stderr)
	}
	defer f.Close()
	r, err := result.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// want fails the test unless the program exited with the status.
func (o ended) want(t *testing.T, status int) {
	t.Helper()
	if o.status != status {
		t.Fatalf("exit status %d, want %d\nstdout:\n%s\nstderr:\n%s", o.status, status, o.stdout, o.stderr)
	}
}

// allSpecs is read once: Ginkgo's suite is global.
var allSpecs = sync.OnceValues(func() ([]conformance.Listing, error) { return conformance.List(clause.Server, "") })

// census lists the specs.
func census(t *testing.T) []conformance.Listing {
	t.Helper()
	all, err := allSpecs()
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// verdicts maps the ids of r's specs, without the judge's lines, to their verdicts.
func verdicts(r result.Result) map[string]result.Verdict {
	v := map[string]result.Verdict{}
	for _, s := range r.Specs {
		if !strings.HasPrefix(s.ID, result.JudgePrefix) {
			v[s.ID] = s.Verdict
		}
	}
	return v
}

// with returns the specs that have a verdict.
func with(r result.Result, v result.Verdict) []result.Spec {
	var found []result.Spec
	for _, s := range r.Specs {
		if s.Verdict == v {
			found = append(found, s)
		}
	}
	return found
}

// wholeCensus fails the test unless every spec has a verdict.
func wholeCensus(t *testing.T, r result.Result) {
	t.Helper()
	have := verdicts(r)
	all := census(t)
	for _, e := range all {
		if have[e.ID] == "" {
			t.Errorf("the result lacks %s", e.ID)
		}
	}
	if len(have) != len(all) {
		t.Errorf("%d specs, want %d", len(have), len(all))
	}
}
