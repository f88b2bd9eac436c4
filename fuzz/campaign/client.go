package campaign

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"time"

	"nbdconform/conformance/caller"
	"nbdconform/fuzz/session"
	"nbdconform/reports/fuzzing"
)

// ClientOptions say what a campaign on a client program is about. Of Options
// count Subject, Dir, Goal, Seed, Shard, Shards, Suite and Progress.
type ClientOptions struct {
	Options
	Guest
}

// RunClient has a client program visit a server that misbehaves at random, until
// the goal is reached or ctx ends. What is wrong is said at [Guest.Visit].
func RunClient(ctx context.Context, o ClientOptions) (fuzzing.Record, error) {
	c, err := open(ctx, o.Options)
	if err != nil {
		return fuzzing.Record{}, err
	}
	v := &visitor{campaign: c, guest: o.Guest}
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

// A visitor is a campaign on a client.
type visitor struct {
	*campaign
	guest Guest
	can   []caller.Activity
}

// choose finds what the program can do with a server that behaves.
func (v *visitor) choose() error {
	for _, a := range []caller.Activity{caller.CopyOut, caller.CopyIn, caller.Map, caller.Info, caller.List, caller.Visit} {
		if !v.guest.Caller.Can(a, caller.NoTLS) {
			continue
		}
		got, err := v.guest.Visit(v.ctx, Moves{Activity: a})
		if err != nil {
			return err
		}
		if got.End != "success" || got.Finding != nil {
			return fmt.Errorf("%s can't %s with a server that behaves: %s", v.Subject.Name, a, got.End+" "+got.untrue)
		}
		v.can = append(v.can, a)
	}
	if len(v.can) == 0 {
		return fmt.Errorf("%s is not known to do anything that could be fuzzed", v.Subject.Name)
	}
	return nil
}

func (v *visitor) one() error {
	r := rand.New(rand.NewPCG(v.Seed, v.record.Next*uint64(v.Shards)+uint64(v.Shard)))
	m := Moves{v.can[r.IntN(len(v.can))], randomMoves(r)}
	got, err := v.guest.Visit(v.ctx, m)
	if err != nil || v.ctx.Err() != nil {
		return err
	}
	v.record.Next++
	v.record.Execs++
	if point := string(m.Activity) + ": " + got.End; !v.points[point] {
		v.points[point] = true
		i, _ := slices.BinarySearch(v.record.Points, point)
		v.record.Points = slices.Insert(v.record.Points, i, point)
	}
	if got.Finding == nil {
		return nil
	}
	return v.confirm(m, *got.Finding)
}

// confirm tries again what showed a finding, and leaves moves out.
func (v *visitor) confirm(m Moves, f fuzzing.Finding) error {
	f.Count, f.First, f.FirstExec, f.Standing = 1, time.Now().UTC(), v.record.Execs, fuzzing.Unconfirmed
	shows := func(list []move) bool {
		if v.ctx.Err() != nil {
			return false
		}
		got, err := v.guest.Visit(v.ctx, Moves{m.Activity, list})
		return err == nil && got.Finding != nil && got.Finding.Signature == f.Signature
	}
	if !v.settled[f.Signature] && shows(m.List) {
		f.Standing = fuzzing.New
		for i := len(m.List) - 1; i >= 0; i-- {
			if fewer := slices.Delete(slices.Clone(m.List), i, i+1); shows(fewer) {
				m.List = fewer
			}
		}
	}
	if v.ctx.Err() != nil {
		return nil
	}
	f.Script, f.Ops = m.String(), len(m.List)
	if f.Standing == fuzzing.New && v.Dir != "" {
		dir := filepath.Join(v.Dir, findingsDir)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		name := session.FileName(f.Signature) + MovesExtension
		f.File = findingsDir + "/" + name
		saved := SavedMoves{session.Header{Finding: f.Signature}, m}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(saved.String()), 0o666); err != nil {
			return err
		}
	}
	v.settle(f)
	return nil
}
