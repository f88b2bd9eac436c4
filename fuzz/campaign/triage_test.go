package campaign

import (
	"context"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"nbdconform/conformance/subject"
	"nbdconform/fuzz/internal/script"
	"nbdconform/fuzz/session"
	"nbdconform/reports/fuzzing"
)

// A told server shows what it is told to, and remembers what it was asked.
type told struct {
	shows  []session.Finding
	once   bool          // only the first script shows anything
	pace   time.Duration // that a script takes
	ran    []string
	starts int
}

func (b *told) Run(_ context.Context, s script.Script, _ Care) (session.Result, error) {
	time.Sleep(b.pace)
	b.ran = append(b.ran, s.String())
	if b.once && len(b.ran) > 1 {
		return session.Result{}, nil
	}
	return session.Result{Findings: slices.Clone(b.shows)}, nil
}

func (b *told) Fresh(context.Context) error            { b.starts++; return nil }
func (b *told) Look(context.Context) []session.Finding { return nil }
func (b *told) Close() error                           { return nil }

func onTold(b *told, dir string, goal time.Duration) Options {
	return Options{
		Subject: fuzzing.Subject{Kind: "server", Name: "told"}, Server: b, Dir: dir, Goal: goal, Seed: 1, Patience: time.Millisecond,
	}
}

// What a finding counts as: a baseline excuses a breach and never a crash, what
// the good server shows too is ours, and what does not come again is unconfirmed.
func TestStandings(t *testing.T) {
	t.Parallel()
	const must = "opt.abort.ack"
	breach := session.Finding{Kind: session.Violation, Clause: must, Subject: "it"}
	another := session.Finding{Kind: session.Violation, Clause: "cmd.write-zeroes.fast-zero.enotsup", Subject: "it"}
	crash := session.Finding{Kind: session.Crash, Clause: must, Subject: "it"}
	known := map[string]string{must: "its maintainers know"}
	for _, tt := range []struct {
		name   string
		server told
		known  map[string]string
		guide  *told
		want   fuzzing.Standing
	}{
		{"a breach", told{shows: []session.Finding{breach}}, nil, &told{}, fuzzing.New},
		{"a known breach", told{shows: []session.Finding{breach}}, known, &told{}, fuzzing.Known},
		{"a breach that is not the known one", told{shows: []session.Finding{another}}, known, nil, fuzzing.New},
		{"a crash at a known clause", told{shows: []session.Finding{crash}}, known, &told{}, fuzzing.New},
		{"what the reference shows too", told{shows: []session.Finding{breach}}, nil, &told{shows: []session.Finding{breach}}, fuzzing.FuzzerError},
		{"what comes once", told{shows: []session.Finding{breach}, once: true}, nil, &told{}, fuzzing.Unconfirmed},
	} {
		o := onTold(&tt.server, "", 100*time.Millisecond)
		o.Known = tt.known
		if tt.guide != nil {
			o.Guide = tt.guide
		}
		r := run(t, t.Context(), o)
		if len(r.Findings) != 1 || r.Findings[0].Standing != tt.want {
			t.Errorf("%s: want that it is %v: %+v", tt.name, tt.want, r.Findings)
		}
	}
}

// A campaign that was stopped takes up the rest of its time, its next input, and
// what it has seen.
func TestResumeLosesNothing(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	ctx, stop := context.WithCancel(t.Context())
	first := &told{pace: 5 * time.Millisecond, shows: []session.Finding{{Kind: session.Violation, Clause: "opt.abort.ack", Subject: "it"}}}
	o := onTold(first, dir, 4*time.Second)
	o.Progress = func(r fuzzing.Record, left time.Duration) {
		if r.Next > 20 && left < 2*time.Second {
			stop()
		}
	}
	one := run(t, ctx, o)
	second := &told{pace: first.pace, shows: first.shows}
	o.Server, o.Progress = second, nil
	began := time.Now()
	two := run(t, t.Context(), o)
	if took := time.Since(began).Seconds(); one.Left <= 0 || one.Left >= 2 || took < one.Left || took > one.Left+1 {
		t.Errorf("%.1f of 4 s were left, and it took %.1f s", one.Left, took)
	}
	if two.Execs-one.Execs != len(second.ran) || two.Next-one.Next != uint64(len(second.ran)) || two.Seconds < 4 {
		t.Errorf("%d scripts at first and %d then, but %d: next %d and %d", one.Execs, len(second.ran), two.Execs, one.Next, two.Next)
	}
	if second.starts != 1 || two.Restarts != one.Restarts {
		t.Errorf("a finding that was seen before is looked into again: %d starts, %d and %d restarts", second.starts, one.Restarts, two.Restarts)
	}
	before := make(map[string]bool)
	for _, s := range first.ran {
		before[s] = true
	}
	same := 0
	for _, s := range second.ran {
		if before[s] {
			same++
		}
	}
	if same > len(second.ran)/4 {
		t.Errorf("%d of %d scripts came before", same, len(second.ran))
	}
}

// What is merged has the files of its findings, of the best standing there is.
func TestMergeBringsFindingsAlong(t *testing.T) {
	t.Parallel()
	finding := fuzzing.Finding{
		Signature: "violation opt.abort.ack it", Kind: "violation", Clause: "opt.abort.ack", Script: "0 NBD_OPT_ABORT\n", Ops: 1,
		Count: 1, First: time.Now().UTC(), File: "findings/it.script",
	}
	files := map[string]string{"findings/it.script": finding.Script, "findings/it.py": "print('it')\n"}
	var dirs []string
	for i, standing := range []fuzzing.Standing{fuzzing.Unconfirmed, fuzzing.Warning, fuzzing.New} {
		dir := t.TempDir()
		r := fuzzing.Record{Subject: fuzzing.Subject{Kind: "server", Name: "told"}, Shard: i, Shards: 3, Started: time.Now().UTC(), Updated: time.Now().UTC()}
		finding.Standing = standing
		r.Findings = []fuzzing.Finding{finding}
		if err := Store(dir, r); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(filepath.Join(dir, "findings"), 0o700); err != nil {
			t.Fatal(err)
		}
		for name, text := range files {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		dirs = append(dirs, dir)
	}
	for range 3 {
		dirs = append(dirs[1:], dirs[0])
		out := t.TempDir()
		m, err := Merge(out, dirs)
		if err != nil || len(m.Findings) != 1 || m.Findings[0].Standing != fuzzing.New || m.Findings[0].Count != 3 {
			t.Fatalf("%v: %+v", err, m.Findings)
		}
		for _, name := range slices.Sorted(maps.Keys(files)) {
			if got, err := os.ReadFile(filepath.Join(out, name)); err != nil || string(got) != files[name] {
				t.Errorf("%s: %q, %v", name, got, err)
			}
		}
	}
}

// A difference is put down to what was found where it is, and to nothing else.
func TestADifferenceIsNotPutDownToWhatIsElsewhere(t *testing.T) {
	t.Parallel()
	d := split{fuzzing.Difference{Asked: "NBD_OPT_LIST", One: "NBD_REP_ACK", Other: "NBD_REP_ERR_UNSUP"}, 3}
	for op, want := range map[int]string{1: BothAllowed, 2: BothAllowed, 3: "violates opt.abort.ack (b)", 5: BothAllowed} {
		other := session.Result{Findings: []session.Finding{{Kind: session.Violation, Clause: "opt.abort.ack", Op: op}}}
		if got, _ := verdict("a", session.Result{}, "b", other, d); got != want {
			t.Errorf("found at operation %d: %s, want %s", op, got, want)
		}
	}
}

func TestGrowth(t *testing.T) {
	t.Parallel()
	base := subject.Usage{Memory: 10 << 20, Descriptors: 10, Processes: 2}
	for want, now := range map[string]subject.Usage{
		"":            {Memory: 100 << 20, Descriptors: 70, Processes: 60},
		"memory":      {Memory: 10<<20 + mostMemory + 2<<20 + 1, Descriptors: 10, Processes: 2},
		"descriptors": {Memory: 10 << 20, Descriptors: 75, Processes: 2},
		"processes":   {Memory: 10 << 20, Descriptors: 10, Processes: 67},
	} {
		if got := exceeds(base, now, 1<<20); got != want {
			t.Errorf("%+v exceeds %q, want %q", now, got, want)
		}
	}
}
