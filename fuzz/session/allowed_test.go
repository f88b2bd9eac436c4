package session

import (
	"testing"

	"nbdconform/fuzz/internal/script"
	serverquirk "nbdconform/reference/quirk/server"
)

// What is unusual and correct is no finding either.
func TestAllowedQuirksHaveNoFindings(t *testing.T) {
	for _, q := range serverquirk.All() {
		if !q.Allowed {
			continue
		}
		t.Run(q.Name, func(t *testing.T) {
			t.Parallel()
			n := uint64(50)
			if testing.Short() { // each script is a session, which the race detector has seen after a few
				n = 5
			}
			switch q.Name {
			case serverquirk.Slow.Name, serverquirk.RepliesReversed.Name, serverquirk.Dribble.Name: // they take their time
				n = 3
			}
			for seed := range n {
				s := script.Generate(seed, script.Options{Profiles: Profiles()})
				r, err := Reference(s.Profile, q.Name)
				if err != nil {
					t.Fatal(err)
				}
				result := Run(t.Context(), s, &r.Target)
				r.Close()
				for _, f := range result.Findings {
					t.Fatalf("seed %d: %v\n%v\n%s", seed, f, s, f.Transcript)
				}
			}
		})
	}
}

// Without fixed newstyle negotiation no mode knows NBD_REP_ERR_TLS_REQD.
func TestAllowedQuirkKnowsItsMode(t *testing.T) {
	for _, f := range runText(t, serverquirk.UnknownHidden.Name, "profile tls\n0 flags NO_ZEROES\n0 NBD_OPT_INFO export=\"attic\"\n").Findings {
		t.Errorf("%v\n%s", f, f.Transcript)
	}
}
