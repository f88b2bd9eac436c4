package session

import (
	"context"

	"nbdconform/conformance/internal/verdict"
	"nbdconform/reference/wire"
)

// Fine ends the spec as unsupported if the export has a minimum block size
// other than 1, so that single bytes can't be asked for.
func (s *Session) Fine() {
	if s.Constraints.Minimum != 1 {
		verdict.Unsupported("needs-minimum-block-1", s.Constraints.Minimum)
	}
}

// Coarse returns the minimum block size, and ends the spec as unsupported if that is 1.
func (s *Session) Coarse() uint64 {
	if s.Constraints.Minimum <= 1 {
		verdict.Unsupported("needs-minimum-block-above-1")
	}
	return uint64(s.Constraints.Minimum)
}

// Beyond is the first multiple of the block size that is not within the export.
func (s *Session) Beyond() uint64 {
	f := s.attempt.server.Facts
	f.Size = s.Size
	end, ok := f.End()
	if !ok || s.Size > 1<<63 {
		verdict.Unsupported("needs-export-at-most-2-63", s.Size)
	}
	return end
}

// EnterUnsized enters the transmission phase without asking for the server's
// size constraints. The spec is unsupported if the server insists on them.
func EnterUnsized(ctx context.Context) *Session {
	s := Haggle(ctx)
	a := s.Go()
	if a.Type() == wire.RepErrBlockSizeReqd {
		verdict.Unsupported("needs-unsized-entry")
	}
	if a.Type() != wire.RepAck {
		verdict.Blocked("baseline.server.go", "entering-transmission-phase", a)
	}
	return s
}

// Orders is n bytes that would be requests if they were not data: reads with
// cookies that no request of a session has.
func Orders(n uint64) []byte {
	var b []byte
	for cookie := uint64(0xbad0); uint64(len(b)) < n; cookie++ {
		b = wire.Request{Type: wire.CmdRead, Cookie: cookie}.Append(b)
	}
	return b[:n]
}

// Stored writes data on a connection of its own, and returns a new connection
// with what the range reads as there. That is the data, save on a server which
// gives every client a copy of the export: other connections tell no more of it.
func Stored(ctx context.Context, offset uint64, data []byte) (*Session, []byte) {
	s := Enter(ctx)
	s.Write(offset, data)
	if s.Flags&wire.FlagSendFlush != 0 {
		s.Do(wire.Request{Type: wire.CmdFlush})
	}
	s.Leave()
	s = Enter(ctx)
	return s, s.Read(offset, uint64(len(data)))
}
