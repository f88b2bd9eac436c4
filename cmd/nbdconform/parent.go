package main

import (
	"bufio"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"

	"nbdconform/conformance/caller"
	"nbdconform/conformance/encounter"
	"nbdconform/conformance/runner"
	"nbdconform/conformance/session"
	"nbdconform/containers"
	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

// stuckAfter is how long a child may say nothing. The longest that a healthy
// one is silent is one spec against a server that answers nothing, and a restart.
const stuckAfter = 10 * time.Minute

// sweepTime bounds the cleaning up behind runs that were killed.
const sweepTime = 20 * time.Second

// supervise runs the suite in a child process and puts its events together. A
// child that dies or gets stuck costs the spec that it was at, and those that
// were to come; an error means that there is no run to speak of.
func supervise(ctx context.Context, o order, show display) (result.Result, error) {
	r := result.Result{
		SchemaVersion: result.SchemaVersion,
		Suite:         result.Suite{Name: "nbdconform", Version: version(), Filter: o.Filter, Seed: o.Seed},
		Document:      runner.Document,
		Started:       time.Now().UTC().Truncate(time.Millisecond),
		Observations:  []result.Observation{},
		Reproduce:     o.reproduce(o.Filter),
	}
	o.sweep()
	c, err := startChild(o)
	if err != nil {
		return r, err
	}
	start := time.Now()
	open := ""
	var planned []result.Spec
	failure := ""
	finished := false
	c.each(ctx, func(e event) {
		switch {
		case e.Progress != "":
			show.step(e.Progress)
		case e.Error != "":
			failure = e.Error
		case e.Target != nil:
			r.Target, planned = *e.Target, e.Planned
			show.plan(r.Target, len(planned))
		case e.Started != "":
			open = e.Started
			show.start(open)
		case e.Done != nil:
			open = ""
			e.Done.Reproduce = o.reproduce(o.filterFor(*e.Done))
			r.Specs = append(r.Specs, *e.Done)
			r.Observations = append(r.Observations, e.Observations...)
			show.done(*e.Done)
		case e.Finished:
			finished = true
		}
	})
	end := c.wait()
	show.close()
	if end != "" {
		o.sweep()
	}
	r.Seconds = time.Since(start).Seconds()
	switch {
	case finished:
	case r.Target.Name == "" && c.killed == "" && failure != "":
		return r, errors.New(failure)
	case r.Target.Name == "":
		return r, fmt.Errorf("the run ended before its first spec: %s", end)
	default:
		r.EndedEarly = cmp.Or(c.killed, failure, end, "for no known reason")
		r.Specs = append(r.Specs, missing(planned, r.Specs, open, r.EndedEarly)...)
	}
	r.Count()
	return r, nil
}

// sweep does away with what earlier runs that were killed have left behind.
func (o *order) sweep() {
	if o.Target == reference || o.URI != "" {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), sweepTime)
	defer cancel()
	_, _ = containers.Sweep(ctx) // the next run tries again
}

// missing are the planned specs that were not tried to their end.
func missing(planned, done []result.Spec, open, end string) []result.Spec {
	have := map[string]bool{}
	for _, s := range done {
		have[s.ID] = true
	}
	var rest []result.Spec
	for _, s := range planned {
		if have[s.ID] {
			continue
		}
		s.Verdict, s.Failures = result.Inconclusive, []result.Failure{result.Because("not-run")}
		if s.ID == open {
			s.Verdict, s.Failures = result.Error, []result.Failure{result.Because("harness", result.Term("run-ended-within", result.Text(end)))}
		}
		s.Message = words.Message(s.Failures)
		rest = append(rest, s)
	}
	return rest
}

// filterFor is the filter that runs a spec alone; for a line of the judge, the
// spec in which the clause was first broken.
func (o *order) filterFor(s result.Spec) string {
	if strings.HasPrefix(s.ID, runner.JudgePrefix) {
		switch s.Location {
		case "":
			return s.Clauses[0]
		case session.Discovery: // comes before any spec
			if o.Client != nil {
				return encounter.Baseline + "." + string(caller.Visit)
			}
			return session.FixedSpec
		}
		return s.Location
	}
	return s.ID
}

// A child is a run of the suite in a process of its own.
type child struct {
	cmd    *exec.Cmd
	events io.ReadCloser
	stderr strings.Builder
	killed string
}

func startChild(o order) (*child, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, fmt.Errorf("finding the program: %w", err)
	}
	text, err := json.Marshal(o)
	if err != nil {
		return nil, err
	}
	read, write, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	c := &child{cmd: exec.Command(self, "trial"), events: read}
	c.cmd.Env = append(os.Environ(), orderVariable+"="+string(text))
	c.cmd.ExtraFiles = []*os.File{write}
	c.cmd.Stderr = &c.stderr
	if _, err := c.cmd.StdinPipe(); err != nil { // its end tells the child that we are gone
		return nil, err
	}
	// An interrupt from the terminal reaches the parent alone, which passes it on once.
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	err = c.cmd.Start()
	_ = write.Close()
	if err != nil {
		_ = read.Close()
		return nil, fmt.Errorf("starting the run: %w", err)
	}
	return c, nil
}

// each calls f for every event until the child is done, and ends a child that
// the user interrupts or that is stuck.
func (c *child) each(ctx context.Context, f func(event)) {
	lines := make(chan event)
	go func() {
		defer close(lines)
		in := bufio.NewReader(c.events)
		for {
			line, err := in.ReadBytes('\n')
			var e event
			if err != nil || json.Unmarshal(line, &e) != nil {
				return
			}
			lines <- e
		}
	}()
	interrupted := ctx.Done()
	patience := time.NewTimer(stuckAfter)
	defer patience.Stop()
	for {
		select {
		case e, ok := <-lines:
			if !ok {
				return
			}
			f(e)
			patience.Reset(stuckAfter)
		case <-interrupted:
			interrupted = nil
			c.killed = "interrupted"
			_ = c.cmd.Process.Signal(syscall.SIGTERM)
			patience.Reset(30 * time.Second)
		case <-patience.C:
			if c.killed == "" {
				c.killed = fmt.Sprintf("stuck for %v", stuckAfter)
			}
			_ = c.cmd.Process.Kill()
		}
	}
}

// wait says how the child ended, or "" if it ended well.
func (c *child) wait() string {
	err := c.cmd.Wait()
	_ = c.events.Close()
	text := strings.TrimSpace(c.stderr.String())
	if len(text) > 8<<10 {
		text = text[len(text)-8<<10:]
	}
	switch {
	case c.killed != "":
		return c.killed
	case err != nil:
		return strings.TrimSpace(err.Error() + "\n" + text)
	}
	return ""
}
