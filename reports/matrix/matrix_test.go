package matrix

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reports/result"
)

func run(name, suite, profile string, advertised []string, specs ...result.Spec) result.Result {
	r := result.Result{
		SchemaVersion: result.SchemaVersion,
		Suite:         result.Suite{Name: "nbdconform", Version: "test"},
		Target: result.Target{
			Name: name, Provider: "container", Release: suite, Version: "1.0 of " + suite, Profile: profile, Advertised: advertised,
		},
		Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Specs:   specs, Observations: []result.Observation{},
	}
	r.Count()
	return r
}

func spec(id string, v result.Verdict) result.Spec {
	s := result.Spec{ID: id, Name: "it " + id, Group: "g", Clauses: []string{"c." + id, "c.all"}, Level: "MUST", Verdict: v}
	if v != result.Pass {
		s.Message = "because"
	}
	return s
}

func sample() Matrix {
	old := run("nbdkit", "bookworm", "", []string{"trim"}, spec("a", result.Pass), spec("b", result.Fail), spec("c", result.Unsupported))
	old.Observations = []result.Observation{{Spec: "a", Topic: "zero bytes", Value: "EINVAL"}}
	return Matrix{
		SchemaVersion: SchemaVersion,
		Made:          time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC),
		Runs: []result.Result{
			run("reference", "", "", []string{"trim", "tls"}, spec("a", result.Pass)),
			old,
			run("nbdkit", "bookworm", "tls", []string{"tls"}, spec("a", result.Crash), spec("c", result.Pass)),
			run("nbdkit", "trixie", "", []string{"cache", "trim"}, spec("a", result.Pass), spec("b", result.Pass), spec("c", result.Blocked)),
		},
		Pairings: []Pairing{{
			Client: Peer{Name: "nbdcopy", Release: "trixie"}, Server: Peer{Name: "nbdkit", Release: "trixie"},
			Operation: CopyIn, Outcome: Corrupt, Detail: "sector 3 differs",
		}},
		Skipped: []Skip{{What: "nbdkit bullseye", Why: "no such image"}},
	}
}

func verdicts(r Row) string {
	var b strings.Builder
	for _, c := range r.Cells {
		b.WriteString(string(c.Verdict) + "|")
	}
	return b.String()
}

func TestRowsTakeTheWorstOfTheProfiles(t *testing.T) {
	m := sample()
	got := map[string]string{}
	for _, r := range append(m.Specs(), m.Clauses()...) {
		got[r.ID] = verdicts(r)
	}
	want := map[string]string{
		"a": "pass|crash|pass|", "b": "|fail|pass|", "c": "|pass|blocked|",
		"c.a": "pass|crash|pass|", "c.b": "|fail|pass|", "c.c": "|pass|blocked|", "c.all": "pass|crash|blocked|",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
	if c := m.Specs()[0].Cells[1]; c.Run.Target.Profile != "tls" || c.Spec.Verdict != result.Crash {
		t.Errorf("the cell is of profile %q", c.Run.Target.Profile)
	}
}

func TestFeaturesNameTheProfiles(t *testing.T) {
	want := []Feature{
		{Name: "cache", Has: [][]string{nil, nil, {""}}},
		{Name: "tls", Has: [][]string{{""}, {"tls"}, nil}},
		{Name: "trim", Has: [][]string{{""}, {""}, {""}}},
	}
	if d := cmp.Diff(want, sample().Features()); d != "" {
		t.Error(d)
	}
}

func TestChangesAreBetweenVersionsOfOneServer(t *testing.T) {
	m := sample()
	var got []string
	for _, c := range m.Changes() {
		got = append(got, c.Before.String()+" > "+c.Server.String()+": "+c.Spec+c.Feature+" "+string(c.From)+" > "+string(c.To))
	}
	want := []string{
		"nbdkit bookworm > nbdkit trixie: a crash > pass",
		"nbdkit bookworm > nbdkit trixie: b fail > pass",
		"nbdkit bookworm > nbdkit trixie: cache unsupported > pass",
		"nbdkit bookworm > nbdkit trixie: tls pass > unsupported",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

// Of three versions each is held against the one before it, and a version that
// gave no answer is passed over.
func TestChangesAreFromTheLastAnswer(t *testing.T) {
	m := Matrix{Runs: []result.Result{
		run("nbdkit", "1", "", []string{"old"}, spec("a", result.Pass), spec("b", result.Pass), spec("c", result.Unsupported)),
		run("nbdkit", "2", "", []string{"new"}, spec("a", result.Fail), spec("b", result.Blocked), spec("c", result.Fail)),
		run("nbdkit", "3", "", []string{"new"}, spec("a", result.Fail), spec("b", result.Fail), spec("c", result.Fail)),
	}}
	var got []string
	for _, c := range m.Changes() {
		got = append(got, c.Before.Release+" > "+c.Server.Release+": "+c.Spec+c.Feature+" "+string(c.From)+" > "+string(c.To))
	}
	want := []string{
		"1 > 2: a pass > fail",
		"1 > 2: new unsupported > pass",
		"1 > 2: old pass > unsupported",
		"1 > 3: b pass > fail",
	}
	if d := cmp.Diff(want, got); d != "" {
		t.Error(d)
	}
}

func TestWorseVerdictsAskForMoreAttention(t *testing.T) {
	order := []result.Verdict{result.Pass, result.Warning, result.Fail, result.Hang, result.Crash}
	for i, v := range order[1:] {
		if Rank(v) <= Rank(order[i]) {
			t.Errorf("%s does not hide %s", v, order[i])
		}
	}
	for _, v := range []result.Verdict{
		result.Unsupported, result.Skipped, result.Blocked, result.Inconclusive, result.Error,
		result.Pass, result.Warning, result.Fail, result.Hang, result.Crash,
	} {
		if Rank(v) <= Rank("") {
			t.Errorf("%s has no rank", v)
		}
	}
}

func TestObservationsLineUp(t *testing.T) {
	want := []Observation{{Topic: "zero bytes", Spec: "a", Values: []string{"", "EINVAL", ""}}}
	if d := cmp.Diff(want, sample().Observations()); d != "" {
		t.Error(d)
	}
}

func TestWrittenIsRead(t *testing.T) {
	var b bytes.Buffer
	if err := Write(&b, sample()); err != nil {
		t.Fatal(err)
	}
	m, err := Read(bytes.NewReader(b.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := Write(&again, m); err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff(b.String(), again.String()); d != "" {
		t.Error(d)
	}
	for name, broken := range map[string]string{
		"outcome":  strings.Replace(b.String(), `"corrupt"`, `"splendid"`, 1),
		"activity": strings.Replace(b.String(), `"copy-in"`, `"dance"`, 1),
		"verdict":  strings.Replace(b.String(), `"crash"`, `"clash"`, 1),
		"field":    strings.Replace(b.String(), `"made"`, `"mode"`, 1),
		"version":  strings.Replace(b.String(), `"2.0"`, `"9.0"`, 1),
		"more":     b.String() + "{}",
	} {
		if _, err := Read(strings.NewReader(broken)); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}
