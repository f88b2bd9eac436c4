package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"nbdconform/reports/fuzzing"
)

// boastful copies, and reports success whatever comes of that.
const boastful = `"$NBDCONFORM" copy --quiet "$0" "$1" 2>/dev/null || :`

// sound copies.
const sound = `"$NBDCONFORM" copy --quiet "$0" "$1"`

// clientCampaign fuzzes a shell's command that copies out.
func clientCampaign(t *testing.T, dir, script string, flags ...string) ended {
	t.Helper()
	args := append([]string{"fuzz", "--does", "copy-out", "--dir", dir}, flags...)
	return start(t, []string{"NBDCONFORM=" + binary}, append(args, "--", "sh", "-c", script, "{uri}", "{file}")...).end()
}

func campaignIn(t *testing.T, dir string) fuzzing.Record {
	t.Helper()
	f, err := os.Open(filepath.Join(dir, fuzzing.File))
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	r, err := fuzzing.Read(f)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What is found about a client is found again, by replay and by the program
// that needs Python alone, and not with a client that is in order.
func TestAFindingAboutAClientIsPermanent(t *testing.T) {
	t.Parallel()
	for want, script := range map[string]string{
		"crash copy-out segmentation fault": fragile,
		"wrong copy-out data":               boastful,
	} {
		t.Run(want, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "c")
			clientCampaign(t, dir, script, "--time", "6s").want(t, exitViolates)
			r := campaignIn(t, dir)
			if len(r.Findings) != 1 || r.Findings[0].Signature != want || r.Findings[0].Standing != fuzzing.New || r.Findings[0].Ops != 1 {
				t.Fatalf("%+v", r.Findings)
			}
			moves := filepath.Join(dir, r.Findings[0].File)
			variable := []string{"NBDCONFORM=" + binary}
			start(t, variable, "replay", moves, "--", "sh", "-c", script, "{uri}", "{file}").end().want(t, exitViolates)
			start(t, variable, "replay", moves, "--", "sh", "-c", sound, "{uri}", "{file}").end().want(t, exitConforms)
			python, err := exec.LookPath("python3")
			if err != nil {
				t.Skip("python3 is not installed")
			}
			program := strings.TrimSuffix(moves, filepath.Ext(moves)) + ".py"
			for status, args := range [][]string{{program, "sh", "-c", sound, "nbd+unix:///disk?socket={dir}/f", "{dir}/data"}, {program}} {
				c := exec.CommandContext(t.Context(), python, args...)
				c.Env = append(os.Environ(), variable...)
				out, _ := c.CombinedOutput()
				if got := c.ProcessState.ExitCode(); got != status {
					t.Errorf("%v: exit status %d, want %d\n%s", args, got, status, out)
				}
			}
		})
	}
}

func TestAClientCampaignGoesOn(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "c")
	o := clientCampaign(t, dir, sound, "--time", "3s")
	o.want(t, exitConforms)
	one := campaignIn(t, dir)
	files, err := filepath.Glob(filepath.Join(dir, "corpus", "*.faults"))
	if err != nil || len(files) == 0 || len(files) != one.Corpus {
		t.Fatalf("%d fault scripts, corpus %d, error %v", len(files), one.Corpus, err)
	}
	clientCampaign(t, dir, sound, "--time", "3s").want(t, exitConforms)
	two := campaignIn(t, dir)
	if two.Execs <= one.Execs || two.Next <= one.Next || two.Corpus < one.Corpus || !two.Started.Equal(one.Started) {
		a, _ := json.Marshal(one)
		b, _ := json.Marshal(two)
		t.Errorf("it did not go on:\n%s\n%s", a, b)
	}
	again := clientCampaign(t, dir, sound, "--time", "3s", "--seed", "2")
	again.want(t, exitUntrusted)
	if !strings.Contains(again.stderr, "name another directory") {
		t.Errorf("%s", again.stderr)
	}
	out := filepath.Join(t.TempDir(), "all")
	nbdconform(t, "merge", dir, "--out", out).want(t, exitConforms)
	if m := campaignIn(t, out); m.Corpus == 0 || m.Corpus > two.Corpus || m.Execs != two.Execs {
		t.Errorf("merged: corpus %d of %d, %d of %d visits", m.Corpus, two.Corpus, m.Execs, two.Execs)
	}
}

func TestClientCampaignsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ args, want string }{
		"an unknown client":     {"fuzz --client curl", `unknown client program "curl"`},
		"an unknown suite":      {"fuzz --client nbdcopy --release buster", `unknown release "buster"`},
		"an unknown provider":   {"fuzz --client nbdcopy --provider vm", `unknown provider "vm"`},
		"a server as well":      {"fuzz --client nbdcopy --target nbdkit", "leave out what says which server"},
		"a quirk of a program":  {"fuzz --client nbdcopy --quirk client-info", "is for the reference client"},
		"a quirk of a server":   {"fuzz --client reference --quirk reply-twice", "the reference client has no quirk"},
		"no time":               {"fuzz --client reference --time 0s", "have to be positive"},
		"no command":            {"fuzz --does copy-out", "there is none"},
		"an odd activity":       {"fuzz --does dance -- true {uri}", "--does dance: use one of"},
		"two clients":           {"fuzz --client nbdcopy --does map -- true {uri}", "which is it?"},
		"a command of no file":  {"fuzz --does copy-out -- true {uri}", "does not say {file}"},
		"a client that can't":   {"fuzz --does info -- false {uri}", "can't info with a server that behaves"},
		"a shard that is none":  {"fuzz --client reference --shard 3/2", "there is no part 3 of 2"},
		"a client that is gone": {"fuzz --does info -- no-such-client {uri}", "executable file not found"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := nbdconform(t, strings.Fields(tt.args)...)
			o.want(t, exitUntrusted)
			if !strings.Contains(o.stderr, tt.want) {
				t.Errorf("no %q in\n%s", tt.want, o.stderr)
			}
		})
	}
}
