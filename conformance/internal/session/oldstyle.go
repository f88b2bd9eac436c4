package session

import (
	"context"

	"nbdconform/conformance/internal/verdict"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// FixedSpec is the spec that a server fails which is not up to fixed newstyle
// negotiation. Where that is so nothing else is tried: without the replies of
// that negotiation there is no telling what the server has.
const FixedSpec = "greeting.fixed-newstyle"

// What servers spoke before: codes.
const (
	oldstyle = "negotiation.oldstyle"
	newstyle = "negotiation.newstyle"
)

// old says what the server speaks instead of fixed newstyle negotiation, or
// [result.Nothing].
func (s *Session) old() result.Value {
	switch {
	case s.phase == greeted && s.offered&wire.FlagFixedNewstyle == 0:
		return result.Term(newstyle)
	case s.phase == connected && s.raw.GreetsOldstyle():
		return result.Term(oldstyle)
	}
	return result.Nothing
}

// oldGreeting reads the greeting of oldstyle negotiation and enters the
// transmission phase. The spec is blocked if it does not come.
func (s *Session) oldGreeting() {
	end, err := s.patience(0, func(ctx context.Context) error {
		g, err := s.raw.OldGreeting(ctx)
		s.Size, s.Flags = g.Size, wire.TransmissionFlags(g.Flags)
		return err
	})
	if end != Complete {
		verdict.Blocked("baseline.server.fixed-newstyle", "waiting-for-oldstyle-greeting", end, err)
	}
	s.phase = transmission
}
