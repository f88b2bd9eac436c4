package matrix

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/cmd/nbdconform/internal/console"
	"nbdconform/conformance/subject"
	"nbdconform/conformance/subject/referenceserver"
	report "nbdconform/reports/matrix"
)

func TestServersThatDoNotRaceAreNamed(t *testing.T) {
	broken := true
	file := filepath.Join(t.TempDir(), "speed.json")
	r := speeds{
		Store: Store{Version: "v1"},
		file:  file, runtime: time.Millisecond, show: console.OverviewLines(io.Discard),
		open: func(_ context.Context, p report.Peer) (subject.Server, error) {
			if p.Name == "broken" && broken {
				return nil, errors.New("it fell over")
			}
			return referenceserver.Open("default", "")
		},
	}
	run := func() ([]report.Skip, int) {
		t.Helper()
		perf, missing, err := r.run(t.Context(), []report.Peer{{Name: "sound"}, {Name: "broken", Release: "sid"}})
		if err != nil {
			t.Fatal(err)
		}
		return missing, len(perf.Speeds) / len(perf.Loads())
	}
	missing, measured := run()
	want := []report.Skip{{What: "the speed of broken sid", Why: "it fell over"}}
	if d := cmp.Diff(want, missing); d != "" || measured != 1 {
		t.Errorf("%d measured; missing: %s", measured, d)
	}
	if _, err := os.Stat(file); err == nil {
		t.Error("half a race was filed")
	}
	broken = false
	if missing, _ := run(); missing != nil {
		t.Errorf("the second time: %v", missing)
	}
	if _, err := os.Stat(file); err != nil {
		t.Error(err)
	}
}

func TestLongestCellsComeFirst(t *testing.T) {
	dir := t.TempDir()
	cells := cellsOf("one", "two", "three", "four")
	cells[1].slow = true
	for i, seconds := range map[int]string{0: "5", 3: "90"} {
		d := filepath.Join(dir, cells[i].file())
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, "result.json"), []byte(`{"seconds": `+seconds+`}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := runs{dir: dir}
	if d := cmp.Diff([]int{3, 1, 0, 2}, f.longestFirst(cells)); d != "" {
		t.Error(d)
	}
}
