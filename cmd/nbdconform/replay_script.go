package main

import (
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"nbdconform/fuzz/recorded"
	"nbdconform/fuzz/session"
)

// replayScript runs a script of the fuzzer's, on the reference server if none is
// named, with the quirk that the file names if none is given.
func replayScript(c *cobra.Command, o order, path string, saved session.Saved) error {
	if err := o.check(); err != nil {
		return err
	}
	if o.URI != "" && saved.Script.Writes() && !o.Destructive {
		return fmt.Errorf("%s may change the export: --destructive allows that", path)
	}
	t, done, err := o.fuzzTarget(c, saved)
	if err != nil {
		return err
	}
	defer done()
	out := c.OutOrStdout()
	r := session.Run(c.Context(), saved.Script, &t)
	if err := c.Context().Err(); err != nil {
		return err
	}
	for _, f := range r.Findings {
		fmt.Fprintf(out, "%v\n%s\n", f, indented(strings.TrimSpace(f.Transcript)))
	}
	_, again := r.Has(saved.Finding)
	return replayed(out, saved.Finding, again, len(r.Findings), fmt.Sprintf("nothing found, %d requests were answered", r.Requests))
}

// replayed prints what came of a file that says what was found then, if anything
// was, and ends with the status of that.
func replayed(out io.Writer, then string, again bool, found int, nothing string) error {
	switch {
	case again:
		fmt.Fprintf(out, "reproduced: %s\n", then)
	case then != "":
		fmt.Fprintf(out, "not reproduced: %s; findings: %d\n", then, found)
		return nil
	case found == 0:
		fmt.Fprintln(out, nothing)
		return nil
	default:
		fmt.Fprintf(out, "findings: %d\n", found)
	}
	return &exitError{status: exitViolates}
}

// printScript prints what was said in a capture.
func printScript(out io.Writer, file string) error {
	said, notes, err := recorded.Load(file)
	if err != nil {
		return err
	}
	for _, n := range notes {
		fmt.Fprintln(out, "# "+n)
	}
	_, err = fmt.Fprint(out, said)
	return err
}

// fuzzTarget starts, or finds, what the order names, as a target for a script.
func (o *order) fuzzTarget(c *cobra.Command, saved session.Saved) (session.Target, func(), error) {
	if o.Target != reference {
		t, err := o.open(c.Context(), func(s string) { fmt.Fprintln(os.Stderr, s) })
		if err != nil {
			return session.Target{}, nil, err
		}
		return session.Of(t), func() { _ = t.Close() }, nil
	}
	profile, quirk := o.Profile, o.Quirk
	if profile == "" {
		profile = saved.Script.Profile
	}
	if !c.Flags().Changed("quirk") {
		quirk = saved.Quirk
	}
	r, err := session.Reference(profile, quirk)
	if err != nil {
		return session.Target{}, nil, err
	}
	return r.Target, r.Close, nil
}
