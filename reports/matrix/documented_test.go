package matrix

import (
	"testing"

	"nbdconform/reports/result"
)

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
