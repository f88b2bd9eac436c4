package runs

import (
	"errors"
	"os"
	"runtime"
	"strings"

	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/conformance"
	"nbdconform/reports/evidence"
	"nbdconform/reports/render"
	"nbdconform/reports/result"
)

// A keeper puts evidence into files as a run goes on.
type keeper struct {
	job     job.Job
	version string // of the suite
	target  result.Target
	store   *evidence.Store
	warn    func(string)
	warned  bool
}

// newKeeper makes a keeper. Where the job wants no evidence, nothing is kept.
func newKeeper(j job.Job, target result.Target, version string, warn func(string)) (*keeper, error) {
	k := &keeper{job: j, version: version, target: target, warn: warn}
	if j.EvidenceDir == "" {
		return k, nil
	}
	var err error
	k.store, err = evidence.NewStore(j.EvidenceDir, j.Limits())
	return k, err
}

// Publish writes every form of a result into a directory, and then puts the
// evidence there that it names. Where result.json can't be written, the one
// that is there keeps its evidence.
func Publish(out string, r result.Result) (files []string, err error) {
	files, err = render.All(out, r)
	if len(files) == 0 {
		_ = evidence.Discard(out)
		return nil, err
	}
	return files, errors.Join(err, evidence.Publish(out))
}

// keep writes a bundle for a line of the result and notes on the line where it
// is. A run whose evidence can't be written is still a run.
func (k *keeper) keep(line *result.Spec, e *conformance.Evidence) {
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

func (k *keeper) bundle(line *result.Spec, e *conformance.Evidence) evidence.Bundle {
	filter := filterFor(&k.job, *line)
	seenIn := line.ID
	if line.Group == result.JudgeGroup {
		seenIn = line.Location
	}
	b := evidence.Bundle{
		Spec: evidence.Spec{
			ID: line.ID, Name: line.Name, Level: line.Level, Clause: line.Clauses[0], Clauses: line.Clauses,
			Section: line.Section, Requires: line.Requires, Location: line.Location,
			Verdict: line.Verdict, Message: line.Message,
		},
		SeenIn: seenIn, Target: k.target,
		Suite:       result.Suite{Name: "nbdconform", Version: k.version, Filter: k.job.Filter, Seed: k.job.Seed},
		Document:    conformance.Document,
		Environment: environment(),
		Run:         k.job.Evidence(filter),
		Command:     k.job.Reproduce(filter),
		Afterwards:  evidence.Afterwards{Served: e.Served, State: e.State, Exit: e.Exit},
	}
	if p := e.Place; p.Conn >= 0 {
		b.Offending = &evidence.Place{Connection: p.Conn + 1, Offset: p.Offset, Length: p.Length, Judged: p.Judged}
	}
	if t := e.Task; t != nil {
		b.Task = &evidence.Task{Activity: t.Operation, Argv: t.Argv, Dir: t.Dir, Export: t.Export, End: t.End, Wrote: t.Wrote}
		if b.Run.Program == job.Reference {
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
