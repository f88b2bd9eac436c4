package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"nbdconform/fuzz/campaign"
	"nbdconform/reports/fuzzing"
)

// What can't be fuzzed, merged, measured or replayed ends with status 2 and one
// line that helps, before anything is found.
func TestFuzzRefusals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	old := filepath.Join(dir, "old")
	if err := os.Mkdir(old, 0o777); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{filepath.Join(old, fuzzing.File): "{}", filepath.Join(dir, "x.script"): "hello\n"} {
		if err := os.WriteFile(name, []byte(text), 0o666); err != nil {
			t.Fatal(err)
		}
	}
	for _, tc := range []struct{ args, want string }{
		{"fuzz --time 0s", "--time and --patience have to be positive"},
		{"fuzz --patience -1s", "--time and --patience have to be positive"},
		{"fuzz --shard x", `--shard "x": want I/N, such as 0/4`},
		{"fuzz --shard 4/4", "there is no part 4 of 4, they count from 0"},
		{"fuzz --shard /4", "takes its number from JOB_COMPLETION_INDEX, which is not set"},
		{"fuzz --target qemu", `unknown target "qemu": use one of reference,`},
		{"fuzz --profile odd-one", `no profile "odd-one": use one of default,`},
		{"fuzz --quirk lazy", `no quirk "lazy" (see nbdconform list --quirks)`},
		{"fuzz --against qemu", `unknown target "qemu": use one of reference,`},
		{"fuzz --target all --uri nbd://localhost", "--target all goes with neither --uri,"},
		{"fuzz --profile all --uri nbd://localhost", "--profile all goes with --target"},
		{"fuzz --profile all --shard 0/2", "--against and --shard go with one target in one profile"},
		{"fuzz --client nbdcpy", `unknown client program "nbdcpy": use one of nbdinfo,`},
		{"fuzz nbdkit", "a command to start goes after --"},
		{"fuzz --uri nbd://127.0.0.1:1 --time 1s", "connection refused"},
		{"fuzz --corpus nowhere --time 1s", "nowhere: no such file"},
		{"fuzz --baseline nowhere --time 1s", "nowhere: no such file"},
		{"fuzz --time 1s --dir " + old, "campaign.json: reading the record of a campaign: its format is 0, want 1"},
		{"merge", "another number of arguments: 1 or more, not 0"},
		{"merge a", `"out" not set`},
		{"merge a --out a", "--out a is one of the directories to merge"},
		{"merge nowhere --out o", "nowhere has no campaign"},
		{"merge --out o " + old, "its format is 0, want 1"},
		{"fuzz-score nothing-like-it", "nothing was measured"},
		{"fuzz-score --budget 0s reply", "--budget and --workers have to be positive"},
		{"fuzz-score --workers 0 reply", "--budget and --workers have to be positive"},
		{"fuzz-score --least 101 reply", "--least between 0 and 100"},
		{"fuzz-score a b", "another number of arguments: 1 at most, not 2"},
		{"replay nowhere.script", "nowhere.script: no such file"},
		{"replay " + filepath.Join(dir, "x.script"), `line 1: "hello" is no operation`},
		{"replay", "want the path of one"},
	} {
		t.Run(tc.args, func(t *testing.T) {
			t.Parallel()
			o := start(t, []string{"JOB_COMPLETION_INDEX="}, argWords(tc.args)...).end()
			o.want(t, exitUntrusted)
			if line := lastLine(o.stderr); !strings.HasPrefix(line, "nbdconform: ") || !strings.Contains(line, tc.want) {
				t.Errorf("stderr:\n%s\nwant a last line with %q", o.stderr, tc.want)
			}
			if o.stdout != "" || strings.Contains(o.stderr, "\x1b") {
				t.Errorf("stdout %q, stderr %q", o.stdout, o.stderr)
			}
		})
	}
	o := nbdconform(t, "fuzz-score", "tls-1-3-only")
	o.want(t, exitUntrusted)
	if !strings.Contains(o.stderr, "nothing was measured") {
		t.Error(o.stderr)
	}
}

// recordOf reads the record of a campaign, and holds it against the corpus and
// the findings beside it.
func recordOf(t *testing.T, dir string) fuzzing.Record {
	t.Helper()
	r, found, err := campaign.Load(dir)
	if err != nil || !found {
		t.Fatalf("%s: found %v, error %v", dir, found, err)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "corpus", "*.script"))
	if err != nil || len(kept) != r.Corpus {
		t.Errorf("%s: %d scripts are kept, %d are said to be (%v)", dir, len(kept), r.Corpus, err)
	}
	for _, f := range r.Findings {
		if _, err := os.Stat(filepath.Join(dir, f.File)); f.Standing == fuzzing.New && err != nil {
			t.Errorf("%s: %v", f.Signature, err)
		}
	}
	return r
}

// A campaign that is interrupted, twice, goes on with the next script, for what
// was left of its time, and keeps what it had.
func TestFuzzGoesOn(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "c")
	args := []string{"fuzz", "--quirk", "write-misplaced", "--time", "14s", "--dir", dir}
	var last fuzzing.Record
	for range 2 {
		p := start(t, nil, args...)
		for end := time.Now().Add(patience); ; time.Sleep(20 * time.Millisecond) {
			if r, found, err := campaign.Load(dir); err == nil && found && r.Execs > last.Execs {
				break
			}
			if time.Now().After(end) {
				t.Fatal("nothing is written down")
			}
		}
		time.Sleep(200 * time.Millisecond)
		if err := p.cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		p.end()
		last = wentOn(t, last, recordOf(t, dir))
		if last.Left <= 0 || last.Left >= last.Goal {
			t.Errorf("%.1f s of %.1f s are left", last.Left, last.Goal)
		}
	}
	o := nbdconform(t, args...)
	o.want(t, exitViolates)
	last = wentOn(t, last, recordOf(t, dir))
	if last.Left != 0 || last.Seconds < last.Goal-1 {
		t.Errorf("%.1f s are left, %.1f s were spent", last.Left, last.Seconds)
	}
	s := last.Findings[slices.IndexFunc(last.Findings, func(f fuzzing.Finding) bool { return f.File != "" })]
	again := nbdconform(t, "replay", filepath.Join(dir, s.File), "--quirk", "write-misplaced")
	again.want(t, exitViolates)
	if !strings.Contains(again.stdout, "reproduced: "+s.Signature) {
		t.Error(again.stdout)
	}
	nbdconform(t, "replay", filepath.Join(dir, s.File)).want(t, exitConforms)
}

// wentOn holds the record of a campaign against an earlier one.
func wentOn(t *testing.T, old, now fuzzing.Record) fuzzing.Record {
	t.Helper()
	if now.Execs <= old.Execs || now.Next <= old.Next || now.Requests < old.Requests || len(now.Points) < len(old.Points) || now.Corpus < old.Corpus {
		t.Errorf("before: %v, next %d, corpus %d; now: %v, next %d, corpus %d", old.Conclusion(), old.Next, old.Corpus, now.Conclusion(), now.Next, now.Corpus)
	}
	if uint64(now.Execs) > now.Next {
		t.Errorf("%d scripts of %d were run: some twice", now.Execs, now.Next)
	}
	for _, f := range old.Findings {
		i := slices.IndexFunc(now.Findings, func(g fuzzing.Finding) bool { return g.Signature == f.Signature })
		if i < 0 || now.Findings[i].Count < f.Count || !now.Findings[i].First.Equal(f.First) {
			t.Errorf("%s, seen %d times, is not what it was: %+v", f.Signature, f.Count, now.Findings)
		}
	}
	return now
}

// Shards run as processes side by side, and their merge has what each of them has.
func TestShardsMerge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := func(name string) string { return filepath.Join(dir, name) }
	var shards []*running
	for i := range 2 {
		shards = append(shards, start(t, []string{fmt.Sprintf("JOB_COMPLETION_INDEX=%d", i)},
			"fuzz", "--quirk", "write-misplaced", "--time", "5s", "--shard", "/2", "--dir", at(fmt.Sprint(i))))
	}
	execs, signatures := 0, map[string]int{}
	for i, p := range shards {
		p.end().want(t, exitViolates)
		r := recordOf(t, at(fmt.Sprint(i)))
		if r.Shard != i || r.Shards != 2 {
			t.Errorf("shard %d of %d, want %d of 2", r.Shard, r.Shards, i)
		}
		execs += r.Execs
		for _, f := range r.Findings {
			signatures[f.Signature] += f.Count
		}
	}
	o := nbdconform(t, "merge", at("0"), at("1"), "--out", at("all"))
	o.want(t, exitViolates)
	all := recordOf(t, at("all"))
	if all.Execs != execs || len(all.Findings) != len(signatures) || all.Corpus == 0 {
		t.Errorf("%d scripts, want %d; %d findings, want %d; corpus %d", all.Execs, execs, len(all.Findings), len(signatures), all.Corpus)
	}
	for _, f := range all.Findings {
		if f.Count != signatures[f.Signature] {
			t.Errorf("%s: %d times, want %d", f.Signature, f.Count, signatures[f.Signature])
		}
	}
	nbdconform(t, "fuzz", "--corpus", filepath.Join(at("all"), "corpus"), "--time", "1s", "--dir", at("next")).want(t, exitConforms)
}

func TestFuzzScore(t *testing.T) {
	t.Parallel()
	saved := filepath.Join(t.TempDir(), "saved")
	o := nbdconform(t, "fuzz-score", "--budget", "20s", "--scripts", "--save", saved, "reply-cookie-off-by-one")
	o.want(t, exitConforms)
	for _, want := range []string{"trans.cookie.echo", "1 of 1 quirks that a session can show were found (100.0 %)", "NBD_OPT_"} {
		if !strings.Contains(o.stdout, want) {
			t.Errorf("%q is missing:\n%s", want, o.stdout)
		}
	}
	script := filepath.Join(saved, "reply-cookie-off-by-one.script")
	nbdconform(t, "replay", script).want(t, exitViolates)
	nbdconform(t, "replay", script, "--quirk", "").want(t, exitConforms)
	nbdconform(t, "fuzz-score", "--budget", "1ns", "reply-cookie-off-by-one").want(t, exitViolates)
}
