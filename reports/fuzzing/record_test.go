package fuzzing

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func shard(i int, script string, standing Standing) Record {
	at := time.Date(2026, 1, 2, 3, 4, 5+i, 0, time.UTC)
	return Record{
		Campaign: Version, Subject: Subject{Kind: "server", Name: "s"}, Shard: i, Shards: 2, Started: at, Updated: at, Execs: 10, Requests: 5,
		Points:   []string{"a", string(rune('b' + i))},
		Findings: []Finding{{Signature: "x", Kind: "wrong", Standing: standing, Script: script, Count: 2, First: at}},
		Differs:  []Difference{{Asked: "q", One: "1", Other: "2", Verdict: "both allowed", Count: 1, Script: script}},
	}
}

func TestMergeDoesNotDependOnTheOrder(t *testing.T) {
	a, b := shard(0, "long script", New), shard(1, "short", New)
	one, err := Merge([]Record{a, b})
	if err != nil {
		t.Fatal(err)
	}
	other, err := Merge([]Record{b, a})
	if d := cmp.Diff(one, other); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	f := one.Findings
	if len(f) != 1 || f[0].Script != "short" || f[0].Count != 4 || !f[0].First.Equal(a.Started) || one.Execs != 20 || len(one.Points) != 3 || one.Differs[0].Count != 2 {
		t.Errorf("%+v", one)
	}
	b.Subject.Name = "other"
	if _, err := Merge([]Record{a, b}); err == nil {
		t.Error("campaigns on different servers are merged")
	}
	b.Subject.Name, b.Against = a.Subject.Name, &Subject{Kind: "server", Name: "t"}
	if _, err := Merge([]Record{a, b}); err == nil {
		t.Error("comparisons with different servers are merged")
	}
}

func TestAConfirmedFindingIsKeptRatherThanAShortOne(t *testing.T) {
	m, err := Merge([]Record{shard(0, "short", Unconfirmed), shard(1, "long script", New)})
	if err != nil || m.Findings[0].Standing != New || m.Findings[0].Script != "long script" {
		t.Errorf("%v %+v", err, m.Findings)
	}
}

func TestExit(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*Record)
		want   int
	}{
		"a finding":            {func(*Record) {}, 1},
		"nothing ran":          {func(r *Record) { r.Execs = 0 }, 2},
		"nothing was answered": {func(r *Record) { r.Requests = 0 }, 2},
		"a known one":          {func(r *Record) { r.Findings[0].Standing = Known }, 0},
		"against a SHOULD":     {func(r *Record) { r.Findings[0].Standing = Warning }, 0},
		"unconfirmed":          {func(r *Record) { r.Findings[0].Standing = Unconfirmed }, 0},
		"an unconfirmed crash": {func(r *Record) { r.Findings[0].Standing, r.Findings[0].Kind = Unconfirmed, "crash" }, 1},
		"ours":                 {func(r *Record) { r.Findings[0].Standing = FuzzerError }, 2},
	} {
		r := shard(0, "s", New)
		tt.change(&r)
		if got := r.Exit(); got != tt.want {
			t.Errorf("%s: exit %d, want %d", name, got, tt.want)
		}
	}
}

func TestRecordsReadBack(t *testing.T) {
	var b bytes.Buffer
	r := shard(0, "s", New)
	if err := Write(&b, r); err != nil {
		t.Fatal(err)
	}
	r.Schema = SchemaURL
	got, err := Read(bytes.NewReader(b.Bytes()))
	if d := cmp.Diff(r, got); err != nil || d != "" {
		t.Errorf("%v\n%s", err, d)
	}
	for _, bad := range []string{
		strings.Replace(b.String(), `"standing": "new"`, `"standing": "fine"`, 1), strings.Replace(b.String(), `"kind": "server"`, `"kind": "cat"`, 1),
		strings.Replace(b.String(), `"execs": 10`, `"execs": -1`, 1), strings.Replace(b.String(), `"count": 2`, `"count": 0`, 1), "", "{}", b.String() + "{}", strings.Replace(b.String(), `"seed"`, `"sead"`, 1), `{"campaign": 99}`,
	} {
		if _, err := Read(strings.NewReader(bad)); err == nil {
			t.Errorf("read: %.40s", bad)
		}
	}
}

func TestExitOfSeveral(t *testing.T) {
	found, fine, apart := shard(0, "s", New), shard(0, "s", Known), shard(0, "s", Known)
	apart.Requests = 0
	broken, distrusted := apart, apart
	broken.Findings = found.Findings
	distrusted.Doubts = []string{"ended early"}
	for name, tt := range map[string]struct {
		list []Record
		want int
	}{
		"none":                             {nil, 2},
		"all fine":                         {[]Record{fine, fine}, 0},
		"one with a finding":               {[]Record{fine, found}, 1},
		"one that entered no export":       {[]Record{fine, apart}, 0},
		"one that did not, with a finding": {[]Record{fine, broken}, 1},
		"none entered an export":           {[]Record{apart, apart}, 2},
		"one that ended early":             {[]Record{found, distrusted}, 2},
	} {
		if got := Exit(tt.list); got != tt.want {
			t.Errorf("%s: %d, want %d", name, got, tt.want)
		}
	}
}
