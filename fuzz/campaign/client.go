package campaign

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"nbdconform/conformance/caller"
	"nbdconform/reference/export"
	"nbdconform/reports/fuzzing"
)

// ClientOptions say what a campaign on a client program is about. Of Options
// count Subject, Dir, Goal, Seed, Shard, Shards, Suite and Progress.
type ClientOptions struct {
	Options
	Caller  caller.Caller
	Timeout time.Duration // for one visit; 0: 20 seconds
}

// copied is the size of the export that clients copy, in bytes.
const copied = 1 << 20

// RunClient has a client program visit a server that misbehaves at random, until
// the goal is reached or ctx ends. Wrong is a program that dies of a signal, that
// does not end though its connections have, that writes what only a fault of its
// own explains, and one that reports success with wrong data where the server
// never lied about contents.
func RunClient(ctx context.Context, o ClientOptions) (fuzzing.Record, error) {
	if o.Timeout <= 0 {
		o.Timeout = 20 * time.Second
	}
	c, err := open(ctx, o.Options)
	if err != nil {
		return fuzzing.Record{}, err
	}
	v := &visitor{campaign: c, client: o.Caller, timeout: o.Timeout}
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
	client  caller.Caller
	timeout time.Duration
	can     []caller.Activity
}

// choose finds what the program can do with a server that behaves.
func (v *visitor) choose() error {
	for _, a := range []caller.Activity{caller.CopyOut, caller.CopyIn, caller.Map, caller.Info, caller.List, caller.Visit} {
		if !v.client.Can(a, caller.NoTLS) {
			continue
		}
		r, wrong, err := v.visit(a, nil)
		if err != nil {
			return err
		}
		if !r.Succeeded() || wrong != "" {
			return fmt.Errorf("%s can't %s with a server that behaves: %s %s %s", v.Subject.Name, a, r.Exit, wrong, lastLines(r.Stderr, 1))
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
	a := v.can[r.IntN(len(v.can))]
	moves := randomMoves(r)
	f, point, err := v.try(a, moves)
	if err != nil || v.ctx.Err() != nil {
		return err
	}
	v.record.Next++
	v.record.Execs++
	if !v.points[point] {
		v.points[point] = true
		i, _ := slices.BinarySearch(v.record.Points, point)
		v.record.Points = slices.Insert(v.record.Points, i, point)
	}
	if f == nil {
		return nil
	}
	return v.confirm(a, moves, *f)
}

// confirm tries again what showed a finding, and leaves moves out.
func (v *visitor) confirm(a caller.Activity, moves []move, f fuzzing.Finding) error {
	f.Count, f.First, f.FirstExec, f.Standing = 1, time.Now().UTC(), v.record.Execs, fuzzing.Unconfirmed
	shows := func(list []move) bool {
		if v.ctx.Err() != nil {
			return false
		}
		got, _, err := v.try(a, list)
		return err == nil && got != nil && got.Signature == f.Signature
	}
	if !v.settled[f.Signature] && shows(moves) {
		f.Standing = fuzzing.New
		for i := len(moves) - 1; i >= 0; i-- {
			if fewer := slices.Delete(slices.Clone(moves), i, i+1); shows(fewer) {
				moves = fewer
			}
		}
	}
	if v.ctx.Err() != nil {
		return nil
	}
	f.Script, f.Ops = text(a, moves), len(moves)
	if f.Standing == fuzzing.New && v.Dir != "" {
		dir := filepath.Join(v.Dir, findingsDir)
		if err := os.MkdirAll(dir, 0o777); err != nil {
			return err
		}
		name := strings.Trim(unsafeName.ReplaceAllString(f.Signature, "-"), "-") + ".moves"
		f.File = findingsDir + "/" + name
		if err := os.WriteFile(filepath.Join(dir, name), []byte("# "+f.Signature+"\n"+f.Script), 0o666); err != nil {
			return err
		}
	}
	v.settle(f)
	return nil
}

// try makes a visit, and says what was wrong, or nil, and what it came to.
func (v *visitor) try(a caller.Activity, moves []move) (*fuzzing.Finding, string, error) {
	r, wrong, err := v.visit(a, moves)
	if err != nil {
		return nil, "", err
	}
	end := "success"
	if !r.Succeeded() {
		end = r.Exit
		if line := lastLines(r.Stderr, 1); line != "" {
			end += ": " + numbers.ReplaceAllString(line[:min(len(line), 100)], "N")
		}
	}
	find := func(kind, about, detail string) *fuzzing.Finding {
		return &fuzzing.Finding{
			Signature: strings.TrimSpace(kind + " " + string(a) + " " + about), Kind: kind, About: string(a),
			Detail: detail + "\n" + lastLines(r.Stderr, 10),
		}
	}
	var f *fuzzing.Finding
	switch said := complaint(r.Stderr); {
	case r.Killed != "":
		f = find("crash", strings.TrimSpace(r.Killed+" "+said), "the program died: "+r.Killed)
	case said != "":
		f = find("said", said, "the program ended with "+end)
	case r.Hung:
		f = find("hang", "", fmt.Sprintf("the program did not end in %v; a server that falls silent hangs up after %v", v.timeout, silence))
	case wrong != "" && !lies(moves):
		f = find("wrong", "data", wrong)
	}
	return f, string(a) + ": " + end, nil
}

// visit has the program visit a server that makes the moves. wrong says why a
// success that it reports is none.
func (v *visitor) visit(a caller.Activity, moves []move) (r caller.Report, wrong string, err error) {
	before, in := pattern(1), pattern(2)
	disk := export.New(copied)
	if err := disk.WriteAt(before, 0); err != nil {
		return r, "", err
	}
	dir := v.client.Dir()
	t := caller.Task{Activity: a, Server: caller.Address{Socket: filepath.Join(dir, "f"), Export: "disk"}, File: filepath.Join(dir, "data")}
	_ = os.Remove(t.File)
	if a == caller.CopyIn {
		if err := os.WriteFile(t.File, in, 0o666); err != nil {
			return r, "", err
		}
	}
	h, err := serve(t.Server.Socket, disk, moves)
	if err != nil {
		return r, "", err
	}
	ctx, cancel := context.WithTimeout(v.ctx, v.timeout)
	r, err = v.client.Do(ctx, t)
	cancel()
	h.close()
	if err != nil || !r.Succeeded() {
		return r, "", err
	}
	switch a {
	case caller.CopyOut:
		got, err := os.ReadFile(t.File)
		if err != nil || !bytes.Equal(got, before) {
			return r, fmt.Sprintf("the program reports success, and the copy of %d bytes is not what the server sent (%d bytes, error %v)", copied, len(got), err), nil
		}
	case caller.CopyIn:
		got := make([]byte, copied)
		if err := disk.ReadAt(got, 0); err != nil || !bytes.Equal(got, in) {
			return r, fmt.Sprintf("the program reports success, and the server does not have what it was to write (error %v)", err), nil
		}
	}
	return r, "", nil
}

// pattern is data that is nowhere zero for long.
func pattern(seed byte) []byte {
	b := make([]byte, copied)
	_, _ = rand.NewChaCha8([32]byte{seed}).Read(b)
	return b
}
