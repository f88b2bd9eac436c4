package render

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"slices"
	"strings"

	"nbdconform/reports/matrix"
	"nbdconform/reports/result"
)

var matrixTemplate = template.Must(template.New("matrix.tmpl").Funcs(template.FuncMap{
	"visible": visible,
	"symbol":  symbol,
	"outcome": outcomeSign,
	"peer":    peerName,
	"join":    strings.Join,
}).ParseFS(pageFiles, "page/matrix.tmpl"))

// matrixPage is what the template sees.
type matrixPage struct {
	M          matrix.Matrix
	Suite      string
	Document   string
	Made       string
	Servers    []serverPage // and clients that were judged
	Clauses    []clauseRow
	Groups     []groupRow
	Sections   []sectionRow
	Clients    []clientRow
	Tables     []anchored // features, changes, observations
	Charts     []chart    // of latency and throughput
	SpeedNote  string
	Verdicts   []result.Verdict
	Levels     []string
	Sides      []matrix.Side
	Features   []string
	Style      template.CSS
	Script     template.JS
	Policy     string
	Activities []matrix.Operation
	Shortened  bool // for [MatrixBytes], beyond what is always left out
}

// A serverPage is a column of the matrix, and the page of one server.
type serverPage struct {
	ID       string
	Side     matrix.Side
	Peer     matrix.Peer
	Short    []string // of the column's heading: name and suite
	Counts   []count  // clauses by verdict, the worst of all profiles
	Broken   int
	Profiles []profileLine
	Findings []clauseLink // what is broken, and the warnings, the worst of it
	Unnamed  int          // findings that there is no room for
}

type profileLine struct {
	Name       string
	Conclusion string
	Symbol     string
	Counts     []count
	Advertised string
	Reproduce  string
}

type clauseLink struct {
	ID, Title string
	Verdict   result.Verdict
}

// A clauseRow is a clause across the servers.
type clauseRow struct {
	matrix.Row
	Worst    result.Verdict // of all
	Side     string         // the sides that were judged by it
	Text     string         // what the search looks at
	Cells    []clauseCell
	Specs    []string
	Evidence []evidence
	Others   []string // servers that broke it in more ways than there is room for
}

type clauseCell struct {
	Verdict result.Verdict
	Side    matrix.Side
}

// An evidence is one way in which a clause was broken, and by whom.
type evidence struct {
	result.Spec
	Profile string
	Servers []string
}

type groupRow struct {
	Name  string
	Cells []groupCell
}

type groupCell struct {
	Worst         result.Verdict
	Side          matrix.Side
	Broken, Asked int
}

type sectionRow struct {
	Name   string
	Counts []count
	Total  int
}

// A clientRow is a client program with every server.
type clientRow struct {
	Client matrix.Peer
	Cells  []clientCell
	Bad    []matrix.Pairing // what is not simply right
}

type clientCell struct {
	Worst matrix.Outcome // "" where they were not paired
	Right int
	Tried int
}

type anchored struct {
	ID string
	sheet
}

// The template reads these.

func (a anchored) Title() string    { return a.title }
func (a anchored) Note() string     { return a.note }
func (a anchored) Head() []string   { return a.head }
func (a anchored) Rows() [][]string { return a.rows }

// MatrixBytes is how large the page of a matrix may become.
const MatrixBytes = 5_000_000

// A room is what the page has for one spec that did not end well; the whole is
// in the report of the run.
type room struct {
	message, transcript int // bytes
	evidences           int // of one clause that have a transcript
	told                int // of one clause that have a message
	findings            int // that the page of one program names
}

// roomy is the room where there is enough.
var roomy = room{message: 4 << 10, transcript: 3 << 10, evidences: 4, told: 16, findings: 512}

// halved is the next smaller room; there is none below a line or two.
func (r room) halved() (room, bool) {
	if r.message <= 128 {
		return r, false
	}
	return room{r.message / 2, r.transcript / 2, max(1, r.evidences-1), max(1, r.told-4), r.findings / 2}, true
}

// MatrixHTML writes one page that needs nothing else, as [HTML] does for a
// single run: the overview, a page for each server, and for each clause what it
// requires, the verdicts across versions, the evidence with what was said around
// the message that matters, and how to see it again. What it shows of each gets
// shorter until the page is no larger than [MatrixBytes].
func MatrixHTML(w io.Writer, m matrix.Matrix) error {
	var b bytes.Buffer
	for space, ok := roomy, true; ok; space, ok = space.halved() {
		b.Reset()
		if err := matrixTemplate.Execute(&b, matrixPageOf(m, space)); err != nil {
			return fmt.Errorf("rendering html: %w", err)
		}
		if b.Len() <= MatrixBytes {
			break
		}
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing html: %w", err)
	}
	return nil
}

func matrixPageOf(m matrix.Matrix, space room) matrixPage {
	script := pageFile("matrix.js")
	hash := sha256.Sum256([]byte(script))
	p := matrixPage{
		M: m, Made: m.Made.UTC().Format(pageTime), Levels: []string{"MUST", "SHOULD", "MAY"},
		Style:  template.CSS(pageStyle + pageFile("matrix.css")),
		Script: template.JS(script), Activities: matrix.Operations, Shortened: space != roomy,
		Policy: "default-src 'none'; style-src 'unsafe-inline'; script-src 'sha256-" +
			base64.StdEncoding.EncodeToString(hash[:]) + "'",
	}
	if len(m.Runs) > 0 {
		r := m.Runs[0]
		p.Suite = strings.TrimSpace(r.Suite.Name + " " + r.Suite.Version)
		p.Document = strings.TrimSpace(r.Document.Name + " at " + r.Document.Revision)
	}
	servers, rows := m.Subjects(), m.Clauses()
	p.Clauses = clauseRows(servers, rows, m.Specs(), space)
	p.Servers = serverPages(m, servers, p.Clauses, space)
	p.Groups = groupRows(rows, servers)
	p.Sections, p.Verdicts = sectionRows(p.Clauses)
	p.Clients = clientRows(m, space)
	for _, r := range rows {
		for _, f := range r.Needs {
			if !slices.Contains(p.Features, f) {
				p.Features = append(p.Features, f)
			}
		}
	}
	slices.Sort(p.Features)
	for _, s := range servers {
		if !slices.Contains(p.Sides, s.Side()) {
			p.Sides = append(p.Sides, s.Side())
		}
	}
	p.Tables = pageTables(m)
	if p.Charts = speedCharts(m.Performance); p.Charts != nil {
		p.SpeedNote = speedNote(m.Performance)
	}
	return p
}

// pageTables are the tables that the page has in common with Markdown.
func pageTables(m matrix.Matrix) []anchored {
	var list []anchored
	add := func(id string, s sheet) {
		if len(s.rows) > 0 {
			list = append(list, anchored{id, s})
		}
	}
	for _, name := range programs(m) {
		add("features-"+name, featureSheet(m, name))
	}
	for _, d := range m.Documented() {
		add("documented-"+d.Maker, documentedSheet(d))
	}
	add("changes", changeSheet(m))
	for _, name := range programs(m) {
		add("observations-"+name, observationSheet(m, name))
	}
	return list
}

// clauseRows are the rows in the order of their ids, which is that of subjects.
func clauseRows(servers []matrix.Peer, rows, specs []matrix.Row, space room) []clauseRow {
	list := make([]clauseRow, 0, len(rows))
	for _, r := range rows {
		c := clauseRow{Row: r}
		for i, cell := range r.Cells {
			c.Cells = append(c.Cells, clauseCell{cell.Verdict, servers[i].Side()})
			if matrix.Rank(cell.Verdict) > matrix.Rank(c.Worst) {
				c.Worst = cell.Verdict
			}
			if side := string(servers[i].Side()); cell.Verdict != "" && !strings.Contains(c.Side, side) {
				c.Side = strings.TrimSpace(c.Side + " " + side)
			}
		}
		for _, s := range specs {
			if slices.Contains(s.Clauses, r.ID) {
				c.Specs = append(c.Specs, s.ID)
			}
		}
		c.Evidence, c.Others = evidences(servers, r, space)
		c.Text = strings.ToLower(visible(strings.Join([]string{r.ID, r.Title, r.Section, strings.Join(c.Specs, " ")}, " ")))
		list = append(list, c)
	}
	slices.SortFunc(list, func(a, b clauseRow) int { return strings.Compare(a.ID, b.ID) })
	return list
}

// evidences says once what several servers did alike.
func evidences(servers []matrix.Peer, r matrix.Row, space room) (list []evidence, others []string) {
	for i, c := range r.Cells {
		if c.Spec == nil || !c.Verdict.Broken() && c.Verdict != result.Warning {
			continue
		}
		name := servers[i].String()
		same := func(e evidence) bool {
			return e.Verdict == c.Verdict && e.Message == shorten(c.Spec.Message, space.message)
		}
		if k := slices.IndexFunc(list, same); k >= 0 {
			list[k].Servers = append(list[k].Servers, name)
			continue
		}
		if len(list) >= space.told {
			others = append(others, name)
			continue
		}
		e := evidence{Spec: *c.Spec, Profile: c.Run.Target.Profile, Servers: []string{name}}
		e.Message = shorten(e.Message, space.message)
		e.Transcript = excerpt(e.Transcript, c.Spec.Marks, r.ID, space.transcript)
		e.Stderr = shorten(e.Stderr, space.transcript)
		if len(list) >= space.evidences { // said, and told in the report of the run
			e.Transcript, e.Stderr = "", ""
		}
		list = append(list, e)
	}
	return list, others
}

// shorten keeps the beginning and the end of s.
func shorten(s string, bytes int) string {
	if len(s) <= bytes {
		return s
	}
	half := bytes / 2
	return strings.ToValidUTF8(s[:half], "") + "\n[…]\n" + strings.ToValidUTF8(s[len(s)-half:], "")
}

func serverPages(m matrix.Matrix, servers []matrix.Peer, rows []clauseRow, space room) []serverPage {
	list := make([]serverPage, 0, len(servers))
	for i, s := range servers {
		p := serverPage{ID: serverID(s), Side: s.Side(), Peer: s, Short: []string{strings.TrimPrefix(s.Name, matrix.ClientPrefix), s.Release}}
		counts := make(map[result.Verdict]int)
		for _, r := range rows {
			v := r.Cells[i].Verdict
			if v == "" {
				continue
			}
			counts[v]++
			if v.Broken() || v == result.Warning {
				p.Findings = append(p.Findings, clauseLink{r.ID, cmp.Or(r.Title, r.ID), v})
			}
			if v.Broken() {
				p.Broken++
			}
		}
		slices.SortStableFunc(p.Findings, func(a, b clauseLink) int { return -cmp.Compare(matrix.Rank(a.Verdict), matrix.Rank(b.Verdict)) })
		if n := len(p.Findings); n > space.findings {
			p.Findings, p.Unnamed = p.Findings[:space.findings], n-space.findings
		}
		p.Counts = countsOf(counts)
		for _, r := range m.RunsOf(s) {
			r = counted(r)
			p.Profiles = append(p.Profiles, profileLine{
				Name: cmp.Or(r.Target.Profile, "default"), Conclusion: r.Conclusion(), Symbol: conclusionSymbol(r),
				Counts: countsOf(r.Summary), Advertised: strings.Join(r.Target.Advertised, ", "), Reproduce: r.Reproduce,
			})
		}
		list = append(list, p)
	}
	return list
}

func serverID(p matrix.Peer) string {
	return "program-" + strings.NewReplacer(" ", "-", ":", "-").Replace(p.String())
}

// countsOf are the verdicts that occur.
func countsOf(counts map[result.Verdict]int) []count {
	var list []count
	for _, v := range result.Verdicts {
		if counts[v] > 0 {
			list = append(list, count{v, counts[v]})
		}
	}
	return list
}

func groupRows(rows []matrix.Row, servers []matrix.Peer) []groupRow {
	var list []groupRow
	at := make(map[string]int)
	for _, r := range rows {
		i, ok := at[r.Group]
		if !ok {
			i = len(list)
			at[r.Group] = i
			list = append(list, groupRow{Name: r.Group, Cells: make([]groupCell, len(servers))})
		}
		for j, c := range r.Cells {
			cell := &list[i].Cells[j]
			cell.Side = servers[j].Side()
			if matrix.Rank(c.Verdict) > matrix.Rank(cell.Worst) {
				cell.Worst = c.Verdict
			}
			if c.Verdict.Judged() {
				cell.Asked++
			}
			if c.Verdict.Broken() {
				cell.Broken++
			}
		}
	}
	return list
}

// sectionRows count the clauses of each section of the document by the worst
// that any server made of them.
func sectionRows(rows []clauseRow) ([]sectionRow, []result.Verdict) {
	var list []sectionRow
	all := make(map[result.Verdict]int)
	counts := make(map[string]map[result.Verdict]int)
	for _, r := range rows {
		name := cmp.Or(r.Section, "seen in passing")
		if counts[name] == nil {
			counts[name] = make(map[result.Verdict]int)
			list = append(list, sectionRow{Name: name})
		}
		counts[name][r.Worst]++
		all[r.Worst]++
	}
	for i := range list {
		s := &list[i]
		s.Counts = countsOf(counts[s.Name])
		for _, c := range s.Counts {
			s.Total += c.N
		}
	}
	return list, used(all)
}

func clientRows(m matrix.Matrix, space room) []clientRow {
	var list []clientRow
	for _, client := range m.Clients() {
		row := clientRow{Client: client}
		for _, server := range m.Servers() {
			var c clientCell
			found := m.Between(client, server)
			for _, a := range matrix.Operations {
				p, ok := found[a]
				if !ok {
					continue
				}
				if slices.Index(matrix.Outcomes, p.Outcome) > slices.Index(matrix.Outcomes, c.Worst) {
					c.Worst = p.Outcome
				}
				switch p.Outcome {
				case matrix.Unable:
					continue
				case matrix.Works:
					c.Right++
				default:
					p.Output = shorten(p.Output, space.transcript)
					row.Bad = append(row.Bad, p)
				}
				c.Tried++
			}
			row.Cells = append(row.Cells, c)
		}
		list = append(list, row)
	}
	return list
}
