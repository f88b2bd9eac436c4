package campaign

import (
	"slices"
	"testing"

	"nbdconform/fuzz/internal/script"
	"nbdconform/fuzz/session"
	"nbdconform/reports/fuzzing"
)

func TestComplaints(t *testing.T) {
	got := complaints(`nbdkit: memory.1: error: read: out of range
a.c:12: f: Assertion 'x == 0x17' failed.
a.c:99: f: Assertion 'x == 0x42' failed.
==7==ERROR: AddressSanitizer: heap-use-after-free on address 0x6020
** Message: 10:00: connect
free(): invalid pointer
`)
	want := []string{"a.c:N: f: Assertion 'x == N' failed.", "==N==ERROR: AddressSanitizer: heap-use-after-free on address N", "free(): invalid pointer"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestMinimiseKeepsAllThatWasReached(t *testing.T) {
	e := func(seed uint64, points ...string) entry[script.Script] {
		return entry[script.Script]{script.Generate(seed, script.Options{}), points}
	}
	list := []entry[script.Script]{e(1, "a"), e(2, "b"), e(3, "a", "b", "c"), e(4, "d"), e(5, "c")}
	kept := scriptForm.minimise(list)
	slices.Reverse(list)
	again := scriptForm.minimise(list)
	if len(kept) != 2 || len(again) != 2 || kept[0].text() != again[0].text() || kept[1].text() != again[1].text() {
		t.Errorf("kept %v and %v", kept, again)
	}
}

// Two quirks against the good server: one that is allowed, one that is not.
func TestDifferential(t *testing.T) {
	t.Parallel()
	s, err := script.Parse("0 flags FIXED_NEWSTYLE|NO_ZEROES\n0 NBD_OPT_STRUCTURED_REPLY\n0 NBD_OPT_ABORT\n")
	if err != nil {
		t.Fatal(err)
	}
	r := func(quirk string) session.Result {
		got, err := Reference{Quirk: quirk}.Run(t.Context(), s, Care{Trace: true})
		if err != nil {
			t.Fatal(err)
		}
		return got
	}
	one, other := r(""), r("abort-unsupported")
	if d := differences(one, one); len(d) != 0 {
		t.Errorf("it differs from itself: %+v", d)
	}
	d := differences(one, other)
	if len(d) != 1 || d[0].Asked != "NBD_OPT_ABORT" || d[0].One != "NBD_REP_ACK" || d[0].Other != "NBD_REP_ERR_UNSUP" {
		t.Fatalf("%+v", d)
	}
	if v, _ := verdict("good", one, "bad", other, d[0]); v != "violates opt.abort.ack (bad)" {
		t.Errorf("%s; findings %v", v, other.Findings)
	}
	other.Findings = []session.Finding{{Kind: session.Crash, Clause: "trans.end.unjustified.server"}}
	if v, _ := verdict("good", one, "bad", other, d[0]); v != BothAllowed {
		t.Errorf("an answer is put down to a crash: %s", v)
	}
	d[0].Other = session.HangsUp
	if v, _ := verdict("good", one, "bad", other, d[0]); v != "violates trans.end.unjustified.server (bad)" {
		t.Errorf("a hang-up is not put down to the crash: %s", v)
	}
	other.Findings = nil
	if v, _ := verdict("good", one, "bad", other, d[0]); v != BothAllowed {
		t.Error(v)
	}
}

// Two shards run different inputs, and merge into one campaign.
func TestShards(t *testing.T) {
	t.Parallel()
	var dirs []string
	var records []fuzzing.Record
	for i := range 2 {
		o := onReference("reply-cookie-off-by-one", t.TempDir(), 1500e6)
		o.Shard, o.Shards = i, 2
		records = append(records, run(t, t.Context(), o))
		dirs = append(dirs, o.Dir)
	}
	out := t.TempDir()
	m, err := Merge(out, dirs)
	if err != nil {
		t.Fatal(err)
	}
	if m.Execs != records[0].Execs+records[1].Execs || m.Corpus == 0 || m.Exit() != 1 || m.Corpus > records[0].Corpus+records[1].Corpus {
		t.Errorf("%s; exit %d, corpus %d", m.Conclusion(), m.Exit(), m.Corpus)
	}
	c, err := openCorpus(scriptForm, out)
	if err != nil || len(c.entries) != m.Corpus {
		t.Errorf("%d scripts, %v", len(c.entries), err)
	}
}
