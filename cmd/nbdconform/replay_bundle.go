package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"nbdconform/reports/evidence"
	"nbdconform/reports/result"
)

// A replay is what the user asks for: an order of which only what was said counts.
type replay struct {
	order
	flags   *pflag.FlagSet
	command []string
	out     string
}

// bundle runs the spec of a bundle again and compares.
func (r *replay) bundle(ctx context.Context, path, client string) error {
	b, err := evidence.Read(path)
	if err != nil {
		return err
	}
	o, err := r.ordered(b, client)
	if err != nil {
		return err
	}
	out := r.out
	if out == "" {
		if out, err = os.MkdirTemp("", "nbdconform-replay-"); err != nil {
			return err
		}
		defer os.RemoveAll(out)
	}
	o.Evidence = out
	got, err := supervise(ctx, o, newDisplay(os.Stderr, false))
	if err != nil {
		_ = evidence.Discard(out)
		return fmt.Errorf("can't tell: %w", err)
	}
	if r.out != "" {
		_, err = publish(out, got)
	} else {
		err = evidence.Publish(out)
	}
	if err != nil {
		return err
	}
	status, text := compare(b, got, out)
	fmt.Printf("then: %s on %s: %s (%s)\n", b.Spec.ID, title(b.Target), b.Spec.Verdict, b.Spec.Clause)
	fmt.Println(text)
	if status != 0 {
		return &exitError{status: status}
	}
	return nil
}

// ordered is the recorded order with what the user wants otherwise.
func (r *replay) ordered(b evidence.Bundle, client string) (order, error) {
	run := b.Run
	if b.Task != nil {
		return r.orderedOfClient(b, client)
	}
	if client != "" {
		return order{}, errors.New("--client: the bundle is about a server; use --target, --uri or a command")
	}
	o := order{
		Target: run.Target, URI: run.URI, Command: run.Command, Provider: run.Provider, Suite: run.Suite,
		Profile: run.Profile, Quirk: run.Quirk, Export: run.Export, Destructive: run.Destructive,
		Timeout: time.Duration(run.TimeoutSeconds * float64(time.Second)),
	}
	if r.Target != "" || r.URI != "" || len(r.command) > 0 {
		o = order{Target: r.Target, URI: r.URI, Command: r.command, Provider: r.Provider, Suite: r.Suite}
	}
	o.Filter, o.Seed = run.Filter, b.Suite.Seed
	for name, take := range map[string]func(){
		"provider": func() { o.Provider = r.Provider },
		"suite":    func() { o.Suite = r.Suite },
		"profile":  func() { o.Profile = r.Profile },
		"quirk":    func() { o.Quirk = r.Quirk },
		"export":   func() { o.Export = r.Export },
		"timeout":  func() { o.Timeout = r.Timeout },

		"destructive": func() { o.Destructive = r.Destructive },
	} {
		if r.flags.Changed(name) {
			take()
		}
	}
	return o, o.check()
}

// orderedOfClient is the recorded order of a client program, likewise.
func (r *replay) orderedOfClient(b evidence.Bundle, client string) (order, error) {
	for _, name := range []string{"target", "uri", "profile", "export", "destructive"} {
		if r.flags.Changed(name) {
			return order{}, fmt.Errorf("--%s says which server, and the bundle is about a client: use --client, or a command", name)
		}
	}
	run := b.Run
	c := &clientOrder{
		Program: run.Program, Command: run.Command, Does: cmp.Or(run.Does, b.Task.Activity), Provider: run.Provider, Suite: run.Suite, Quirk: run.Quirk,
		Timeout: time.Duration(run.TimeoutSeconds * float64(time.Second)), Filter: run.Filter, Seed: b.Suite.Seed,
	}
	if client != "" || len(r.command) > 0 {
		c.Program, c.Command, c.Quirk = client, r.command, ""
	}
	for name, take := range map[string]func(){
		"provider": func() { c.Provider = r.Provider },
		"suite":    func() { c.Suite = r.Suite },
		"quirk":    func() { c.Quirk = r.Quirk },
		"timeout":  func() { c.Timeout = r.Timeout },
	} {
		if r.flags.Changed(name) {
			take()
		}
	}
	if c.Timeout <= 0 {
		return order{}, fmt.Errorf("--timeout %v: it has to be positive", c.Timeout)
	}
	return c.order(""), c.checkProgram()
}

func first(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// compare says whether the failure of a bundle is in a result whose evidence is below out.
func compare(b evidence.Bundle, r result.Result, out string) (status int, text string) {
	for _, s := range r.Specs {
		if s.ID != b.Spec.ID {
			continue
		}
		now := fmt.Sprintf("now: %s on %s: %s", s.ID, title(r.Target), s.Verdict)
		switch {
		case s.Verdict == result.Pass:
			return exitConforms, now + "\nnot reproduced: it passes"
		case s.Verdict != result.Warning && !s.Verdict.Broken():
			return exitUntrusted, now + "\ncan't tell: " + first(s.Message)
		}
		clause := s.Clauses[0]
		if again, err := evidence.Read(filepath.Join(out, filepath.FromSlash(s.Evidence))); s.Evidence != "" && err == nil {
			clause = again.Spec.Clause
		}
		now += fmt.Sprintf(" (%s)\n", clause)
		if s.Verdict == b.Spec.Verdict && clause == b.Spec.Clause {
			return exitViolates, now + "reproduced: " + first(s.Message)
		}
		return exitViolates, now + "still broken, in another way: " + first(s.Message)
	}
	for _, d := range r.Doubts() {
		return exitUntrusted, "can't tell: " + d
	}
	return exitUntrusted, fmt.Sprintf("can't tell: %s did not come up", b.Spec.ID)
}
