package campaign

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/fuzz/session"
	"nbdconform/reports/fuzzing"
)

// ClientOptions say what a campaign on a client program is about. Of Options
// count Subject, Dir, Goal, Seed, Shard, Shards, Suite and Progress.
type ClientOptions struct {
	Options
	Client
}

// RunClient runs a client program against a server that misbehaves at random, until
// the goal is reached or ctx ends. [Client.Run] says what counts as wrong.
func RunClient(ctx context.Context, o ClientOptions) (fuzzing.Record, error) {
	c, err := open(ctx, o.Options)
	if err != nil {
		return fuzzing.Record{}, err
	}
	v := &clientCampaign{campaign: c, client: o.Client}
	if v.inputs, err = openCorpus(faultForm, o.Dir); err != nil {
		return c.record, err
	}
	c.record.Corpus = len(v.inputs.entries)
	if err := v.choose(); err != nil {
		return c.record, err
	}
	for err == nil && ctx.Err() == nil && time.Now().Before(c.deadline) {
		if err = v.one(); err == nil {
			err = c.now(false)
		}
	}
	switch {
	case ctx.Err() != nil:
		c.record.Left = max(time.Until(c.deadline).Seconds(), 0)
	case err != nil:
		c.record.Doubts = append(c.record.Doubts, "ended early: "+err.Error())
	default:
		c.record.Left = 0
	}
	return c.record, errors.Join(c.now(true), ctxErr(ctx, err))
}

// A clientCampaign is a campaign on a client.
type clientCampaign struct {
	*campaign
	client Client
	can    []subject.Operation
	inputs *corpus[FaultScript]
}

// choose finds what the program can do with a server that behaves. The rest is left out.
func (v *clientCampaign) choose() error {
	var failed error
	for _, a := range []subject.Operation{subject.CopyOut, subject.CopyIn, subject.Map, subject.Info, subject.List, subject.Visit} {
		if !v.client.Program.Can(a, subject.NoTLS) {
			continue
		}
		m := FaultScript{Operation: a}
		got, err := v.client.Run(v.ctx, m)
		if err != nil {
			return err
		}
		if v.ctx.Err() != nil {
			return nil
		}
		v.reach(got.Reached)
		if got.Finding != nil {
			if err := v.confirm(m, *got.Finding); err != nil {
				return err
			}
		}
		if got.Report.Succeeded() && got.untrue == "" {
			v.can = append(v.can, a)
		} else {
			failed = fmt.Errorf("%s can't %s with a server that behaves: %s", v.Subject.Name, a, got.End+" "+got.untrue)
		}
	}
	if len(v.can) == 0 && failed == nil {
		return fmt.Errorf("%s is not known to do anything that could be fuzzed", v.Subject.Name)
	}
	if len(v.can) == 0 {
		return failed
	}
	return nil
}

// input is the next fault script: a new one, or mutated from one that made the
// program reach something new.
func (v *clientCampaign) input(r *rand.Rand) FaultScript {
	if r.IntN(2) == 0 || len(v.inputs.entries) == 0 {
		return FaultScript{v.can[r.IntN(len(v.can))], randomFaults(r)}
	}
	m := v.inputs.pick(r).mutate(r, v.inputs.pick(r))
	if !slices.Contains(v.can, m.Operation) || r.IntN(8) == 0 {
		m.Operation = v.can[r.IntN(len(v.can))]
	}
	return m
}

func (v *clientCampaign) one() error {
	r := rand.New(rand.NewPCG(v.Seed, v.record.Next*uint64(v.Shards)+uint64(v.Shard)))
	m := v.input(r)
	got, err := v.client.Run(v.ctx, m)
	if errors.Is(err, errSetup) {
		v.record.Next++
		return nil
	}
	if err != nil || v.ctx.Err() != nil {
		return err
	}
	v.record.Next++
	v.record.Execs++
	v.reach(got.Reached)
	if _, err := v.inputs.add(m, got.Reached); err != nil {
		return err
	}
	v.record.Corpus = len(v.inputs.entries)
	if got.Finding == nil {
		return nil
	}
	return v.confirm(m, *got.Finding)
}

// confirm runs a fault script with a finding again, and removes faults that it does not need.
func (v *clientCampaign) confirm(m FaultScript, f fuzzing.Finding) error {
	f.Count, f.First, f.FirstExec, f.Standing = 1, time.Now().UTC(), v.record.Execs, fuzzing.Unconfirmed
	var shown ClientResult // the last that showed it
	shows := func(list []fault) bool {
		if v.ctx.Err() != nil {
			return false
		}
		got, err := v.client.Run(v.ctx, FaultScript{m.Operation, list})
		if err != nil || got.Finding == nil || got.Finding.Signature != f.Signature {
			return false
		}
		shown = got
		return true
	}
	if !v.seen[f.Signature] && shows(m.Faults) {
		f.Standing = fuzzing.New
		for i := len(m.Faults) - 1; i >= 0; i-- {
			if fewer := slices.Delete(slices.Clone(m.Faults), i, i+1); shows(fewer) {
				m.Faults = fewer
			}
		}
	}
	if v.ctx.Err() != nil {
		return nil
	}
	f.Script, f.Ops = m.String(), len(m.Faults)
	if f.Standing == fuzzing.New && v.Dir != "" {
		name, err := v.save(m, shown)
		if err != nil {
			return err
		}
		f.File = findingsDir + "/" + name
	}
	v.note(f)
	return nil
}

// save writes a fault script with a finding, and a stand-alone reproducer next
// to it. It returns the name of the first file.
func (v *clientCampaign) save(m FaultScript, shown ClientResult) (string, error) {
	dir := filepath.Join(v.Dir, findingsDir)
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return "", err
	}
	f := shown.Finding
	saved := SavedFaults{session.Header{Finding: f.Signature, Notes: []string{strings.ReplaceAll(f.Detail, "\n", " ")}}, m}
	name := session.FileName(f.Signature)
	if err := os.WriteFile(filepath.Join(dir, name+FaultExtension), []byte(saved.String()), 0o666); err != nil {
		return "", err
	}
	if v.Subject.Provider == subject.InProcess { // there is no program to start
		return name + FaultExtension, nil
	}
	return name + FaultExtension, os.WriteFile(filepath.Join(dir, name+".py"), []byte(v.client.Reproducer(m, shown)), 0o777)
}
