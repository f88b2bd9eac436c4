package campaign

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"nbdconform/fuzz/internal/script"
	"nbdconform/fuzz/session"
	"nbdconform/reports/fuzzing"
)

// Options say what a campaign is about.
type Options struct {
	Subject fuzzing.Subject
	Server  Server // of the subject; Run does not close it
	// Guide runs every script as well; nil: there is none.
	Guide Server
	// Against is what answers are compared with, AgainstSubject what that is; nil: nothing.
	Against        Server
	AgainstSubject fuzzing.Subject

	Dir    string        // of the campaign; "": nothing is kept
	Goal   time.Duration // for how long
	Seed   uint64        // of the inputs
	Shard  int           // which part of Shards this is, from 0
	Shards int           // 0: 1
	Suite  string        // version of nbdconform
	Seeds  []string      // scripts and captures to start from: files and directories
	// Known has the clauses that the subject is known to break, with the reason.
	Known    map[string]string
	ReadOnly bool          // scripts that may change the export are left out
	Patience time.Duration // for what is due; 0: 2 seconds
	// Progress is told now and then; may be nil.
	Progress func(r fuzzing.Record, left time.Duration)
}

// A campaign while it runs.
type campaign struct {
	Options
	ctx      context.Context
	record   fuzzing.Record
	corpus   *corpus[script.Script]
	points   map[string]bool        // of the record
	seeds    []entry[script.Script] // not run yet
	seen     map[string]bool        // signatures
	silent   map[string]bool        // signatures of what the other target does not answer
	recent   []script.Script        // since the last look from outside
	looked   time.Time
	saved    time.Time
	told     time.Time
	began    time.Time
	before   float64 // seconds of earlier runs
	deadline time.Time
}

// How often something is done that costs more than a script.
const (
	lookEvery = 2 * time.Second
	saveEvery = 5 * time.Second
	tellEvery = time.Second
)

// Run fuzzes until the goal is reached or ctx ends. Where Dir has a campaign
// already, it goes on with that: for what was left, if it was interrupted.
func Run(ctx context.Context, o Options) (fuzzing.Record, error) {
	c, err := open(ctx, o)
	if err != nil {
		return fuzzing.Record{}, err
	}
	if err := c.Server.Fresh(ctx); err != nil {
		return c.record, fmt.Errorf("%v can't be fuzzed: %w", o.Subject, err)
	}
	for err == nil && ctx.Err() == nil && time.Now().Before(c.deadline) {
		if err = c.one(); err == nil {
			err = c.now(false)
		}
	}
	switch {
	case ctx.Err() != nil:
		err = nil
		c.record.Left = max(time.Until(c.deadline).Seconds(), 0)
	case err != nil:
		c.record.Doubts = append(c.record.Doubts, "ended early: "+err.Error())
	default:
		c.record.Left = 0
	}
	return c.record, errors.Join(c.now(true), ctxErr(ctx, err))
}

// ctxErr is err, unless the campaign was stopped: that is no error.
func ctxErr(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// open reads what there is of the campaign, or begins it.
func open(ctx context.Context, o Options) (*campaign, error) {
	o.Shards = max(o.Shards, 1)
	if o.Patience <= 0 {
		o.Patience = 2 * time.Second
	}
	c := &campaign{Options: o, ctx: ctx, points: make(map[string]bool), seen: make(map[string]bool), silent: make(map[string]bool), began: time.Now(), looked: time.Now()}
	var err error
	if c.corpus, err = openCorpus(scriptForm, o.Dir); err != nil {
		return nil, err
	}
	for _, s := range o.Seeds {
		list, err := readSeeds(s)
		if err != nil {
			return nil, err
		}
		c.seeds = append(c.seeds, list...)
	}
	return c, c.resume()
}

// resume takes up the record in Dir.
func (c *campaign) resume() error {
	r, found, err := Load(c.Dir)
	if err != nil {
		return err
	}
	goal := c.Goal
	if found {
		if err := c.same(r); err != nil {
			return err
		}
		if r.Left > 0 && c.Goal.Seconds() == r.Goal {
			goal = time.Duration(r.Left * float64(time.Second))
		}
		c.before, r.Doubts = r.Seconds, nil
		c.seeds = nil
	} else {
		r = fuzzing.Record{
			Subject: c.Subject, Seed: c.Seed, Shard: c.Shard, Shards: c.Shards, Started: time.Now().UTC(),
		}
		if c.Against != nil {
			r.Against = &c.AgainstSubject
		}
	}
	r.Suite, r.Goal, r.Left = c.Suite, c.Goal.Seconds(), goal.Seconds()
	c.record = r
	c.record.Corpus = len(c.corpus.entries)
	c.deadline = c.began.Add(goal)
	for _, p := range r.Points {
		c.points[p] = true
	}
	for _, f := range r.Findings {
		c.seen[f.Signature] = f.Standing != fuzzing.Unconfirmed
	}
	return nil
}

// same is an error if the record is of another campaign.
func (c *campaign) same(r fuzzing.Record) error {
	if r.Subject.String() != c.Subject.String() || r.Subject.Image != c.Subject.Image ||
		(r.Against == nil) != (c.Against == nil) || r.Against != nil && r.Against.String() != c.AgainstSubject.String() {
		return fmt.Errorf("%s has a campaign on %v, not on %v: name another directory", c.Dir, r.Subject, c.Subject)
	}
	if r.Seed != c.Seed || r.Shard != c.Shard || r.Shards != c.Shards {
		return fmt.Errorf("%s has shard %d of %d with seed %d, not %d of %d with seed %d: name another directory",
			c.Dir, r.Shard, r.Shards, r.Seed, c.Shard, c.Shards, c.Seed)
	}
	return nil
}

// now does what is to be done now and then.
func (c *campaign) now(end bool) error {
	if c.Server != nil && c.ctx.Err() == nil && (end || time.Since(c.looked) > lookEvery) {
		if err := c.look(); err != nil {
			return err
		}
	}
	c.record.Seconds = c.before + time.Since(c.began).Seconds()
	if !end {
		c.record.Left = max(time.Until(c.deadline).Seconds(), 0.001)
	}
	c.record.Updated = time.Now().UTC()
	if c.Progress != nil && (end || time.Since(c.told) > tellEvery) {
		c.told = time.Now()
		c.Progress(c.record, time.Until(c.deadline))
	}
	if c.Dir == "" || !end && time.Since(c.saved) < saveEvery {
		return nil
	}
	c.saved = time.Now()
	return Store(c.Dir, c.record)
}

// one makes an input and runs it.
func (c *campaign) one() error {
	s := c.input()
	if c.ReadOnly && s.Writes() {
		c.record.Next++
		return nil
	}
	r, err := c.Server.Run(c.ctx, s, Care{Patience: c.Patience, Trace: c.Against != nil, Seen: c.hasSeen})
	if err != nil || c.ctx.Err() != nil {
		return err
	}
	c.record.Next++
	c.record.Execs++
	c.record.Requests += r.Requests
	c.recent = append(c.recent, s)
	if err := c.learn(s, r); err != nil {
		return err
	}
	if c.Against != nil {
		if err := c.compare(s, r); err != nil {
			return err
		}
	}
	return c.triage(s, r.Findings)
}

func (c *campaign) hasSeen(signature string) bool { return c.seen[signature] }

// input is the next script.
func (c *campaign) input() script.Script {
	if len(c.seeds) > 0 {
		s := c.seeds[0].input
		c.seeds = c.seeds[1:]
		s.Profile = ""
		return s
	}
	r := rand.New(rand.NewPCG(c.Seed, c.record.Next*uint64(c.Shards)+uint64(c.Shard)))
	o := script.Options{Length: []int{6, 12, 12, 24, 60}[r.IntN(5)]}
	if c.ReadOnly {
		o.Tempers = []script.Temper{script.Valid}
	}
	if r.IntN(2) == 0 || len(c.corpus.entries) == 0 {
		return script.Generate(r.Uint64(), o)
	}
	s := c.corpus.pick(r).Mutate(r.Uint64(), c.corpus.pick(r), o)
	if len(s.Ops) > 400 {
		s.Ops = s.Ops[:400]
	}
	return s
}

// learn keeps a script that got somewhere new, on the subject or on the guide.
func (c *campaign) learn(s script.Script, r session.Result) error {
	var reached []string
	for _, p := range r.Reached {
		reached = append(reached, p.String())
	}
	c.reach(reached)
	if _, same := c.Server.(Reference); c.Guide != nil && !same {
		g, err := c.Guide.Run(c.ctx, s, Care{Patience: 200 * time.Millisecond})
		if err != nil {
			return err
		}
		for _, p := range g.Reached {
			reached = append(reached, "reference: "+p.String())
		}
	}
	_, err := c.corpus.add(s, reached)
	c.record.Corpus = len(c.corpus.entries)
	return err
}

// reach notes points that the subject got to.
func (c *campaign) reach(points []string) {
	for _, p := range points {
		if !c.points[p] {
			c.points[p] = true
			i, _ := slices.BinarySearch(c.record.Points, p)
			c.record.Points = slices.Insert(c.record.Points, i, p)
		}
	}
}
