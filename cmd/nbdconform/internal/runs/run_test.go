package runs

import (
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/goleak"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/cmd/nbdconform/internal/job"
	"nbdconform/cmd/nbdconform/internal/supervise"
	"nbdconform/reports/result"
)

// This test program is its own child: it plays the part that the job's quirk
// names, or runs the job.
func TestMain(m *testing.M) {
	text, isChild := os.LookupEnv(jobVariable)
	if !isChild {
		goleak.VerifyTestMain(m)
		return
	}
	var j job.Job
	if err := json.Unmarshal([]byte(text), &j); err != nil {
		panic(err)
	}
	switch j.Quirk {
	case "die":
		tell := supervise.NewTeller[Event]()
		tell.Tell(planned("a", "b"))
		tell.Tell(Event{Started: "a"})
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
	default:
		_ = Child(context.Background(), "v1")
	}
}

func inChild(t *testing.T) Runner {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Runner{Version: "v1", argv: []string{self}}
}

// shown notes what a run shows.
type shown struct {
	console.Quiet
	ids []string
}

func (s *shown) Plan(t result.Target, _ int) { s.ids = append(s.ids, "plan "+t.Name) }
func (s *shown) Start(id string)             { s.ids = append(s.ids, "start "+id) }
func (s *shown) Done(r result.Spec)          { s.ids = append(s.ids, "done "+r.ID+" "+string(r.Verdict)) }

func TestARunInAChild(t *testing.T) {
	var show shown
	j := job.Job{Target: job.Reference, Filter: "abort.ack", Seed: 1, EvidenceDir: t.TempDir(), Quirk: "abort-unsupported"}
	r, err := inChild(t).Run(t.Context(), j, &show)
	if err != nil {
		t.Fatal(err)
	}
	if d := cmp.Diff([]string{"plan reference", "start abort.ack", "done abort.ack fail"}, show.ids[:3]); d != "" {
		t.Error(d)
	}
	if r.Target.Name != "reference" || r.EndedEarly != "" || r.Specs[0].Verdict != result.Fail || r.Specs[0].Evidence == "" {
		t.Errorf("%+v", r)
	}
	if want := "nbdconform run --target reference --quirk abort-unsupported --filter abort.ack"; r.Specs[0].Reproduce != want {
		t.Errorf("reproduce: %s", r.Specs[0].Reproduce)
	}
	files, err := Publish(j.EvidenceDir, r)
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	if _, err := os.Stat(filepath.Join(j.EvidenceDir, r.Specs[0].Evidence, "bundle.json")); err != nil {
		t.Error(err)
	}
}

func TestARunOfAClientInAChild(t *testing.T) {
	c := job.Client{Filter: "client.info.unknown", Seed: 1, Timeout: job.ClientTimeout, Does: "visit"}
	r, err := inChild(t).Run(t.Context(), c.Job(""), console.Quiet{})
	if err != nil || len(r.Specs) == 0 || r.Specs[0].Verdict != result.Pass || r.EndedEarly != "" {
		t.Errorf("%v: %+v", err, r)
	}
}

func TestAChildThatDiesCostsOneSpec(t *testing.T) {
	r, err := inChild(t).Run(t.Context(), job.Job{Target: job.Reference, Quirk: "die"}, console.Quiet{})
	if err != nil {
		t.Fatal(err)
	}
	if r.EndedEarly != "signal: killed" || len(r.Specs) != 2 || r.Specs[0].Verdict != result.Error || r.Specs[1].Verdict != result.Inconclusive {
		t.Errorf("%+v", r)
	}
}

func TestJobsThatCanNotBeRun(t *testing.T) {
	for want, j := range map[string]job.Job{
		`the filter "nothing" matches none of`: {Target: job.Reference, Filter: "nothing"},
		`no quirk "lazy"`:                      {Target: job.Reference, Quirk: "lazy"},
		"(see nbdconform list --clients)":      (&job.Client{Filter: "nothing"}).Job(""),
	} {
		if _, err := inChild(t).Run(t.Context(), j, console.Quiet{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %s", err, want)
		}
	}
	if _, err := (Runner{argv: []string{"/nowhere"}}).Run(t.Context(), job.Job{Target: job.Reference}, console.Quiet{}); err == nil {
		t.Error("a program that is not there was run")
	}
}

func TestTheChildWantsAJob(t *testing.T) {
	if err := Child(t.Context(), "v1"); err == nil || !strings.Contains(err.Error(), "use nbdconform run") {
		t.Error(err)
	}
}

func TestHold(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a", "b")
	release, err := Hold(dir)
	if err != nil {
		t.Fatal(err)
	}
	want := dir + " is in use by another nbdconform: wait for its end, or name another directory"
	if _, err := Hold(dir); err == nil || err.Error() != want {
		t.Errorf("a second time: %v", err)
	}
	release()
	if _, err := os.Stat(dir); err == nil {
		t.Error("an empty directory is left")
	}
	if release, err = Hold(dir); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "result.json"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	release()
	if _, err := os.Stat(dir); err != nil {
		t.Error("a directory with reports is gone")
	}
}
