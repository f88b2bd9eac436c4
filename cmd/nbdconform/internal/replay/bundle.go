package replay

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/cmd/nbdconform/internal/runs"
	"nbdconform/reports/evidence"
	"nbdconform/reports/result"
)

// bundle runs the spec of a bundle again and compares.
func (r *Request) bundle(ctx context.Context, path string) (int, error) {
	b, err := evidence.Read(path)
	if err != nil {
		return 0, err
	}
	j, err := r.jobOf(b)
	if err != nil {
		return 0, err
	}
	dir := r.Dir
	if dir == "" {
		if dir, err = os.MkdirTemp("", "nbdconform-replay-"); err != nil {
			return 0, err
		}
		defer func() { _ = os.RemoveAll(dir) }()
	}
	j.EvidenceDir = dir
	got, err := r.Run(ctx, j)
	if err != nil {
		_ = evidence.Discard(dir)
		return 0, fmt.Errorf("can't tell: %w", err)
	}
	if r.Dir != "" {
		_, err = runs.Publish(dir, got)
	} else {
		err = evidence.Publish(dir)
	}
	if err != nil {
		return 0, err
	}
	status, text := compare(b, got, dir)
	fmt.Fprintf(r.Out, "then: %s on %s: %s (%s)\n", b.Spec.ID, console.Title(b.Target), b.Spec.Verdict, b.Spec.Clause)
	fmt.Fprintln(r.Out, text)
	return status, nil
}

// jobOf is the recorded job with what the user wants otherwise.
func (r *Request) jobOf(b evidence.Bundle) (job.Job, error) {
	run := b.Run
	if b.Task != nil {
		return r.jobOfClient(b)
	}
	if r.Program != "" {
		return job.Job{}, errors.New("--client: the bundle is about a server; use --target, --uri or a command")
	}
	j := job.Job{
		Target: run.Target, URI: run.URI, Command: run.Command, Provider: run.Provider, Release: run.Release,
		Profile: run.Profile, Quirk: run.Quirk, Export: run.Export, Destructive: run.Destructive,
		Timeout: time.Duration(run.TimeoutSeconds * float64(time.Second)),
	}
	if r.Target != "" || r.URI != "" || len(r.Command) > 0 {
		j = job.Job{Target: r.Target, URI: r.URI, Command: r.Command, Provider: r.Provider, Release: r.Release}
	}
	j.Filter, j.Seed = run.Filter, b.Suite.Seed
	r.override(map[string]func(){
		"provider":    func() { j.Provider = r.Provider },
		"release":     func() { j.Release = r.Release },
		"profile":     func() { j.Profile = r.Profile },
		"quirk":       func() { j.Quirk = r.Quirk },
		"export":      func() { j.Export = r.Export },
		"timeout":     func() { j.Timeout = r.Timeout },
		"destructive": func() { j.Destructive = r.Destructive },
	})
	return j, j.Check()
}

// jobOfClient is the recorded job of a client program, likewise.
func (r *Request) jobOfClient(b evidence.Bundle) (job.Job, error) {
	for _, name := range []string{"target", "uri", "profile", "export", "destructive"} {
		if r.Given(name) {
			return job.Job{}, fmt.Errorf("--%s says which server, and the bundle is about a client: use --client, or a command", name)
		}
	}
	run := b.Run
	c := &job.Client{
		Program: run.Program, Command: run.Command, Does: cmp.Or(run.Does, b.Task.Activity), Provider: run.Provider, Release: run.Release, Quirk: run.Quirk,
		Timeout: time.Duration(run.TimeoutSeconds * float64(time.Second)), Filter: run.Filter, Seed: b.Suite.Seed,
	}
	if r.Program != "" || len(r.Command) > 0 {
		c.Program, c.Command, c.Quirk = r.Program, r.Command, ""
	}
	r.override(map[string]func(){
		"provider": func() { c.Provider = r.Provider },
		"release":  func() { c.Release = r.Release },
		"quirk":    func() { c.Quirk = r.Quirk },
		"timeout":  func() { c.Timeout = r.Timeout },
	})
	if c.Timeout <= 0 {
		return job.Job{}, fmt.Errorf("--timeout %v: it has to be positive", c.Timeout)
	}
	return c.Job(""), c.CheckProgram()
}

// override takes the flags that were given.
func (r *Request) override(flags map[string]func()) {
	for name, take := range flags {
		if r.Given(name) {
			take()
		}
	}
}

// compare says whether the failure of a bundle is in a result whose evidence is
// below dir.
func compare(b evidence.Bundle, r result.Result, dir string) (status int, text string) {
	for _, s := range r.Specs {
		if s.ID != b.Spec.ID {
			continue
		}
		now := fmt.Sprintf("now: %s on %s: %s", s.ID, console.Title(r.Target), s.Verdict)
		switch {
		case s.Verdict == result.Pass:
			return gone, now + "\nnot reproduced: it passes"
		case s.Verdict != result.Warning && !s.Verdict.Broken():
			return undecided, now + "\ncan't tell: " + firstLine(s.Message)
		}
		clause := s.Clauses[0]
		if again, err := evidence.Read(filepath.Join(dir, filepath.FromSlash(s.Evidence))); s.Evidence != "" && err == nil {
			clause = again.Spec.Clause
		}
		now += fmt.Sprintf(" (%s)\n", clause)
		if s.Verdict == b.Spec.Verdict && clause == b.Spec.Clause {
			return stays, now + "reproduced: " + firstLine(s.Message)
		}
		return stays, now + "still broken, in another way: " + firstLine(s.Message)
	}
	for _, d := range r.Doubts() {
		return undecided, "can't tell: " + d
	}
	return undecided, fmt.Sprintf("can't tell: %s did not come up", b.Spec.ID)
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}
