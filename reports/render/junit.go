package render

import (
	"cmp"
	"encoding/xml"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"nbdconform/reports/result"
)

type junitRoot struct {
	XMLName xml.Name `xml:"testsuites"`
	Name    string   `xml:"name,attr"`
	junitCounts
	Suites []junitSuite `xml:"testsuite"`
}

type junitCounts struct {
	Tests    int    `xml:"tests,attr"`
	Failures int    `xml:"failures,attr"`
	Errors   int    `xml:"errors,attr"`
	Skipped  int    `xml:"skipped,attr"`
	Time     string `xml:"time,attr"`
}

type junitSuite struct {
	Name string `xml:"name,attr"`
	junitCounts
	Timestamp  string          `xml:"timestamp,attr"`
	Properties []junitProperty `xml:"properties>property"`
	Cases      []junitCase     `xml:"testcase"`
}

type junitProperty struct {
	Name  string `xml:"name,attr"`
	Value string `xml:"value,attr"`
}

type junitCase struct {
	Classname string        `xml:"classname,attr"`
	Name      string        `xml:"name,attr"`
	Time      string        `xml:"time,attr"`
	File      string        `xml:"file,attr,omitempty"`
	Line      string        `xml:"line,attr,omitempty"`
	Skipped   *junitOutcome `xml:"skipped"`
	Failure   *junitOutcome `xml:"failure"`
	Error     *junitOutcome `xml:"error"`
	SystemOut *junitText    `xml:"system-out"`
	SystemErr *junitText    `xml:"system-err"`
}

type junitOutcome struct {
	Message string `xml:"message,attr"`
	Type    string `xml:"type,attr,omitempty"`
	Body    string `xml:",cdata"`
}

// junitText is text of several lines, which CDATA leaves readable in the file.
type junitText struct {
	Body string `xml:",cdata"`
}

func junitTextOf(s string) *junitText {
	if s == "" {
		return nil
	}
	return &junitText{xmlText(s)}
}

// JUnit writes r in the form that CI servers read, one testcase for each spec.
//
// Pass and warning are passed testcases, a warning says so in system-out; fail,
// crash and hang are failures; error and inconclusive are errors; unsupported,
// skipped and blocked are skipped. The format has no word for a run that can't
// be trusted as a whole, and its readers take a file without tests for a
// success: such a run, when no spec of it is an error already, has one more
// testcase that is.
func JUnit(w io.Writer, r result.Result) error {
	r = counted(r)
	suite := junitSuite{
		Name:       xmlText(targetName(r.Target)),
		Timestamp:  r.Started.UTC().Format("2006-01-02T15:04:05"),
		Properties: junitProperties(r),
	}
	names := map[string]int{}
	for _, s := range r.Specs {
		names[groupName(s)+"\x00"+s.Name]++
	}
	for _, s := range r.Specs {
		suite.Cases = append(suite.Cases, junitCaseOf(s, names[groupName(s)+"\x00"+s.Name] > 1))
	}
	if doubts := r.Doubts(); len(doubts) > 0 && r.Summary[result.Error]+r.Summary[result.Inconclusive] == 0 {
		suite.Cases = append(suite.Cases, junitCase{
			Classname: xmlText(cmp.Or(r.Suite.Name, "nbdconform")), Name: "the run is to be trusted", Time: junitTime(0),
			Error: &junitOutcome{Message: xmlText(doubts[0]), Type: "not-trusted", Body: xmlText(strings.Join(doubts, "\n"))},
		})
	}
	suite.junitCounts = junitCount(suite.Cases)
	suite.Time = junitTime(r.Seconds)
	root := junitRoot{Name: xmlText(cmp.Or(r.Suite.Name, "nbdconform")), junitCounts: suite.junitCounts, Suites: []junitSuite{suite}}

	if _, err := io.WriteString(w, xml.Header); err != nil {
		return fmt.Errorf("writing junit: %w", err)
	}
	enc := xml.NewEncoder(w)
	enc.Indent("", "  ")
	if err := enc.Encode(root); err != nil {
		return fmt.Errorf("writing junit: %w", err)
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return fmt.Errorf("writing junit: %w", err)
	}
	return nil
}

func junitCaseOf(s result.Spec, nameTaken bool) junitCase {
	c := junitCase{
		Classname: xmlText(groupName(s)), Name: xmlText(s.Name), Time: junitTime(s.Seconds),
		SystemOut: junitTextOf(s.Transcript), SystemErr: junitTextOf(s.Stderr),
	}
	if nameTaken {
		c.Name += xmlText(" (" + s.ID + ")")
	}
	c.File, c.Line = xmlText(s.Location), ""
	if i := strings.LastIndexByte(s.Location, ':'); i >= 0 {
		if _, err := strconv.ParseUint(s.Location[i+1:], 10, 32); err == nil {
			c.File, c.Line = xmlText(s.Location[:i]), s.Location[i+1:]
		}
	}
	outcome := &junitOutcome{Message: xmlText(oneLine(s.Message, 300)), Type: xmlText(string(s.Verdict))}
	switch s.Verdict {
	case result.Pass:
	case result.Warning:
		c.SystemOut = junitTextOf(strings.TrimRight("warning: "+s.Message+"\n\n"+s.Transcript, "\n"))
	case result.Fail, result.Crash, result.Hang:
		outcome.Body = xmlText(junitBody(s))
		c.Failure = outcome
	case result.Unsupported, result.Skipped, result.Blocked:
		// Skipped has no type in this format: the verdict leads the message.
		outcome.Message, outcome.Type = outcome.Type+": "+outcome.Message, ""
		c.Skipped = outcome
	default:
		outcome.Body = xmlText(junitBody(s))
		c.Error = outcome
	}
	return c
}

func junitBody(s result.Spec) string {
	var b strings.Builder
	for _, line := range [][2]string{
		{"spec", s.ID},
		{"clause", strings.Join(s.Clauses, ", ") + " (" + s.Level + ")"},
		{"section", s.Section},
		{"requires", s.Requires},
		{"exit", s.Exit},
		{"evidence", s.Evidence},
		{"again", s.Reproduce},
	} {
		if line[1] != "" {
			fmt.Fprintf(&b, "%-9s %s\n", line[0], line[1])
		}
	}
	return b.String() + "\n" + s.Message + "\n"
}

func junitCount(cases []junitCase) junitCounts {
	n := junitCounts{Tests: len(cases)}
	for _, c := range cases {
		switch {
		case c.Failure != nil:
			n.Failures++
		case c.Error != nil:
			n.Errors++
		case c.Skipped != nil:
			n.Skipped++
		}
	}
	return n
}

func junitProperties(r result.Result) []junitProperty {
	var list []junitProperty
	for _, p := range [][2]string{
		{"conclusion", r.Conclusion()},
		{"suite.version", r.Suite.Version},
		{"suite.filter", r.Suite.Filter},
		{"suite.seed", strconv.FormatInt(r.Suite.Seed, 10)},
		{"document.name", r.Document.Name},
		{"document.revision", r.Document.Revision},
		{"target.name", r.Target.Name},
		{"target.version", r.Target.Version},
		{"target.suite", r.Target.Release},
		{"target.provider", r.Target.Provider},
		{"target.image", r.Target.Image},
		{"target.profile", r.Target.Profile},
		{"reproduce", r.Reproduce},
	} {
		if p[1] != "" {
			list = append(list, junitProperty{Name: p[0], Value: xmlText(p[1])})
		}
	}
	return list
}

func junitTime(seconds float64) string { return strconv.FormatFloat(seconds, 'f', 3, 64) }

// xmlText replaces what XML 1.0 forbids, and the control characters that it
// discourages, by escapes that people can read.
func xmlText(s string) string {
	var b strings.Builder
	for i := 0; i < len(s); {
		c, n := utf8.DecodeRuneInString(s[i:])
		switch {
		case c == utf8.RuneError && n == 1:
			fmt.Fprintf(&b, `\x%02x`, s[i])
		case c < ' ' && c != '\t' && c != '\n' && c != '\r', c >= 0x7f && c < 0xa0, c == 0xfffe, c == 0xffff:
			b.WriteString(escaped(c))
		default:
			b.WriteRune(c)
		}
		i += n
	}
	return b.String()
}
