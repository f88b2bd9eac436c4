package score

import (
	"testing"
	"time"
)

// patience bounds a search that goes on until it finds: scripts have numbers, so
// what finds a quirk is the same everywhere, and only its speed is not.
const patience = 5 * time.Minute

func TestQuirksAreFoundAndShrunk(t *testing.T) {
	rows, err := Run(t.Context(), Options{Match: "reply-cookie", Budget: patience})
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range rows {
		if !r.Found || r.Err != nil || len(r.Script.Ops) > 3 || r.Finding.Clause == "" {
			t.Errorf("%s: found %v after %d scripts, error %v, with\n%v", r.Quirk.Name, r.Found, r.Scripts, r.Err, r.Script)
		}
	}
	if len(rows) != 2 {
		t.Errorf("%d quirks", len(rows))
	}
}

// What is said of an export in several ways has to be asked for, compared, and
// in part looked up behind the script.
func TestExportsThatNeedTLS(t *testing.T) {
	rows, err := Run(t.Context(), Options{Match: "selective-tls", Budget: patience})
	if err != nil || len(rows) < 6 {
		t.Fatalf("%d quirks, error %v", len(rows), err)
	}
	for _, r := range rows {
		if !r.Found || r.Err != nil {
			t.Errorf("%s: found %v after %d scripts, error %v", r.Quirk.Name, r.Found, r.Scripts, r.Err)
		}
	}
}

func TestWhatIsOutOfReachIsNotTried(t *testing.T) {
	rows, err := Run(t.Context(), Options{Match: "tls-1-3-only"})
	if err != nil || len(rows) != 1 || rows[0].Unreachable == "" || rows[0].Scripts > 0 {
		t.Errorf("got %+v, error %v", rows, err)
	}
}

func TestNothingToMeasureIsAnError(t *testing.T) {
	if _, err := Run(t.Context(), Options{Match: "no such quirk"}); err == nil {
		t.Error("that was fine")
	}
}

func TestWhatComesInTheClearBehindStartTLSIsSaid(t *testing.T) {
	if testing.Short() {
		t.Skip("takes hundreds of scripts")
	}
	rows, err := Run(t.Context(), Options{Match: "tls-plain-text-interpreted", Budget: patience})
	if err != nil || len(rows) != 1 || !rows[0].Found || rows[0].Err != nil {
		t.Errorf("got %+v, error %v", rows, err)
	}
}
