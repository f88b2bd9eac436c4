package session

import (
	"context"
	"fmt"
	"slices"
	"time"

	"nbdconform/conformance/clause"
	"nbdconform/conformance/internal/outcome"
	"nbdconform/reference/wire"
)

// strangerPatience is how long the first greeting may take at an address that
// the user named, in place of the patience with servers under load.
const strangerPatience = 5 * time.Second

// magics are what a server says first.
const magics = "NBDMAGICIHAVEOPT"

// stranger says why what listens at the address is no server of NBD, or nil
// where it may be one that greets wrongly.
func (s *Session) stranger() error {
	heard := s.raw.Unread()
	switch end := s.ending(s.broken); {
	case len(heard) > 0 && !resembles(heard):
		return fmt.Errorf("no NBD server listens there: it says %q", heard[:min(len(heard), shownBytes)])
	case len(heard) == 0 && end == Silence:
		return fmt.Errorf("no NBD server listens there, or one that wants TLS from the first byte: it says nothing within %v",
			max(s.attempt.server.Answer, min(s.attempt.server.grace, strangerPatience)))
	}
	return nil
}

// resembles reports whether b was meant to be a greeting: half of its magic
// numbers are there, or one of them with its bytes in reverse.
func resembles(b []byte) bool {
	b = b[:min(len(b), len(magics))]
	same := 0
	for i := range b {
		if b[i] == magics[i] {
			same++
		}
	}
	turned := []byte(magics[:min(len(b), 8)])
	slices.Reverse(turned)
	return 2*same >= len(b) || slices.Equal(b[:len(turned)], turned)
}

// breaks reports whether the server was seen breaking a MUST already. That is
// something to report, whatever can't be tried.
func (b *Server) breaks() bool {
	return slices.ContainsFunc(b.Early.Violations, func(v outcome.Violation) bool {
		c, ok := clause.Get(v.Clause)
		return ok && c.Level == clause.Must && c.Disputed == "" && c.Side != clause.Client && v.Side == clause.Server
	})
}

// askMode has a server that insists on TLS, and does not do it, say both on one
// connection.
func askMode(ctx context.Context, b *Server) {
	s := HaggleInClear(ctx)
	s.Option(wire.OptStartTLS, nil)
	s.Option(wire.OptInfo, wire.InfoRequest{Export: b.Facts.Export})
}
