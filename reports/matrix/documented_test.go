package matrix

import (
	"testing"

	"nbdconform/reports/result"
)

func TestVersionsCompareByNumber(t *testing.T) {
	for _, tc := range []struct {
		debian, since string
		before        bool
	}{
		{"1:7.2+dfsg-7+deb12u13", "2.11", false},
		{"1:7.0", "7.1", true},
		{"1:10.0.2+ds-2~bpo12+1", "8.2", false},
		{"1:8.2.0", "8.2", false},
		{"1:5.2+dfsg-11+deb11u3", "7.1", true},
	} {
		if got := before(upstream(tc.debian), tc.since); got != tc.before {
			t.Errorf("%s before %s: %t", tc.debian, tc.since, got)
		}
	}
}

func TestClaimsAreHeldAgainstWhatWasSeen(t *testing.T) {
	old := run("qemu-nbd", "old", "default", []string{"extended-headers", "info"})
	old.Target.Version = "1:7.2+dfsg"
	recent := run("qemu-nbd", "new", "default", []string{"info", "multi-conn"})
	recent.Target.Version = "1:11.1"
	m := Matrix{Runs: []result.Result{old, recent, run("nbdkit", "new", "default", nil)}}
	got := map[string][2]Standing{}
	for _, d := range m.Qemu() {
		got[d.Text] = [2]Standing{d.Standings[0], d.Standings[1]}
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
