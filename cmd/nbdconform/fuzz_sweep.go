package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"nbdconform/containers"
	"nbdconform/fuzz/campaign"
	"nbdconform/fuzz/session"
	"nbdconform/reports/fuzzing"
	"nbdconform/reports/render"
)

// A sweepState says how far a sweep is, so that one that was stopped goes on.
type sweepState struct {
	Goal time.Duration `json:"goal"` // of the whole sweep
	Done []string      `json:"done"` // names of campaigns that came to their end
}

// sweepFile has the state, in the directory of a sweep.
const sweepFile = "sweep.json"

// A sweep is campaigns in turns, each for an equal part of the time.
type sweep struct {
	dir     string
	list    []fuzzOrder
	state   sweepState
	records map[string]fuzzing.Record // by the name of the campaign
}

// sweep fuzzes several targets or profiles. A campaign that comes to nothing for
// reasons of ours, such as a container engine that is away, is tried again behind
// the others, and once more when the same command is given again.
func (o *fuzzOrder) sweep(ctx context.Context) error {
	list, err := o.cells(ctx)
	if err != nil {
		return err
	}
	s := sweep{dir: o.Dir, list: list, records: make(map[string]fuzzing.Record)}
	if s.dir == "" {
		s.dir = filepath.Join("reports", "out", "fuzz-"+o.Target+"-"+o.Suite)
	}
	release, err := hold(s.dir)
	if err != nil {
		return err
	}
	defer release()
	s.state = readSweep(s.dir)
	if s.state.Goal != o.Time || len(s.state.Done) >= len(list) {
		s.state = sweepState{Goal: o.Time}
	}
	for i := range list {
		c, name := &list[i], list[i].name()
		c.Dir, c.Time, c.Seed = filepath.Join(s.dir, name), o.Time/time.Duration(len(list)), seedOf(o.Seed, name)
	}
	for range 2 {
		for i, c := range list {
			if err := s.one(ctx, i, c); err != nil {
				return err
			}
		}
	}
	return s.end()
}

// one runs a campaign, unless it came to its end before.
func (s *sweep) one(ctx context.Context, i int, c fuzzOrder) error {
	name := c.name()
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
	fmt.Fprintf(os.Stderr, "[%d/%d] %s for %v\n", i+1, len(s.list), name, c.Time.Round(time.Second))
	r, failed := c.campaign(ctx, newFuzzDisplay(os.Stderr))
	if ctx.Err() != nil {
		return &exitError{status: exitUntrusted, text: "interrupted: the same command goes on from what is in " + s.dir}
	}
	if failed != nil {
		if r.Subject.Name == "" {
			r.Subject = fuzzing.Subject{Kind: "server", Name: c.Target, Suite: c.Suite, Profile: c.Profile}
		}
		if !slices.Contains(r.Doubts, "ended early: "+failed.Error()) {
			r.Doubts = append(r.Doubts, failed.Error())
		}
	}
	s.records[name] = r
	if err := render.CampaignPage(c.Dir, r); err != nil {
		return s.stuck(err)
	}
	fmt.Println(r.Conclusion())
	if failed != nil {
		rest(ctx, min(c.Time, 5*time.Second)) // for what is away to come back
		return nil
	}
	s.state.Done = append(s.state.Done, name)
	if err := writeSweep(s.dir, s.state); err != nil {
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

// cells are the campaigns of a sweep.
func (o *fuzzOrder) cells(ctx context.Context) (list []fuzzOrder, err error) {
	add := func(name string, profiles []string) {
		for _, p := range profiles {
			c := *o
			c.Target, c.Profile = name, p
			list = append(list, c)
		}
	}
	if o.Target == reference {
		add(reference, session.Profiles())
		return list, nil
	}
	offers := []containers.Offer{}
	if o.Provider == containers.Container {
		offers, err = containers.Offers(ctx, o.Suite, func(s string) { fmt.Fprintln(os.Stderr, s) })
		if err != nil {
			return nil, err
		}
	} else {
		for _, t := range containers.Targets() {
			offers = append(offers, containers.Offer{Target: t.Name, Profiles: t.Profiles})
		}
	}
	for _, offer := range offers {
		if o.Target != allTargets && o.Target != offer.Target {
			continue
		}
		profiles := slices.Clone(offer.Profiles)
		if o.Profile != "" && o.Profile != allProfiles {
			profiles = slices.DeleteFunc(profiles, func(p string) bool { return p != o.Profile })
		}
		add(offer.Target, profiles)
	}
	if len(list) == 0 {
		return nil, errors.New("there is nothing to sweep over: no server of the suite has the profile")
	}
	return list, nil
}

// seedOf is another seed for each campaign: the same scripts everywhere would
// show the same everywhere.
func seedOf(seed uint64, name string) uint64 {
	h := fnv.New64a()
	_, _ = io.WriteString(h, name)
	return seed + h.Sum64()
}

// end sums all campaigns up.
func (s *sweep) end() error {
	var names []string
	var records []fuzzing.Record
	for _, c := range s.list {
		if r, ok := s.records[c.name()]; ok {
			names, records = append(names, c.name()), append(records, r)
		}
	}
	if err := render.CampaignIndex(s.dir, names, records); err != nil {
		return s.stuck(err)
	}
	total, findings, apart := 0, 0, 0
	for _, r := range records {
		if r.Apart() { // as with an old handshake
			apart++
		}
		total += r.Execs
		findings += len(r.Broken())
	}
	fmt.Printf("%d campaigns, %d of which entered no export, %d scripts, %d findings\nWritten: %s\n", len(records), apart, total, findings, filepath.Join(s.dir, "index.html"))
	if missing := len(s.list) - len(s.state.Done); missing > 0 {
		fmt.Printf("%s could not be run to the end; the same command tries again.\n", counted(missing, "campaign"))
	}
	if status := fuzzing.Exit(records); status != exitConforms {
		return &exitError{status: status}
	}
	return nil
}

func readSweep(dir string) (s sweepState) {
	text, err := os.ReadFile(filepath.Join(dir, sweepFile))
	if err == nil && json.Unmarshal(text, &s) != nil {
		return sweepState{}
	}
	return s
}

func writeSweep(dir string, s sweepState) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return render.Replace(filepath.Join(dir, sweepFile), func(w io.Writer) error { return json.NewEncoder(w).Encode(s) })
}
