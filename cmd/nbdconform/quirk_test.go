package main

import (
	"cmp"
	"slices"
	"strings"
	"testing"

	"nbdconform/conformance"
	"nbdconform/conformance/clause"
	"nbdconform/reference/quirk"
	serverquirk "nbdconform/reference/quirk/server"
	"nbdconform/reports/result"
)

func TestQuirkFailsWithItsClause(t *testing.T) {
	t.Parallel()
	o := nbdconform(t, "run", "--quirk", serverquirk.GreetingNotFixed.Name)
	o.want(t, exitViolates)
	r := o.result(t)
	failsWith(t, r, "greeting.fixed-newstyle", "flag.handshake.fixed-newstyle")
	if !strings.Contains(o.stdout, "greeting.fixed-newstyle") || !strings.Contains(o.stdout, "does not conform") {
		t.Errorf("stdout does not say so:\n%s", o.stdout)
	}
}

func TestQuirkFailsBehindAnAddress(t *testing.T) {
	t.Parallel()
	s := serving(t, "--quirk", serverquirk.ClientFlagsUnknownAccepted.Name)
	o := nbdconform(t, "run", "--uri", s.uri)
	o.want(t, exitViolates)
	failsWith(t, o.result(t), "greeting.client-flags.unknown", "flag.client.unknown.drop")
}

// A server that makes it hard for its clients to behave is at fault, not the suite.
func TestAServerThatConfusesItsClientsFails(t *testing.T) {
	t.Parallel()
	for _, q := range []serverquirk.Quirk{
		serverquirk.BlockSizeMaximumTiny, serverquirk.BlockSizeMinimumOdd, serverquirk.BlockSizeNotAFactor,
		serverquirk.BlockSizeReqdThoughRequested, serverquirk.GreetingNotFixed, serverquirk.CrashOnClientGone,
	} {
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			o := nbdconform(t, "run", "--quirk", q.Name)
			o.want(t, exitViolates)
			wholeCensus(t, o.result(t))
		})
	}
}

// A quirk in a clause that no spec is about is the judge's to notice.
func TestQuirkFailsInALineOfTheJudge(t *testing.T) {
	t.Parallel()
	q := serverquirk.OptionReplyWrongMagic
	o := nbdconform(t, "run", "--quirk", q.Name)
	o.want(t, exitViolates)
	failsWith(t, o.result(t), "judge."+q.Breaks, q.Breaks)
}

func TestAllowedQuirkConforms(t *testing.T) {
	t.Parallel()
	for _, q := range serverquirk.All() {
		if q.Allowed {
			o := nbdconform(t, "run", "--quirk", q.Name)
			o.want(t, exitConforms)
			wholeCensus(t, o.result(t))
			return
		}
	}
	t.Fatal("the catalogue has no quirk that is allowed")
}

func TestBrokenShouldAloneConforms(t *testing.T) {
	t.Parallel()
	q := serverquirk.AbortDataRejected
	s, _ := tripped(t, func(s *conformance.Spec, trip quirk.Facts) bool {
		return s.Level == clause.Should && trip.Name == q.Name
	})
	o := nbdconform(t, "run", "--quirk", q.Name)
	r := o.result(t)
	o.want(t, exitConforms)
	if v := verdicts(r)[s.ID]; v != result.Warning {
		t.Errorf("%s %s", v, s.ID)
	}
	if !strings.Contains(o.stdout, s.ID) {
		t.Errorf("stdout does not name %s:\n%s", s.ID, o.stdout)
	}
}

// Of a server that dies or hangs, each spec that made it do so says so, and
// all the others are tried.
func TestCrashAndHangCostTheirSpecsAlone(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		name string
		want result.Verdict
	}{
		{serverquirk.CrashOnUnknownCommand.Name, result.Crash},
		{serverquirk.HangOnUnknownCommand.Name, result.Hang},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			tripped(t, func(_ *conformance.Spec, q quirk.Facts) bool { return q.Name == tc.name })
			o := nbdconform(t, "run", "--quirk", tc.name)
			o.want(t, exitViolates)
			r := o.result(t)
			wholeCensus(t, r)
			if len(with(r, tc.want)) == 0 {
				t.Errorf("no spec has the verdict %s: %v", tc.want, r.Summary)
			}
			if n := len(with(r, result.Blocked)); n > 0 {
				t.Errorf("%d specs are blocked", n)
			}
		})
	}
}

// tripped returns a spec of the census with a quirk that trips it and is fit,
// and skips the test where there is none.
func tripped(t *testing.T, fit func(*conformance.Spec, quirk.Facts) bool) (*conformance.Spec, quirk.Facts) {
	t.Helper()
	for _, e := range census(t) {
		for _, trip := range e.Trips {
			if fit(e.Spec, trip.Quirk) {
				return e.Spec, trip.Quirk
			}
		}
	}
	t.Skip("no spec is proven by such a quirk")
	return nil, quirk.Facts{}
}

// failsWith fails the test unless the spec of the id failed and names the clause.
func failsWith(t *testing.T, r result.Result, id, clause string) {
	t.Helper()
	i := slices.IndexFunc(r.Specs, func(s result.Spec) bool { return s.ID == id })
	if i < 0 {
		t.Fatalf("the result lacks %s", id)
	}
	s := r.Specs[i]
	if s.Verdict != result.Fail || !slices.Contains(s.Clauses, clause) {
		t.Errorf("%s %s with the clauses %q, want a fail with %s", s.Verdict, id, s.Clauses, clause)
	}
	if cmp.Or(s.Message, s.Requires, s.Section, s.Reproduce) == "" || s.Message == "" || s.Transcript == "" {
		t.Errorf("a failure without evidence: %+v", s)
	}
}
