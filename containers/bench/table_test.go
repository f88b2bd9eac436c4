package bench

import (
	"strings"
	"testing"
	"time"
)

func sample() Result {
	samples := map[string][]float64{
		"reference": {150000, 210000, 180000}, "nbdkit": {120000, 90000, 100000}, "qemu-nbd": {50000, 40000, 45000},
		"nbd-server": {190000, 190000, 190000}, "null": {220000, 220000, 220000},
	}
	r := Result{Rounds: 3, Runtime: time.Second.String(), Missing: []string{"null-co"}}
	for _, name := range []string{"reference", "nbdkit", "qemu-nbd", "nbd-server", "null", "null-co"} {
		r.Servers = append(r.Servers, Server{Name: name, Scale: strings.HasPrefix(name, "null")})
	}
	t := Table{Network: "unix", Load: "fio"}
	for _, row := range Rows {
		t.Rows = append(t.Rows, Measurement{Row: row.String(), Samples: samples})
	}
	r.Tables = []Table{t}
	return r
}

func TestTableFitsTheScreen(t *testing.T) {
	var b strings.Builder
	if err := sample().Write(&b); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(b.String()) {
		if n := len(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{"1.80 33", "0.45 22", "180000", "null-co is not on PATH"} {
		if !strings.Contains(b.String(), want) {
			t.Errorf("%q is missing in\n%s", want, b.String())
		}
	}
}

func TestBehindNamesWhoKeepsDataAndIsFaster(t *testing.T) {
	list := sample().Behind()
	if len(list) != len(Rows) {
		t.Fatalf("%d rows, want all %d: %q", len(list), len(Rows), list)
	}
	for _, line := range list {
		if !strings.Contains(line, "nbd-server is ahead, 190000 to 180000") {
			t.Error(line)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		samples        []float64
		median, spread float64
	}{
		{nil, 0, 0},
		{[]float64{3}, 3, 0},
		{[]float64{4, 1, 2}, 2, 1.5},
		{[]float64{4, 2}, 3, 2.0 / 3},
	} {
		if m, s := Median(c.samples); m != c.median || s != c.spread {
			t.Errorf("%v: median %v and spread %v, want %v and %v", c.samples, m, s, c.median, c.spread)
		}
	}
}
