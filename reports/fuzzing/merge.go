package fuzzing

import (
	"cmp"
	"errors"
	"fmt"
	"slices"
)

// Merge makes one record of those of shards. What comes out does not depend on
// the order of the list.
func Merge(list []Record) (Record, error) {
	if len(list) == 0 {
		return Record{}, errors.New("there is no record to merge")
	}
	list = slices.Clone(list)
	slices.SortFunc(list, func(a, b Record) int {
		return cmp.Or(cmp.Compare(a.Shard, b.Shard), cmp.Compare(a.Seed, b.Seed), a.Started.Compare(b.Started))
	})
	m := list[0]
	m.Shard, m.Shards, m.Left = 0, 1, 0
	m.Points, m.Findings, m.Differs, m.Doubts = slices.Clone(m.Points), slices.Clone(m.Findings), slices.Clone(m.Differs), slices.Clone(m.Doubts)
	for _, r := range list[1:] {
		if r.Subject.String() != m.Subject.String() || r.Subject.Image != m.Subject.Image {
			return m, fmt.Errorf("the records are about different things: %v and %v", m.Subject, r.Subject)
		}
		if (r.Against == nil) != (m.Against == nil) || r.Against != nil && r.Against.String() != m.Against.String() {
			return m, fmt.Errorf("the records of %v compare it with different things", m.Subject)
		}
		m.Next = max(m.Next, r.Next)
		if r.Started.Before(m.Started) {
			m.Started = r.Started
		}
		if r.Updated.After(m.Updated) {
			m.Updated = r.Updated
		}
		m.Seconds += r.Seconds
		m.Goal = max(m.Goal, r.Goal)
		m.Execs += r.Execs
		m.Requests += r.Requests
		m.Restarts += r.Restarts
		m.Corpus += r.Corpus
		m.Points = append(m.Points, r.Points...)
		m.Doubts = append(m.Doubts, r.Doubts...)
		for _, f := range r.Findings {
			m.AddFinding(f)
		}
		for _, d := range r.Differs {
			m.AddDifference(d)
		}
	}
	slices.Sort(m.Points)
	m.Points = slices.Compact(m.Points)
	slices.Sort(m.Doubts)
	m.Doubts = slices.Compact(m.Doubts)
	slices.SortFunc(m.Findings, func(a, b Finding) int { return cmp.Compare(a.Signature, b.Signature) })
	slices.SortFunc(m.Differs, func(a, b Difference) int { return cmp.Compare(a.Key(), b.Key()) })
	return m, nil
}

// rank orders standings by how much they are worth.
var rank = map[Standing]int{FuzzerError: 4, New: 3, Warning: 2, Known: 1, Unconfirmed: 0}

// AddFinding adds a finding, or counts it with the one of the same signature,
// of which the better script is kept.
func (r *Record) AddFinding(f Finding) {
	i := slices.IndexFunc(r.Findings, func(o Finding) bool { return o.Signature == f.Signature })
	if i < 0 {
		r.Findings = append(r.Findings, f)
		return
	}
	o := &r.Findings[i]
	better := cmp.Or(cmp.Compare(rank[o.Standing], rank[f.Standing]), cmp.Compare(len(f.Script), len(o.Script)), cmp.Compare(f.Script, o.Script)) < 0
	n := o.Count + f.Count
	first, exec := o.First, o.FirstExec
	if f.First.Before(first) {
		first, exec = f.First, f.FirstExec
	}
	if better {
		*o = f
	}
	o.Count, o.First, o.FirstExec = n, first, exec
}

// Key is the same for differences of the same kind.
func (d Difference) Key() string {
	return fmt.Sprintf("%s | %s | %s | %s | %s", d.Asked, d.Mode, d.One, d.Other, d.Verdict)
}

// AddDifference adds a difference, or counts it with the one of its kind, of
// which the shorter script is kept. It reports whether the kind is new.
func (r *Record) AddDifference(d Difference) bool {
	i := slices.IndexFunc(r.Differs, func(o Difference) bool { return o.Key() == d.Key() })
	if i < 0 {
		r.Differs = append(r.Differs, d)
		return true
	}
	o := &r.Differs[i]
	o.Count += d.Count
	if cmp.Or(cmp.Compare(len(d.Script), len(o.Script)), cmp.Compare(d.Script, o.Script)) < 0 {
		o.Script = d.Script
	}
	return false
}
