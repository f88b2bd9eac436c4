package render

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"embed"
	"encoding/base64"
	"fmt"
	"html/template"
	"io"
	"strconv"
	"strings"

	"nbdconform/reports/render/words"
	"nbdconform/reports/result"
)

//go:embed page
var pageFiles embed.FS

var (
	pageStyle  = pageFile("page.css")
	pageScript = pageFile("page.js")

	pageTemplate = template.Must(template.New("page.tmpl").Funcs(template.FuncMap{
		"visible": visible,
		"symbol":  symbol,
		"seconds": htmlSeconds,
		"isSet":   func(s string) bool { return strings.TrimSpace(s) != "" },
	}).ParseFS(pageFiles, "page/page.tmpl"))
)

func pageFile(name string) string {
	b, err := pageFiles.ReadFile("page/" + name)
	if err != nil {
		panic(err) // embedded: can't be missing
	}
	return string(b)
}

const pageTime = "2006-01-02 15:04:05 UTC"

// page is what the template sees.
type page struct {
	R          result.Result
	Target     string
	Conclusion string
	Exit       int
	Symbol     string
	Sentence   string
	Started    string
	Doubts     []string
	Facts      []fact
	Counts     []count // the verdicts that occur
	Verdicts   []result.Verdict
	Levels     []string
	Groups     []htmlGroup
	Findings   []finding
	Warnings   []result.Spec
	Style      template.CSS
	Script     template.JS
	Policy     string // of the content: this script and no other
}

type fact struct {
	Name, Value string
	Code        bool
}

type count struct {
	Verdict result.Verdict
	N       int
}

type htmlGroup struct {
	Name   string
	Counts []count // one for each column
	Total  int
	Specs  []htmlSpec
}

type htmlSpec struct {
	result.Spec
	Group   string
	Finding bool   // told in full among the findings
	Text    string // what the search looks at
}

// HTML writes one page that needs nothing else: no network, no other file. It
// reads well without its script too, which adds the filters and nothing more.
// A content security policy lets no script but that one run.
func HTML(w io.Writer, r result.Result) error {
	var b bytes.Buffer
	if err := pageTemplate.Execute(&b, pageOf(counted(r))); err != nil {
		return fmt.Errorf("rendering html: %w", err)
	}
	if _, err := w.Write(b.Bytes()); err != nil {
		return fmt.Errorf("writing html: %w", err)
	}
	return nil
}

func pageOf(r result.Result) page {
	hash := sha256.Sum256([]byte(pageScript))
	p := page{
		R: r, Target: targetName(r.Target), Conclusion: r.Conclusion(), Exit: r.Exit(), Symbol: conclusionSymbol(r),
		Sentence: sentence(r), Doubts: r.Doubts(), Facts: facts(r), Started: r.Started.UTC().Format(pageTime),
		Verdicts: used(r.Summary), Levels: []string{"MUST", "SHOULD", "MAY"},
		Findings: findings(r), Warnings: withVerdict(r, result.Warning),
		Style: template.CSS(pageStyle), Script: template.JS(pageScript),
		Policy: "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; script-src 'sha256-" +
			base64.StdEncoding.EncodeToString(hash[:]) + "'",
	}
	for _, v := range result.Verdicts {
		if n := r.Summary[v]; n > 0 {
			p.Counts = append(p.Counts, count{v, n})
		}
	}
	told := map[string]bool{}
	for _, f := range p.Findings {
		told[f.ID] = true
	}
	for _, g := range groups(r) {
		hg := htmlGroup{Name: visible(g.Name), Total: len(g.Specs)}
		for _, v := range p.Verdicts {
			hg.Counts = append(hg.Counts, count{v, g.Counts[v]})
		}
		for _, s := range g.Specs {
			hg.Specs = append(hg.Specs, htmlSpec{
				Spec: s, Group: visible(g.Name), Finding: told[s.ID],
				Text: strings.ToLower(visible(strings.Join(append([]string{s.ID, s.Name, s.Section, oneLine(s.Message, 200)}, s.Clauses...), " "))),
			})
		}
		p.Groups = append(p.Groups, hg)
	}
	return p
}

// sentence says the conclusion in numbers.
func sentence(r result.Result) string {
	n := r.Summary
	broken := n[result.Fail] + n[result.Crash] + n[result.Hang]
	judged := broken + n[result.Pass] + n[result.Warning]
	var parts []string
	switch {
	case judged == 0:
		return "Nothing was judged."
	case broken == 0:
		parts = append(parts, fmt.Sprintf("%s judged, none broke a MUST.", words.Count(judged, "spec", "specs")))
	default:
		var kinds []string
		for _, v := range []result.Verdict{result.Fail, result.Crash, result.Hang} {
			if n[v] > 0 {
				kinds = append(kinds, fmt.Sprintf("%d %s", n[v], v))
			}
		}
		parts = append(parts, fmt.Sprintf("%s judged, %d did not hold: %s.", words.Count(judged, "spec", "specs"), broken, strings.Join(kinds, ", ")))
	}
	if n[result.Warning] > 0 {
		parts = append(parts, fmt.Sprintf("%d broke a SHOULD.", n[result.Warning]))
	}
	if rest := len(r.Specs) - judged; rest > 0 {
		parts = append(parts, fmt.Sprintf("%d not judged.", rest))
	}
	return strings.Join(parts, " ")
}

func facts(r result.Result) []fact {
	t := r.Target
	size := ""
	if t.Size > 0 {
		size = strconv.FormatUint(t.Size, 10) + " bytes"
	}
	all := []fact{
		{"Target", targetName(t), false},
		{"Provider", t.Provider, false},
		{"Image", t.Image, true},
		{"Command", strings.Join(t.Command, " "), true},
		{"Profile", t.Profile, false},
		{"Export", strings.TrimPrefix(cmp.Or(t.Export, "(default)")+", "+size, ", "), false},
		{"Advertised", strings.Join(t.Advertised, ", "), false},
		{"Declared", strings.Join(t.Declared, ", "), false},
		{"Suite", strings.TrimSpace(r.Suite.Name + " " + r.Suite.Version), false},
		{"Document", strings.TrimSpace(r.Document.Name + " at " + cmp.Or(r.Document.Revision, "an unknown revision")), false},
		{"Filter", r.Suite.Filter, true},
		{"Seed", strconv.FormatInt(r.Suite.Seed, 10), false},
		{"Started", r.Started.UTC().Format(pageTime), false},
		{"Took", fmt.Sprintf("%.1f s", r.Seconds), false},
	}
	var list []fact
	for _, f := range all {
		f.Value = strings.TrimSuffix(f.Value, ", ")
		if f.Value != "" {
			list = append(list, f)
		}
	}
	return list
}

func htmlSeconds(s float64) string {
	switch {
	case s >= 10:
		return fmt.Sprintf("%.0f s", s)
	case s >= 1:
		return fmt.Sprintf("%.1f s", s)
	}
	return fmt.Sprintf("%.0f ms", s*1000)
}
