package render

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"nbdconform/reports/result"
)

// TAP writes r in version 14 of the Test Anything Protocol, one test point for
// each spec, with what there is to say of one that did not pass as YAML.
//
// Unsupported, skipped and blocked specs are skipped; a broken SHOULD is ok. A
// run that is not to be trusted ends in "Bail out!", so that no reader takes it
// for a good one.
func TAP(w io.Writer, r result.Result) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "TAP version 14\n# %s: %s\n1..%d\n", tapLine(targetName(r.Target)), tapLine(tally(counted(r))), len(r.Specs))
	for i, s := range r.Specs {
		tapPoint(out, i+1, s)
	}
	if d := r.Doubts(); len(d) > 0 {
		fmt.Fprintf(out, "Bail out! %s\n", tapLine(strings.Join(d, "; ")))
	}
	if err := out.Flush(); err != nil {
		return fmt.Errorf("writing tap: %w", err)
	}
	return nil
}

func tapPoint(out *bufio.Writer, n int, s result.Spec) {
	ok, directive := "ok", ""
	switch s.Verdict {
	case result.Pass, result.Warning:
	case result.Unsupported, result.Skipped, result.Blocked:
		directive = fmt.Sprintf(" # SKIP %s: %s", s.Verdict, tapLine(oneLine(s.Message, 300)))
	default:
		ok = "not ok"
	}
	fmt.Fprintf(out, "%s %d - %s: %s%s\n", ok, n, tapLine(s.ID), tapLine(s.Name), directive)
	if s.Verdict == result.Pass || directive != "" {
		return
	}
	fmt.Fprintln(out, "  ---")
	for _, f := range [][2]string{
		{"verdict", string(s.Verdict)},
		{"clauses", strings.Join(s.Clauses, ", ")},
		{"level", s.Level},
		{"section", s.Section},
		{"requires", s.Requires},
		{"message", s.Message},
		{"exit", s.Exit},
		{"stderr", head(s.Stderr, markdownBytes)},
		{"evidence", s.Evidence},
		{"reproduce", s.Reproduce},
	} {
		if f[1] != "" {
			tapField(out, f[0], f[1])
		}
	}
	fmt.Fprintln(out, "  ...")
}

// tapField writes a quoted string: of the forms of YAML the one that older
// harnesses know too.
func tapField(out *bufio.Writer, key, text string) {
	text = strings.TrimRight(xmlText(visible(text)), "\n ")
	fmt.Fprintf(out, "  %s: \"%s\"\n", key, strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`).Replace(text))
}

// tapLine is text on one line in which nothing is a directive.
func tapLine(s string) string {
	s = strings.Join(strings.Fields(xmlText(visible(s))), " ")
	return strings.NewReplacer(`\`, `\\`, "#", `\#`).Replace(s)
}
