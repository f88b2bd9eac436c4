package render

import (
	"fmt"
	"slices"
	"strings"

	"nbdconform/reports/matrix"
	"nbdconform/reports/result"
)

// serverSheet has one row for each server: how many specs ended how, the worst
// of the profiles counted.
func serverSheet(m matrix.Matrix) sheet {
	servers, specs := m.Subjects(), m.Specs()
	counts := make([]map[result.Verdict]int, len(servers))
	for i := range servers {
		counts[i] = make(map[result.Verdict]int)
		for _, r := range specs {
			if v := r.Cells[i].Verdict; v != "" {
				counts[i][v]++
			}
		}
	}
	verdicts := used(counts...)
	s := sheet{title: "Who was judged", note: "Specs by verdict, the worst of all profiles.", right: true, room: 18, gap: 1}
	s.head = []string{"program"}
	for _, v := range verdicts {
		s.head = append(s.head, short(v))
	}
	for i, server := range servers {
		row := []string{peerName(server)}
		for _, v := range verdicts {
			row = append(row, dotted(counts[i][v]))
		}
		s.rows = append(s.rows, row)
	}
	return s
}

// peerName is a program with its version and suite.
func peerName(p matrix.Peer) string {
	name := p.Name
	if p.Version != "" {
		name += " " + p.Version
	}
	if p.Release != "" {
		name += " (" + p.Release + ")"
	}
	return name
}

func dotted(n int) string {
	if n == 0 {
		return "·"
	}
	return fmt.Sprint(n)
}

// brokenSheet has the specs that some version of a server fails, by version.
func brokenSheet(m matrix.Matrix, name string) sheet {
	columns, s := versionSheet(m, name, "Broken in "+name, "spec")
	for _, r := range m.Specs() {
		broken := false
		row := []string{r.ID}
		for _, c := range columns {
			v := r.Cells[c].Verdict
			broken = broken || v.Broken()
			row = append(row, sign(v))
		}
		if broken {
			s.rows = append(s.rows, row)
		}
	}
	return s
}

// featureSheet says which version of a server has which feature, and in which
// profile where it is not the default one.
func featureSheet(m matrix.Matrix, name string) sheet {
	columns, s := versionSheet(m, name, "Features of "+name, "feature")
	s.note = "As advertised; a profile is named where the default one has not got it."
	for _, f := range m.Features() {
		row, seen := []string{f.Name}, false
		for _, c := range columns {
			profiles := f.Has[c]
			seen = seen || profiles != nil
			switch {
			case profiles == nil:
				row = append(row, "–")
			case slices.Contains(profiles, "default"), slices.Contains(profiles, ""):
				row = append(row, "✓")
			default:
				row = append(row, profiles[0])
			}
		}
		if seen {
			s.rows = append(s.rows, row)
		}
	}
	return s
}

// versionSheet is an empty sheet with a column for each version of a server;
// columns are their places among [matrix.Matrix.Subjects].
func versionSheet(m matrix.Matrix, name, title, what string) (columns []int, s sheet) {
	s = sheet{title: title, head: []string{what}, room: 34}
	for i, p := range m.Subjects() {
		if p.Name == name {
			columns = append(columns, i)
			s.head = append(s.head, strings.TrimSpace(p.Release+" "+p.Version))
		}
	}
	return columns, s
}

// sign is a verdict as a sign and a word, or nothing where nothing was judged.
func sign(v result.Verdict) string {
	switch v {
	case "":
		return ""
	case result.Pass:
		return symbol(v)
	}
	return symbol(v) + " " + short(v)
}

// documentedSheet compares what the maker of a server documents with its versions.
func documentedSheet(d matrix.Documented) sheet {
	s := sheet{title: "What " + d.Maker + " documents", note: "Its list of features by version, compared with what its servers advertise.", room: 40}
	s.head = []string{"feature", "since"}
	for _, p := range d.Servers {
		s.head = append(s.head, p.Release)
	}
	for _, c := range d.Rows {
		row := []string{c.Text, c.Since}
		for _, v := range c.Standings {
			row = append(row, string(v))
		}
		s.rows = append(s.rows, row)
	}
	return s
}

// changeSheet lists what became different from one version of a server to the next.
func changeSheet(m matrix.Matrix) sheet {
	s := sheet{title: "First version where this changed", head: []string{"what", "server", "before", "first version", "from", "to"}}
	for _, c := range m.Changes() {
		what, from, to := c.Spec, string(c.From), string(c.To)
		if c.Feature != "" {
			what, from, to = "feature "+c.Feature, has(c.From), has(c.To)
		}
		s.rows = append(s.rows, []string{what, c.Server.Name, c.Before.Version, c.Server.Version, from, to})
	}
	return s
}

func has(v result.Verdict) string {
	if v == result.Pass {
		return "there"
	}
	return "not there"
}

// observationSheet says what the versions of a server do where the document is silent.
func observationSheet(m matrix.Matrix, name string) sheet {
	columns, s := versionSheet(m, name, "Where the document is silent: "+name, "observation")
	for _, o := range m.Observations() {
		row, seen := []string{o.Topic}, false
		for _, c := range columns {
			seen = seen || o.Values[c] != ""
			row = append(row, oneLine(o.Values[c], 120))
		}
		if seen {
			s.rows = append(s.rows, row)
		}
	}
	return s
}

// pairingSheet shows what the client programs did with one server.
func pairingSheet(m matrix.Matrix, server matrix.Peer) sheet {
	s := sheet{title: "Clients of " + peerName(server), head: []string{"client"}, room: 14, gap: 1}
	s.note = "✓ works  ≈ degraded  ✗ broken  ‼ corrupt data  – unable"
	for _, a := range matrix.Operations {
		s.head = append(s.head, strings.TrimPrefix(string(a), "tls-")) // there is little room
	}
	for _, client := range m.Clients() {
		found := m.Between(client, server)
		if len(found) == 0 {
			continue
		}
		row := []string{client.String()}
		for _, a := range matrix.Operations {
			row = append(row, outcomeSign(found[a].Outcome))
		}
		s.rows = append(s.rows, row)
	}
	return s
}

// outcomeSign is a sign that doesn't depend on colour.
func outcomeSign(o matrix.Outcome) string {
	switch o {
	case matrix.Works:
		return "✓"
	case matrix.Degraded:
		return "≈"
	case matrix.Broken:
		return "✗"
	case matrix.Corrupt:
		return "‼"
	case matrix.Unable:
		return "–"
	}
	return ""
}

// programs are the names of what was judged, each once.
func programs(m matrix.Matrix) []string {
	var names []string
	for _, s := range m.Subjects() {
		if !slices.Contains(names, s.Name) {
			names = append(names, s.Name)
		}
	}
	return names
}
