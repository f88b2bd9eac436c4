package matrix

import (
	"slices"
	"strings"

	"nbdconform/reports/result"
)

// A Feature is a row of the features-by-version table.
type Feature struct {
	Name string
	// Has says, as [Matrix.Subjects], in which profiles a server was seen to
	// advertise the feature; the default profile has the name "". Nil: in none.
	Has [][]string
}

// Features are the features that some server was seen to have, sorted by name.
func (m Matrix) Features() []Feature {
	servers := m.Subjects()
	found := make(map[string]*Feature)
	for _, run := range m.Runs {
		column := slices.IndexFunc(servers, PeerOf(run).Same)
		for _, name := range run.Target.Advertised {
			f := found[name]
			if f == nil {
				f = &Feature{Name: name, Has: make([][]string, len(servers))}
				found[name] = f
			}
			if !slices.Contains(f.Has[column], run.Target.Profile) {
				f.Has[column] = append(f.Has[column], run.Target.Profile)
			}
		}
	}
	list := make([]Feature, 0, len(found))
	for _, f := range found {
		list = append(list, *f)
	}
	slices.SortFunc(list, func(a, b Feature) int { return strings.Compare(a.Name, b.Name) })
	return list
}

// An Observation is a row of what servers do where the document is silent.
type Observation struct {
	Topic  string
	Spec   string
	Values []string // as [Matrix.Subjects]; "" where nothing was seen
}

// Observations are the topics that some run observed, in the order of the runs.
// Where the profiles of a server differ, the first stands.
func (m Matrix) Observations() []Observation {
	servers := m.Subjects()
	type key struct{ topic, spec string }
	at := make(map[key]int)
	var rows []Observation
	for _, run := range m.Runs {
		column := slices.IndexFunc(servers, PeerOf(run).Same)
		for _, o := range run.Observations {
			k := key{o.Topic, o.Spec}
			i, ok := at[k]
			if !ok {
				i = len(rows)
				at[k] = i
				rows = append(rows, Observation{Topic: o.Topic, Spec: o.Spec, Values: make([]string, len(servers))})
			}
			if rows[i].Values[column] == "" {
				rows[i].Values[column] = o.Value
			}
		}
	}
	return rows
}

// A Change says in which version of a server a spec began to end differently,
// or a feature came or went.
type Change struct {
	Server   Peer // the first version with To
	Before   Peer // the last version with From
	Spec     string
	Feature  string // in place of Spec
	From, To result.Verdict
}

// Changes lists what changed from one version of a server to its next, in the
// order of the servers. Verdicts that are no answer (unsupported, blocked,
// skipped) neither begin nor end a change; those of a feature are Unsupported
// and Pass.
func (m Matrix) Changes() []Change {
	servers := m.Subjects()
	specs, features := m.Specs(), m.Features()
	var list []Change
	for to, server := range servers {
		for _, row := range specs {
			if !row.Cells[to].Verdict.Judged() {
				continue
			}
			for from := to - 1; from >= 0; from-- {
				if servers[from].Name != server.Name || !row.Cells[from].Verdict.Judged() {
					continue
				}
				if row.Cells[from].Verdict != row.Cells[to].Verdict {
					list = append(list, Change{
						Server: server, Before: servers[from], Spec: row.ID,
						From: row.Cells[from].Verdict, To: row.Cells[to].Verdict,
					})
				}
				break
			}
		}
		before := -1
		for i := range to {
			if servers[i].Name == server.Name {
				before = i
			}
		}
		if before < 0 {
			continue
		}
		for _, f := range features {
			if had, has := f.Has[before] != nil, f.Has[to] != nil; had != has {
				list = append(list, Change{
					Server: server, Before: servers[before], Feature: f.Name, From: presence(had), To: presence(has),
				})
			}
		}
	}
	return list
}

func presence(has bool) result.Verdict {
	if has {
		return result.Pass
	}
	return result.Unsupported
}
