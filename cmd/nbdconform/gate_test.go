package main

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/reports/diff"
	"nbdconform/reports/result"
)

func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// The whole life of a baseline, with a bug planted in the reference server.
func TestGateFromFirstRunToFix(t *testing.T) {
	t.Parallel()
	some := []string{"run", "--filter", "id: containsAny {greeting.fixed-newstyle, abort.ack, abort.ack.later}"}
	good := nbdconform(t, some...).out
	bad := nbdconform(t, append(some, "--quirk", "abort-unsupported")...).out
	again := nbdconform(t, append(some, "--quirk", "abort-unsupported", "--seed", "7")...).out
	other := nbdconform(t, append(some, "--quirk", "abort-unanswered")...).out
	known := filepath.Join(t.TempDir(), "known.yaml")

	nbdconform(t, "gate", good, "--baseline", known).want(t, exitUntrusted) // there is none
	o := nbdconform(t, "baseline", "update", good, "--baseline", known)
	o.want(t, 0)
	nbdconform(t, "gate", good, "--baseline", known).want(t, exitConforms)

	o = nbdconform(t, "gate", bad, "--baseline", known)
	o.want(t, exitViolates)
	for _, w := range []string{"NEW FAIL  abort.ack\n", "reason: TODO", "nbdconform baseline update "} {
		if !strings.Contains(o.stdout, w) {
			t.Errorf("no %q in:\n%s", w, o.stdout)
		}
	}
	o = nbdconform(t, "baseline", "update", bad, "--baseline", known, "--dry-run")
	o.want(t, 0)
	nbdconform(t, "gate", good, "--baseline", known).want(t, exitConforms) // nothing was written
	nbdconform(t, "baseline", "update", bad, "--baseline", known).want(t, 0)
	nbdconform(t, "gate", bad, "--baseline", known).want(t, exitViolates) // no reasons yet

	text, err := os.ReadFile(known)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(known, bytes.ReplaceAll(text, []byte("TODO"), []byte("A planted bug.")), 0o600); err != nil {
		t.Fatal(err)
	}
	nbdconform(t, "gate", bad, "--baseline", known).want(t, exitConforms)
	nbdconform(t, "gate", again, "--baseline", known).want(t, exitConforms) // signatures do not depend on the seed

	o = nbdconform(t, "gate", other, "--baseline", known)
	o.want(t, exitViolates)
	if !strings.Contains(o.stdout, "CHANGED") {
		t.Errorf("another bug in the same place:\n%s", o.stdout)
	}
	o = nbdconform(t, "gate", good, "--baseline", known)
	o.want(t, exitViolates)
	if !strings.Contains(o.stdout, "PASSES  abort.ack  ("+known) {
		t.Errorf("the bug is gone:\n%s", o.stdout)
	}

	nbdconform(t, "diff", good, good).want(t, exitConforms)
	nbdconform(t, "diff", bad, good).want(t, exitConforms)
	o = nbdconform(t, "diff", good, bad, "--json")
	o.want(t, exitViolates)
	var d diff.Report
	if err := json.Unmarshal([]byte(o.stdout), &d); err != nil || len(d.Lines) == 0 || d.Lines[0].Kind != diff.Regressed {
		t.Errorf("%v: %s", err, o.stdout)
	}
}

// A bug that is planted in the reference client turns the gate for clients red.
func TestGateOnAClient(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	judged := func(quirk string) string {
		out := filepath.Join(dir, "out"+quirk)
		o := nbdconform(t, "clients", "--filter", "client.disc.visit", "--quirk", quirk, "--out", out)
		if o.status == exitUntrusted {
			t.Fatal(o.stderr)
		}
		return out
	}
	good, bad := judged(""), judged("client-discless")
	known := filepath.Join(dir, "known.yaml")
	nbdconform(t, "baseline", "update", good, "--baseline", known).want(t, 0)
	nbdconform(t, "gate", good, "--baseline", known).want(t, exitConforms)
	o := nbdconform(t, "gate", bad, "--baseline", known)
	o.want(t, exitViolates)
	if !strings.Contains(o.stdout, "NEW FAIL  judge.trans.end.unjustified.client\n") {
		t.Errorf("the planted bug is not new:\n%s", o.stdout)
	}
}

// Entries that are over, about nothing, or too wide for what happened.
func TestGateIsNotWavedThrough(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	bad := nbdconform(t, "run", "--quirk", "abort-unsupported", "--filter", "abort.ack").out
	whole := nbdconform(t, "run").out
	crashed := ended{out: bad}.result(t)
	for i := range crashed.Specs {
		if s := &crashed.Specs[i]; s.ID == "abort.ack" {
			s.Verdict, s.Exit, s.Signature = result.Crash, "signal: aborted", ""
		}
	}
	crashed.Count()
	var b bytes.Buffer
	if err := result.Write(&b, crashed); err != nil {
		t.Fatal(err)
	}
	crash := write(t, dir, "crash.json", b.String())
	const wide = "  - {target: reference, spec: '*', verdict: fail, reason: All is known.}\n"
	for name, tc := range map[string]struct {
		result, entries, want string
		status                int
	}{
		"a wildcard":          {bad, wide, "green", exitConforms},
		"expired":             {bad, strings.Replace(wide, "reason", "expires: 2020-01-31, reason", 1), "EXPIRED", exitViolates},
		"about nothing":       {whole, "  - {target: reference, spec: abort.never, verdict: fail, signature: x, reason: y}\n", "STALE  abort.never", exitViolates},
		"about what passes":   {whole, "  - {target: reference, spec: abort.ack, verdict: fail, signature: x, reason: y}\n", "PASSES  abort.ack", exitViolates},
		"another verdict":     {bad, "  - {target: reference, spec: abort.ack, verdict: hang, signature: x, reason: y}\n", "CHANGED", exitViolates},
		"a crash, a wildcard": {crash, wide, "NEW CRASH  abort.ack", exitViolates},
		"a crash by one":      {crash, "  - {target: reference, spec: '*', verdict: crash, signature: x, reason: y}\n", "never waved through by a wildcard", exitUntrusted},
		"a hang by one":       {bad, "  - {target: reference, clause: opt.abort.ack, verdict: hang, reason: y}\n", "never waved through by a wildcard", exitUntrusted},
		"wrong data by one":   {bad, "  - {target: '*', spec: a, verdict: corrupt, signature: x, reason: y}\n", "never waved through by a wildcard", exitUntrusted},
	} {
		t.Run(name, func(t *testing.T) {
			known := write(t, t.TempDir(), "known.yaml", "baseline: 2\nentries:\n"+tc.entries)
			o := nbdconform(t, "gate", tc.result, "--baseline", known)
			o.want(t, tc.status)
			if !strings.Contains(o.stdout+o.stderr, tc.want) {
				t.Errorf("no %q in\n%s%s", tc.want, o.stdout, o.stderr)
			}
		})
	}
}

func TestGateSaysNothingOfWhatItCannotTrust(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	good := nbdconform(t, "run", "--filter", "greeting.fixed-newstyle").out
	known := write(t, dir, "known.yaml", "baseline: 2\nentries: []\n")
	r := ended{out: good}.result(t)
	broken := func(name string, change func(*result.Result)) string {
		copied := r
		copied.Specs = append([]result.Spec{}, r.Specs...)
		change(&copied)
		var b bytes.Buffer
		if err := result.Write(&b, copied); err != nil {
			t.Fatal(err)
		}
		return write(t, dir, name, b.String())
	}
	for name, tc := range map[string]struct{ result, baseline, want string }{
		"no result":                 {filepath.Join(dir, "none.json"), known, "no such file"},
		"an empty result":           {write(t, dir, "empty.json", ""), known, "not a JSON document"},
		"some other JSON":           {write(t, dir, "other.json", "{}"), known, "not a result of this suite"},
		"a directory without one":   {t.TempDir(), known, "no such file"},
		"a run that ended early":    {broken("early.json", func(r *result.Result) { r.EndedEarly = "interrupted" }), known, "ended early"},
		"a run of nothing":          {broken("nothing.json", func(r *result.Result) { r.Specs = nil }), known, "no spec ran"},
		"an error of the suite":     {broken("error.json", func(r *result.Result) { r.Specs[0].Verdict = result.Error }), known, "error of the suite"},
		"an empty baseline":         {good, write(t, dir, "empty.yaml", ""), "the file is empty"},
		"some other YAML":           {good, write(t, dir, "other.yaml", "a: 1\n"), "no baseline"},
		"a baseline with a mistake": {good, write(t, dir, "mistake.yaml", "baseline: 2\nentries:\n  - {target: x, spec: a, verdict: crash, reason: y}\n"), "line 3"},
		"a directory with none":     {good, t.TempDir(), "has no *.yaml"},
	} {
		t.Run(name, func(t *testing.T) {
			o := nbdconform(t, "gate", tc.result, "--baseline", tc.baseline)
			o.want(t, exitUntrusted)
			if !strings.Contains(o.stderr, tc.want) {
				t.Errorf("no %q in %s", tc.want, o.stderr)
			}
		})
	}
	nbdconform(t, "gate", good).want(t, exitUntrusted)
	nbdconform(t, "diff", good, filepath.Join(dir, "early.json")).want(t, exitUntrusted)
}

// An error beside a new failure hides nothing, and alone it leaves nothing to say.
func TestGateOfARunInDoubt(t *testing.T) {
	t.Parallel()
	empty := write(t, t.TempDir(), "known.yaml", "baseline: 2\nentries: []\n")
	for name, tt := range map[string]struct {
		quirk string
		want  int
	}{
		"a new failure beside an error": {"abort-unsupported", exitViolates},
		"nothing but an error":          {"", exitUntrusted},
	} {
		out := nbdconform(t, "run", "--filter", "id: containsAny {greeting.fixed-newstyle, abort.ack}", "--quirk", tt.quirk).out
		r, err := readResult(out)
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Specs {
			if r.Specs[i].ID == "greeting.fixed-newstyle" {
				r.Specs[i].Verdict, r.Specs[i].Failures = result.Error, []result.Failure{result.Because("harness", "a planted fault")}
				r.Specs[i].Message = "harness: a planted fault"
			}
		}
		r.Count()
		var text bytes.Buffer
		if err := result.Write(&text, r); err != nil {
			t.Fatal(err)
		}
		file := write(t, t.TempDir(), "result.json", text.String())
		o := nbdconform(t, "gate", file, "--baseline", empty)
		o.want(t, tt.want)
		if !strings.Contains(o.stderr, "not to be trusted: 1 spec ended in an error of the suite: greeting.fixed-newstyle") {
			t.Errorf("%s: %s", name, o.stderr)
		}
	}
}
