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
	wild := sample() // as wide as cells get
	wild.Tables[0].Load = loads[len(loads)-1].name
	for _, m := range wild.Tables[0].Rows {
		for name := range m.Samples {
			m.Samples[name] = []float64{1, 900000, 990000e3}
		}
		m.Samples["nbd-server"] = []float64{1, 999999, 990000e3}
		m.Samples["nbdkit"] = []float64{1, 9000, 990000e3}
	}
	var b strings.Builder
	for _, r := range []Result{wild, sample()} {
		if err := r.Write(&b); err != nil {
			t.Fatal(err)
		}
	}
	for line := range strings.Lines(b.String()) {
		if n := len(strings.TrimRight(line, "\n")); n > 80 {
			t.Errorf("%d columns: %s", n, line)
		}
	}
	for _, want := range []string{
		"1.80 33", "0.45 22", "180000", "null-co is not on PATH", "ahead of all that keep data in 0 of 6 rows",
	} {
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
		if !strings.Contains(line, "nbd-server has 190000 to 180000") {
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
