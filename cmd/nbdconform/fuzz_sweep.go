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

	"nbdconform/conformance/target/inprocess"
	"nbdconform/containers"
	"nbdconform/fuzz/campaign"
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

// sweep fuzzes several targets or profiles in turns, each for an equal part of the time.
func (o *fuzzOrder) sweep(ctx context.Context) error {
	list, err := o.cells(ctx)
	if err != nil {
		return err
	}
	dir := o.Dir
	if dir == "" {
		dir = filepath.Join("reports", "out", "fuzz-"+o.Target+"-"+o.Suite)
	}
	state := readSweep(dir)
	if state.Goal != o.Time || len(state.Done) >= len(list) {
		state = sweepState{Goal: o.Time}
	}
	var records []fuzzing.Record
	var names []string
	part := o.Time / time.Duration(len(list))
	for i, cell := range list {
		name := cell.name()
		cell.Dir, cell.Time, cell.Seed = filepath.Join(dir, name), part, seedOf(o.Seed, name)
		if slices.Contains(state.Done, name) {
			if r, found, err := campaign.Load(cell.Dir); err == nil && found {
				records, names = append(records, r), append(names, name)
			}
			continue
		}
		fmt.Fprintf(os.Stderr, "[%d/%d] %s for %v\n", i+1, len(list), name, part.Round(time.Second))
		r, err := cell.campaign(ctx, newFuzzDisplay(os.Stderr))
		if err != nil {
			r.Subject = fuzzing.Subject{Kind: "server", Name: cell.Target, Suite: cell.Suite, Profile: cell.Profile}
			r.Doubts = append(r.Doubts, err.Error())
		}
		if ctx.Err() != nil {
			return &exitError{status: exitUntrusted, text: "interrupted: the same command goes on from what is in " + dir}
		}
		if err := render.CampaignPage(cell.Dir, r); err != nil {
			return err
		}
		fmt.Println(r.Conclusion())
		records, names = append(records, r), append(names, name)
		state.Done = append(state.Done, name)
		if err := writeSweep(dir, state); err != nil {
			return err
		}
	}
	return endSweep(dir, names, records)
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
		add(reference, inprocess.Profiles())
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

func endSweep(dir string, names []string, records []fuzzing.Record) error {
	if err := render.CampaignIndex(dir, names, records); err != nil {
		return err
	}
	status := exitConforms
	total, findings, unentered := 0, 0, 0
	for _, r := range records {
		switch {
		case r.Unentered() && len(r.Doubts) == 0: // as with an old handshake: listed, and no reason to doubt the others
			unentered++
			if len(r.Broken()) > 0 {
				status = max(status, exitViolates)
			}
		default:
			status = max(status, r.Exit())
		}
		total += r.Execs
		findings += len(r.Broken())
	}
	if unentered == len(records) {
		status = exitUntrusted
	}
	fmt.Printf("%d campaigns, %d of which entered no export, %d scripts, %d findings\nWritten: %s\n", len(records), unentered, total, findings, filepath.Join(dir, "index.html"))
	if status != exitConforms {
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
