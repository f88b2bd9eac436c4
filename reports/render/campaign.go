package render

import (
	"bytes"
	"fmt"
	"html/template"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"nbdconform/reports/fuzzing"
	"nbdconform/reports/render/words"
)

var campaignTemplate = template.Must(template.New("campaign.tmpl").Funcs(template.FuncMap{
	"visible": visible,
	"tone":    campaignTone,
	"slash":   filepath.ToSlash,
	"count":   words.Count[int],
}).ParseFS(pageFiles, "page/campaign.tmpl"))

// campaignTone gives a finding the colour of a verdict.
func campaignTone(f fuzzing.Finding) string {
	switch {
	case f.Standing == fuzzing.FuzzerError:
		return "error"
	case f.Standing == fuzzing.Known:
		return "skipped"
	case f.Standing == fuzzing.Warning:
		return "warning"
	case f.Kind == "crash", f.Kind == "said", f.Kind == "leak":
		return "crash"
	case f.Standing == fuzzing.Unconfirmed:
		return "inconclusive"
	case f.Kind == "hang", f.Kind == "unserved":
		return "hang"
	}
	return "fail"
}

// campaignPage is what the template sees.
type campaignPage struct {
	Title, Conclusion, Symbol string
	Exit                      int
	Updated                   string
	Records                   []campaignRow
	Many                      bool
	Style                     template.CSS
	Policy                    string
}

type campaignRow struct {
	fuzzing.Record
	Dir   string // of the campaign, below that of the page; "" is the same
	Rate  float64
	files fs.FS // of the directory of the page
}

// CampaignHTML writes one page about one campaign, of which files has what else
// is in its directory: no link leads to what is not there.
func CampaignHTML(w io.Writer, r fuzzing.Record, files fs.FS) error {
	return writeCampaigns(w, []campaignRow{rowOf(r, "", files)})
}

func rowOf(r fuzzing.Record, dir string, files fs.FS) campaignRow {
	r.Findings = inOrder(r.Findings)
	return campaignRow{r, dir, float64(r.Execs) / max(r.Seconds, 0.001), files}
}

// Link is a file of the campaign as seen from the page, or "".
func (r campaignRow) Link(file string) string {
	link := filepath.ToSlash(r.Dir) + file
	if _, err := fs.Stat(r.files, link); file == "" || err != nil {
		return ""
	}
	return link
}

// Reproducer is the program beside a script, or "".
func (r campaignRow) Reproducer(file string) string {
	if file == "" {
		return ""
	}
	return r.Link(strings.TrimSuffix(file, filepath.Ext(file)) + ".py")
}

// inOrder puts what counts first.
func inOrder(list []fuzzing.Finding) []fuzzing.Finding {
	rank := map[string]int{"crash": 0, "error": 1, "hang": 2, "fail": 3, "warning": 4, "inconclusive": 5, "skipped": 6}
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b fuzzing.Finding) int { return rank[campaignTone(a)] - rank[campaignTone(b)] })
	return list
}

func writeCampaigns(w io.Writer, rows []campaignRow) error {
	p := campaignPage{
		Records: rows, Many: len(rows) != 1, Title: "Fuzzing campaigns", Style: template.CSS(pageStyle),
		Policy: "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'",
	}
	broken, execs := 0, 0
	var records []fuzzing.Record
	for _, r := range rows {
		records = append(records, r.Record)
		broken += len(r.Broken())
		execs += r.Execs
		if u := r.Updated.UTC().Format(pageTime); u > p.Updated {
			p.Updated = u
		}
	}
	if !p.Many {
		p.Title = "Fuzzing " + rows[0].Subject.String()
		if a := rows[0].Against; a != nil {
			p.Title += " against " + a.String()
		}
	}
	p.Exit = fuzzing.Exit(records)
	p.Symbol = []string{"✓", "✗", "?"}[p.Exit]
	p.Conclusion = []string{
		"nothing was found", words.Count(broken, "finding", "findings"), "not to be trusted",
	}[p.Exit] + fmt.Sprintf(", %d scripts", execs)
	var b bytes.Buffer
	if err := campaignTemplate.Execute(&b, p); err != nil {
		return fmt.Errorf("rendering html: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing html: %w", err)
	}
	return nil
}

// CampaignPage writes index.html into the directory of a campaign.
func CampaignPage(dir string, r fuzzing.Record) error {
	if err := os.MkdirAll(dir, 0o777); err != nil {
		return err
	}
	return Replace(filepath.Join(dir, "index.html"), func(w io.Writer) error { return CampaignHTML(w, r, os.DirFS(dir)) })
}

// CampaignIndex writes index.html into the directory of a sweep, about all its
// campaigns. names are their directories, in that one.
func CampaignIndex(dir string, names []string, list []fuzzing.Record) error {
	var rows []campaignRow
	for i, r := range list {
		rows = append(rows, rowOf(r, names[i]+"/", os.DirFS(dir)))
	}
	return Replace(filepath.Join(dir, "index.html"), func(w io.Writer) error { return writeCampaigns(w, rows) })
}

// CampaignTerminal writes the findings of a campaign for people, what counts
// first, and one closing line.
func CampaignTerminal(w io.Writer, r fuzzing.Record) error {
	var b strings.Builder
	known := 0
	for _, f := range inOrder(r.Findings) {
		if f.Standing == fuzzing.Known {
			known++
			continue
		}
		fmt.Fprintf(&b, "%s  %s\n", strings.ToUpper(string(f.Standing)), visible(oneLine(f.Signature, Columns-len(f.Standing)-2)))
		for _, line := range wrap(visible(oneLine(f.Detail, 300)), Columns-2) {
			fmt.Fprintf(&b, "  %s\n", line)
		}
		seen := fmt.Sprintf("seen %s, %s", words.Count(f.Count, "time", "times"), words.Count(f.Ops, "operation", "operations"))
		if f.File != "" {
			seen += ": " + visible(f.File)
		}
		for _, line := range wrap(seen, Columns-2) {
			fmt.Fprintf(&b, "  %s\n", line)
		}
		b.WriteString("\n")
	}
	if known > 0 {
		fmt.Fprintf(&b, "%s in the baseline: see the report\n", words.Count(known, "finding", "findings"))
	}
	if r.Against != nil {
		b.WriteString(differenceSheet(r).terminal())
	}
	for _, line := range wrap(visible(r.Conclusion()), Columns) {
		b.WriteString(line + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// differenceSheet sums up where two targets part.
func differenceSheet(r fuzzing.Record) sheet {
	s := sheet{title: fmt.Sprintf("%v against %v", r.Subject, r.Against), head: []string{"verdict", "kinds", "times"}, room: 56}
	count := map[string][2]int{}
	for _, d := range r.Differs {
		n := count[d.Verdict]
		count[d.Verdict] = [2]int{n[0] + 1, n[1] + d.Count}
	}
	var verdicts []string
	for v := range count {
		verdicts = append(verdicts, v)
	}
	slices.SortFunc(verdicts, func(a, b string) int {
		if d := count[b][1] - count[a][1]; d != 0 {
			return d
		}
		return strings.Compare(a, b)
	})
	for _, v := range verdicts {
		s.rows = append(s.rows, []string{v, fmt.Sprint(count[v][0]), fmt.Sprint(count[v][1])})
	}
	s.right = true
	return s
}
