package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/conformance/target"
	"nbdconform/conformance/target/inprocess"
	"nbdconform/reports/matrix"
)

func TestServersThatDoNotRaceAreNamed(t *testing.T) {
	stamp(t, "v1")
	broken := true
	file := filepath.Join(t.TempDir(), "speed.json")
	r := race{
		file: file, runtime: time.Millisecond, show: &overviewLines{out: &strings.Builder{}},
		open: func(_ context.Context, p matrix.Peer) (target.Target, error) {
			if p.Name == "broken" && broken {
				return nil, errors.New("it fell over")
			}
			return inprocess.Open("default", "")
		},
	}
	run := func() ([]matrix.Skip, int) {
		t.Helper()
		perf, missing, err := r.run(t.Context(), []matrix.Peer{{Name: "sound"}, {Name: "broken", Release: "sid"}})
		if err != nil {
			t.Fatal(err)
		}
		return missing, len(perf.Speeds) / len(perf.Loads())
	}
	missing, measured := run()
	want := []matrix.Skip{{What: "the speed of broken sid", Why: "it fell over"}}
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
	cells := cellsOf("one", "nbd-server", "three", "four")
	for i, seconds := range map[int]string{0: "5", 3: "90"} {
		d := filepath.Join(dir, cells[i].file())
		if err := os.MkdirAll(d, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(d, "result.json"), []byte(`{"seconds": `+seconds+`}`), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	f := field{dir: dir}
	if d := cmp.Diff([]int{3, 1, 0, 2}, f.longestFirst(cells)); d != "" {
		t.Error(d)
	}
}
