package interop

import (
	"fmt"
	"slices"
	"strings"

	"nbdconform/conformance/usage"
)

// Table is the support table in Markdown: a row for every item there is, and
// in its columns the programs that were observed to use it. An empty cell without a reason, and a
// reason for a cell that is not empty, are errors.
func (r *Report) Table() (string, error) {
	var b strings.Builder
	fmt.Fprintf(&b, heading, strings.Join(r.Releases, " and "))
	var kind usage.Kind
	var notes []string
	wrong := ""
	for _, i := range usage.All() {
		if i.Kind != kind {
			kind = i.Kind
			fmt.Fprintf(&b, "\n## %s\n\n| | reference server | reference client | clients of the server | servers of the client |\n| --- | --- | --- | --- | --- |\n", title(kind))
		}
		server, client := r.peers(i, true), r.peers(i, false)
		own := []bool{r.Self[i] || server != "", r.Self[i] || client != ""}
		cells := []string{yes(own[0]), yes(own[1]), server, client}
		why := reasons[i.Name]
		empty := slices.Contains(cells, "")
		switch {
		case empty && why == "":
			wrong += fmt.Sprintf("\n%s %s: not observed with %s, and there is no reason", i.Kind, i.Name, missing(cells))
		case !empty && why != "":
			wrong += fmt.Sprintf("\n%s %s: the reason for an empty cell is stale: %s", i.Kind, i.Name, why)
		case empty:
			if !slices.Contains(notes, why) {
				notes = append(notes, why)
			}
			for k, c := range cells {
				if c == "" {
					cells[k] = fmt.Sprintf("[%d]", slices.Index(notes, why)+1)
				}
			}
		}
		fmt.Fprintf(&b, "| %s | %s |\n", i.Name, strings.Join(cells, " | "))
	}
	b.WriteString("\n## Reasons\n\n")
	for i, why := range notes {
		fmt.Fprintf(&b, "%d. %s\n", i+1, why)
	}
	if wrong != "" {
		return b.String(), fmt.Errorf("the support table is not complete:%s", wrong)
	}
	return b.String(), nil
}

const heading = `# What is supported, and with which programs it was observed to work

Made by ` + "`make support`" + ` from sessions that a judge observed; no cell is typed
in. An option counts once it was acknowledged, a command and its flags once a
request with them succeeded, all else once it was received, and nothing that
violated a clause. The peers are programs of Debian's %s. Where a cell has
a number in brackets, the reason is at the end.
`

// title is the heading above the items of a kind.
func title(k usage.Kind) string {
	s := strings.ToUpper(string(k[:1])) + string(k[1:])
	switch k {
	case usage.Info:
		return s
	case usage.Reply:
		return "Option replies"
	case usage.Extension:
		return "Extensions and dialects"
	}
	return s + "s"
}

// columns are those of the table, in its order.
var columns = []string{"the reference server", "the reference client", "clients", "servers"}

// missing names the columns of the cells that are empty.
func missing(cells []string) string {
	var names []string
	for k, c := range cells {
		if c == "" {
			names = append(names, columns[k])
		}
	}
	return strings.Join(names, " and ")
}

func yes(b bool) string {
	if b {
		return "yes"
	}
	return ""
}

// peers names the programs that an item was observed with, and their releases where
// it was not all that have the program.
func (r *Report) peers(i usage.Item, server bool) string {
	var names []string
	with, all := map[string][]string{}, map[string]int{}
	for _, rec := range r.Records {
		if rec.Server != server {
			continue
		}
		all[rec.Peer.Name]++
		if !rec.Items[i] {
			continue
		}
		if with[rec.Peer.Name] == nil {
			names = append(names, rec.Peer.Name)
		}
		with[rec.Peer.Name] = append(with[rec.Peer.Name], rec.Peer.Release)
	}
	for k, n := range names {
		if len(with[n]) < all[n] {
			names[k] += " (" + strings.Join(with[n], ", ") + ")"
		}
	}
	return strings.Join(names, ", ")
}
