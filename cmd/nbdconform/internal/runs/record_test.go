package runs

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/reports/result"
)

func planned(ids ...string) Event {
	e := Event{Target: &result.Target{Name: "a server"}}
	for _, id := range ids {
		e.Planned = append(e.Planned, result.Spec{ID: id, Clauses: []string{"clause"}})
	}
	return e
}

func done(id string, v result.Verdict) Event {
	return Event{Done: &result.Spec{ID: id, Clauses: []string{"clause"}, Verdict: v}}
}

// However a child ends, every planned spec has a verdict, or there is no result.
func TestEventsMakeAResult(t *testing.T) {
	for name, tc := range map[string]struct {
		events      []Event
		end, killed string
		want        map[string]result.Verdict
		early       string
		err         string
	}{
		"whole": {
			events: []Event{planned("a", "b"), {Started: "a"}, done("a", result.Pass), {Started: "b"}, done("b", result.Fail), {Finished: true}},
			want:   map[string]result.Verdict{"a": result.Pass, "b": result.Fail},
		},
		"the child dies within a spec": {
			events: []Event{planned("a", "b", "c"), {Started: "a"}, done("a", result.Pass), {Started: "b"}},
			end:    "signal: killed",
			want:   map[string]result.Verdict{"a": result.Pass, "b": result.Error, "c": result.Inconclusive},
			early:  "signal: killed",
		},
		"the child dies between specs": {
			events: []Event{planned("a", "b"), {Started: "a"}, done("a", result.Pass)},
			end:    "exit status 2",
			want:   map[string]result.Verdict{"a": result.Pass, "b": result.Inconclusive},
			early:  "exit status 2",
		},
		"the user interrupts": {
			events: []Event{planned("a"), {Error: "context canceled"}},
			end:    "interrupted", killed: "interrupted",
			want:  map[string]result.Verdict{"a": result.Inconclusive},
			early: "interrupted",
		},
		"the child gives up": {
			events: []Event{planned("a"), {Error: "the server is gone"}},
			want:   map[string]result.Verdict{"a": result.Inconclusive},
			early:  "the server is gone",
		},
		"the child just ends": {
			events: []Event{planned("a")},
			want:   map[string]result.Verdict{"a": result.Inconclusive},
			early:  "for no known reason",
		},
		"the child can't begin":           {events: []Event{{Progress: "building"}, {Error: "no engine"}}, err: "no engine"},
		"the child dies before it begins": {end: "exit status 1", err: "the run ended before its first spec: exit status 1"},
		"the user interrupts before it begins": {
			events: []Event{{Error: "context canceled"}}, end: "interrupted", killed: "interrupted",
			err: "the run ended before its first spec: interrupted",
		},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRecord(job.Job{Target: job.Reference}, "v1", console.Quiet{})
			for _, e := range tc.events {
				r.note(e)
			}
			got, err := r.end(tc.end, tc.killed)
			if said := text(err); said != tc.err {
				t.Fatalf("error %q, want %q", said, tc.err)
			}
			if err != nil {
				return
			}
			verdicts := map[string]result.Verdict{}
			for _, s := range got.Specs {
				verdicts[s.ID] = s.Verdict
			}
			if d := cmp.Diff(tc.want, verdicts); d != "" || got.EndedEarly != tc.early || len(got.Specs) != len(tc.want) {
				t.Errorf("ended early: %q, want %q\n%s", got.EndedEarly, tc.early, d)
			}
			if got.Suite.Version != "v1" || got.Summary[result.Pass] != count(tc.want, result.Pass) {
				t.Errorf("version %q, summary %v", got.Suite.Version, got.Summary)
			}
		})
	}
}

func count(verdicts map[string]result.Verdict, v result.Verdict) (n int) {
	for _, have := range verdicts {
		if have == v {
			n++
		}
	}
	return n
}

func text(err error) string {
	if err == nil {
		return ""
	}
	return err.Error()
}

// A spec is reproduced by its id, and what the judge saw by the spec that it was in.
func TestWhatReproducesALine(t *testing.T) {
	judged := result.JudgePrefix + "some.clause"
	for name, tc := range map[string]struct {
		job  job.Job
		spec result.Spec
		want string
	}{
		"a spec":                         {job.Job{}, result.Spec{ID: "abort.ack", Location: "x.go:1"}, "abort.ack"},
		"the judge, in a spec":           {job.Job{}, result.Spec{ID: judged, Group: result.JudgeGroup, Location: "abort.ack"}, "abort.ack"},
		"the judge, nowhere":             {job.Job{}, result.Spec{ID: judged, Group: result.JudgeGroup, Clauses: []string{"some.clause"}}, "some.clause"},
		"the judge, before any spec":     {job.Job{}, result.Spec{ID: judged, Group: result.JudgeGroup, Location: "discovery"}, "greeting.fixed-newstyle"},
		"the judge, of a client, before": {job.Job{Client: &job.Client{}}, result.Spec{ID: judged, Group: result.JudgeGroup, Location: "discovery"}, "client.baseline.visit"},
	} {
		if got := filterFor(&tc.job, tc.spec); got != tc.want {
			t.Errorf("%s: %q, want %q", name, got, tc.want)
		}
	}
}
