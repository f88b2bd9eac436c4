package matrix

import (
	"testing"

	"nbdconform/reports/debversion"
	"nbdconform/reports/result"
)

func TestDocumentedClaimsAreWhole(t *testing.T) {
	all, err := documented()
	if err != nil || len(all) == 0 {
		t.Fatal(all, err)
	}
	for _, d := range all {
		if d.Server == "" || d.Maker == "" || d.Source == "" || len(d.Claims) == 0 {
			t.Errorf("%q lacks something: %+v", d.Maker, d)
		}
		for _, c := range d.Claims {
			if _, err := debversion.ParseBound(c.Since); err != nil || c.Feature == "" || c.Text == "" {
				t.Errorf("%s: %+v, %v", d.Maker, c, err)
			}
		}
	}
}

func TestClaimsAreComparedWithWhatServersAdvertise(t *testing.T) {
	old := run("qemu-nbd", "old", "default", []string{"extended-headers", "info"})
	old.Target.Version = "1:7.2+dfsg"
	recent := run("qemu-nbd", "new", "default", []string{"info", "multi-conn"})
	recent.Target.Version = "1:11.1"
	m := Matrix{Runs: []result.Result{old, recent, run("nbdkit", "new", "default", nil)}}
	got := map[string][2]Standing{}
	for _, d := range m.Documented() {
		if d.Maker != "qemu" || len(d.Servers) != 2 {
			t.Errorf("%s has servers %v", d.Maker, d.Servers)
		}
		for _, c := range d.Rows {
			got[c.Text] = [2]Standing{c.Standings[0], c.Standings[1]}
		}
	}
	for text, want := range map[string][2]Standing{
		"NBD_OPT_GO":               {Agreed, Agreed},
		"NBD_OPT_EXTENDED_HEADERS": {Early, Missing},
		"NBD_CMD_CACHE":            {Missing, Missing},
		"NBD_FLAG_CAN_MULTI_CONN for shareable read-only exports": {Unseen, Unseen},
		"NBD_FLAG_CAN_MULTI_CONN for shareable writable exports":  {Missing, Agreed},
	} {
		if got[text] != want {
			t.Errorf("%s: %v, want %v", text, got[text], want)
		}
	}
}
