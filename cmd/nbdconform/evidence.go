package main

import (
	"cmp"
	"errors"
	"os"
	"runtime"
	"strings"

	"nbdconform/conformance/outcome"
	"nbdconform/conformance/runner"
	"nbdconform/reports/evidence"
	"nbdconform/reports/render"
	"nbdconform/reports/result"
)

// A keeper puts evidence into files as a run goes on.
type keeper struct {
	order  order
	target result.Target
	store  *evidence.Store
	warn   func(string)
	warned bool
}

// newKeeper makes a keeper. Where the order wants no evidence, nothing is to be kept.
func newKeeper(o order, target result.Target, tell *teller) (*keeper, error) {
	k := &keeper{order: o, target: target, warn: func(s string) { tell.tell(event{Progress: s}) }}
	if o.Evidence == "" {
		return k, nil
	}
	var err error
	k.store, err = evidence.NewStore(o.Evidence, o.limits())
	return k, err
}

// publish writes every form of a result into a directory, and then puts the
// evidence there that it names. Where result.json can't be written, the one
// that is there keeps its evidence.
func publish(out string, r result.Result) (files []string, err error) {
	files, err = render.All(out, r)
	if len(files) == 0 {
		_ = evidence.Discard(out)
		return nil, err
	}
	return files, errors.Join(err, evidence.Publish(out))
}

// keep writes a bundle for a line of the result and notes on the line where it
// is. A run whose evidence can't be written is still a run.
func (k *keeper) keep(line *result.Spec, e *outcome.Evidence) {
	b := k.bundle(line, e)
	m := evidence.Material{Recording: e.Recording, Transcript: e.Transcript, Contents: e.Contents, Stderr: e.Stderr}
	if t := e.Task; t != nil {
		m.Input, m.Cookies = t.Input, t.Cookies
	}
	dir, err := k.store.Add(b, m)
	if err != nil {
		if !k.warned {
			k.warn("warning: " + err.Error())
		}
		k.warned = true
		return
	}
	line.Evidence = dir
}

func (k *keeper) bundle(line *result.Spec, e *outcome.Evidence) evidence.Bundle {
	filter := k.order.filterFor(*line)
	seenIn := line.ID
	if strings.HasPrefix(line.ID, runner.JudgePrefix) {
		seenIn = line.Location
	}
	b := evidence.Bundle{
		Spec: evidence.Spec{
			ID: line.ID, Name: line.Name, Level: line.Level, Clause: line.Clauses[0], Clauses: line.Clauses,
			Section: line.Section, Requires: line.Requires, Location: line.Location,
			Verdict: line.Verdict, Message: line.Message,
		},
		SeenIn: seenIn, Target: k.target,
		Suite:       result.Suite{Name: "nbdconform", Version: version(), Filter: k.order.Filter, Seed: k.order.Seed},
		Document:    runner.Document,
		Environment: environment(),
		Run:         k.order.evidence(filter),
		Command:     k.order.reproduce(filter),
		Afterwards:  evidence.Afterwards{Served: e.Served, State: e.State, Exit: e.Exit},
	}
	if p := e.Place; p.Conn >= 0 {
		b.Offending = &evidence.Place{Connection: p.Conn + 1, Offset: p.Offset, Length: p.Length, Judged: p.Judged}
	}
	if t := e.Task; t != nil {
		b.Task = &evidence.Task{Activity: t.Operation, Argv: t.Argv, Dir: t.Dir, Export: t.Export, End: t.End, Wrote: t.Wrote}
		if b.Run.Program == reference {
			b.Task.Argv = nil // it is no program of its own
		}
	}
	if e.Clause != "" {
		b.Spec.Clause = string(e.Clause)
	}
	return b
}

// environment is where this program runs.
func environment() evidence.Environment {
	kernel, _ := os.ReadFile("/proc/sys/kernel/osrelease")
	return evidence.Environment{
		OS: runtime.GOOS, Arch: runtime.GOARCH, Kernel: strings.TrimSpace(string(kernel)),
		Go: runtime.Version(), CPUs: runtime.NumCPU(),
	}
}

// evidence is the order as a bundle has it.
func (o *order) evidence(filter string) evidence.Run {
	if c := o.Client; c != nil {
		r := evidence.Run{
			Program: c.Program, Command: c.Command, Provider: c.Provider, Suite: c.Suite, Quirk: c.Quirk,
			TimeoutSeconds: c.Timeout.Seconds(), Filter: filter,
		}
		if len(c.Command) > 0 {
			r.Does = c.Does
		} else {
			r.Program = cmp.Or(c.Program, reference)
		}
		return r
	}
	return evidence.Run{
		Target: o.Target, URI: o.URI, Command: o.Command, Provider: o.Provider, Suite: o.Suite, Profile: o.Profile,
		Quirk: o.Quirk, Export: o.Export, Destructive: o.Destructive, TimeoutSeconds: o.Timeout.Seconds(), Filter: filter,
	}
}
