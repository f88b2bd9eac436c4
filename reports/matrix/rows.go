package matrix

import (
	"slices"

	"nbdconform/reports/result"
)

// A Row is one requirement across the servers.
type Row struct {
	ID       string
	Title    string // of a spec: the sentence that it checks; of a clause: what it requires
	Group    string
	Level    string
	Section  string
	Clauses  []string // of a spec
	Requires string
	Needs    []string // the features without which it can't be tried
	Cells    []Cell   // as [Matrix.Subjects]
}

// A Cell is what came of a requirement with one server: the worst of its
// profiles, and of the specs that cite a clause. The zero value says that
// nothing asked.
type Cell struct {
	Verdict result.Verdict
	Spec    *result.Spec   // the one that the verdict is of; points into Matrix.Runs
	Run     *result.Result // the run that it is of
}

// Specs are the rows of specs, in the order of the runs.
func (m Matrix) Specs() []Row {
	return m.rows(func(s *result.Spec) []Row {
		return []Row{{
			ID: s.ID, Title: s.Name, Group: s.Group, Level: s.Level, Section: s.Section,
			Clauses: s.Clauses, Requires: s.Requires, Needs: s.Needs,
		}}
	})
}

// Clauses are the rows of clauses that some spec cites. The level and the
// section are those of the specs for which the clause comes first.
func (m Matrix) Clauses() []Row {
	return m.rows(func(s *result.Spec) []Row {
		list := make([]Row, 0, len(s.Clauses))
		for i, c := range s.Clauses {
			r := Row{ID: c, Group: s.Group}
			if i == 0 {
				r.Title, r.Level, r.Section, r.Requires, r.Needs = s.Requires, s.Level, s.Section, s.Requires, s.Needs
			}
			list = append(list, r)
		}
		return list
	})
}

// rows sorts every spec of every run into the rows that of names, whose other
// fields fill in what earlier ones left empty.
func (m Matrix) rows(of func(*result.Spec) []Row) []Row {
	servers := m.Subjects()
	at := make(map[string]int)
	var rows []Row
	for i := range m.Runs {
		run := &m.Runs[i]
		column := slices.IndexFunc(servers, PeerOf(*run).Same)
		for j := range run.Specs {
			spec := &run.Specs[j]
			for _, r := range of(spec) {
				k, ok := at[r.ID]
				if !ok {
					k = len(rows)
					at[r.ID] = k
					r.Cells = make([]Cell, len(servers))
					rows = append(rows, r)
				}
				rows[k].fill(r)
				c := &rows[k].Cells[column]
				if Rank(spec.Verdict) > Rank(c.Verdict) {
					*c = Cell{Verdict: spec.Verdict, Spec: spec, Run: run}
				}
			}
		}
	}
	return rows
}

func (r *Row) fill(from Row) {
	if r.Level == "" && from.Level != "" {
		r.Title, r.Level, r.Section, r.Requires = from.Title, from.Level, from.Section, from.Requires
		r.Group, r.Needs = from.Group, from.Needs
	}
}

// ranks are the verdicts, the one that says least first.
var ranks = []result.Verdict{
	"", result.Unsupported, result.Skipped, result.Pass, result.Blocked, result.Inconclusive, result.Error,
	result.Warning, result.Fail, result.Hang, result.Crash,
}

// Rank orders verdicts by how much they ask for attention; of "", which says
// nothing, it is the lowest.
func Rank(v result.Verdict) int { return slices.Index(ranks, v) }
