package campaigns

import (
	"context"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"path/filepath"
	"slices"
	"time"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/containers"
	"nbdconform/fuzz/campaign"
	"nbdconform/fuzz/session"
	"nbdconform/reports/fuzzing"
	"nbdconform/reports/render"
	"nbdconform/reports/render/words"
)

// A sweep is campaigns one after the other, each for an equal part of the time.
type sweep struct {
	dir      string
	list     []Request
	state    state
	records  map[string]fuzzing.Record // by the name of the campaign
	out, err io.Writer
	run      func(context.Context, Request) (fuzzing.Record, error)
}

// SweepDirectory is where a sweep is kept.
func (r *Request) SweepDirectory() string {
	if r.Dir != "" {
		return r.Dir
	}
	return filepath.Join("reports", "out", "fuzz-"+r.Target+"-"+r.Release)
}

// Sweep fuzzes several targets or profiles, and returns the exit status. A
// campaign that fails for reasons of ours, such as a container engine that does
// not run, is tried again after the others, and once more when the same command
// is given again.
func Sweep(ctx context.Context, r Request, out, err io.Writer, show func() console.Campaign) (int, error) {
	list, failed := r.cells(ctx, err)
	if failed != nil {
		return 0, failed
	}
	s := sweep{dir: r.SweepDirectory(), list: list, out: out, err: err, run: func(ctx context.Context, c Request) (fuzzing.Record, error) {
		return c.Run(ctx, show())
	}}
	return s.all(ctx, r.Time, r.Seed)
}

// all runs all campaigns, for a time in all.
func (s *sweep) all(ctx context.Context, goal time.Duration, seed uint64) (int, error) {
	s.records = make(map[string]fuzzing.Record)
	s.state = readState(s.dir)
	if s.state.Goal != goal || len(s.state.Done) >= len(s.list) {
		s.state = state{Goal: goal}
	}
	for i := range s.list {
		c, name := &s.list[i], s.list[i].Name()
		c.Dir, c.Time, c.Seed = filepath.Join(s.dir, name), goal/time.Duration(len(s.list)), seedOf(seed, name)
	}
	for range 2 {
		for i, c := range s.list {
			if err := s.one(ctx, i, c); err != nil {
				return 0, err
			}
		}
	}
	return s.end()
}

// one runs a campaign, unless it came to its end before.
func (s *sweep) one(ctx context.Context, i int, c Request) error {
	name := c.Name()
	if slices.Contains(s.state.Done, name) {
		if _, here := s.records[name]; here {
			return nil
		}
		r, found, err := campaign.Load(c.Dir)
		if err == nil && found {
			s.records[name] = r
		}
		return nil
	}
	fmt.Fprintf(s.err, "[%d/%d] %s for %v\n", i+1, len(s.list), name, c.Time.Round(time.Second))
	r, failed := s.run(ctx, c)
	if ctx.Err() != nil {
		return errors.New("interrupted: the same command goes on from what is in " + s.dir)
	}
	if failed != nil {
		if r.Subject.Name == "" {
			r.Subject = fuzzing.Subject{Kind: "server", Name: c.Target, Release: c.Release, Profile: c.Profile}
		}
		if !slices.Contains(r.Doubts, "ended early: "+failed.Error()) {
			r.Doubts = append(r.Doubts, failed.Error())
		}
	}
	s.records[name] = r
	if err := render.CampaignPage(c.Dir, r); err != nil {
		return s.stuck(err)
	}
	fmt.Fprintln(s.out, r.Conclusion())
	if failed != nil {
		rest(ctx, min(c.Time, 5*time.Second)) // until what does not run runs again
		return nil
	}
	s.state.Done = append(s.state.Done, name)
	if err := s.state.write(s.dir); err != nil {
		return s.stuck(err)
	}
	return nil
}

// stuck is the end of a sweep that can't keep what it finds.
func (s *sweep) stuck(err error) error {
	return fmt.Errorf("%w: what was kept is in %s, and the same command goes on from there", err, s.dir)
}

// rest waits, or until ctx ends.
func rest(ctx context.Context, d time.Duration) {
	select {
	case <-ctx.Done():
	case <-time.After(d):
	}
}

// end sums all campaigns up.
func (s *sweep) end() (int, error) {
	var names []string
	var records []fuzzing.Record
	for _, c := range s.list {
		if r, ok := s.records[c.Name()]; ok {
			names, records = append(names, c.Name()), append(records, r)
		}
	}
	if err := render.CampaignIndex(s.dir, names, records); err != nil {
		return 0, s.stuck(err)
	}
	total, findings, apart := 0, 0, 0
	for _, r := range records {
		if r.Apart() { // as with an old handshake
			apart++
		}
		total += r.Execs
		findings += len(r.Broken())
	}
	fmt.Fprintf(s.out, "%d campaigns, %d of which entered no export, %d scripts, %d findings\nWritten: %s\n",
		len(records), apart, total, findings, filepath.Join(s.dir, "index.html"))
	if missing := len(s.list) - len(s.state.Done); missing > 0 {
		fmt.Fprintf(s.out, "%s could not be run to the end; the same command tries again.\n", words.Count(missing, "campaign", "campaigns"))
	}
	return fuzzing.Exit(records), nil
}

// seedOf is another seed for each campaign: the same scripts everywhere would
// show the same everywhere.
func seedOf(seed uint64, name string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, name)
	return seed + h.Sum64()
}

// cells are the campaigns of a sweep.
func (r *Request) cells(ctx context.Context, progress io.Writer) (list []Request, err error) {
	add := func(name string, profiles []string) {
		for _, p := range profiles {
			c := *r
			c.Target, c.Profile = name, p
			list = append(list, c)
		}
	}
	if r.Target == job.Reference {
		add(job.Reference, session.Profiles())
		return list, nil
	}
	offers := []containers.Offer{}
	if r.Provider == containers.Container {
		offers, err = containers.Offers(ctx, r.Release, func(s string) { fmt.Fprintln(progress, s) })
		if err != nil {
			return nil, err
		}
	} else {
		for _, t := range containers.Targets() {
			offers = append(offers, containers.Offer{Target: t.Name, Profiles: t.Profiles})
		}
	}
	for _, offer := range offers {
		if r.Target != All && r.Target != offer.Target {
			continue
		}
		profiles := slices.Clone(offer.Profiles)
		if r.Profile != "" && r.Profile != All {
			profiles = slices.DeleteFunc(profiles, func(p string) bool { return p != r.Profile })
		}
		add(offer.Target, profiles)
	}
	if len(list) == 0 {
		return nil, errors.New("there is nothing to sweep over: no server of the release has the profile")
	}
	return list, nil
}
