package session

import (
	"context"

	"nbdconform/reference/wire"
)

// dialect is what the target was told to speak.
func (s *Session) dialect() wire.Dialect { return s.attempt.server.Target.Profile().Dialect }

// isLBAStatus reports whether q is NBD_CMD_GET_LBA_STATUS.
func (s *Session) isLBAStatus(q wire.Request) bool {
	return s.dialect() == wire.GetLBAStatus && q.Type == wire.CmdGetLBAStatus
}

// lbaStatus reads what is behind the reply to NBD_CMD_GET_LBA_STATUS.
func (s *Session) lbaStatus(ctx context.Context, r *Reply) error {
	d, err := s.raw.LBAData(ctx)
	if err == nil && r.Error == wire.OK {
		r.LBA, _ = wire.ParseLBAStatus(d) // else the judge has seen it
	}
	return err
}

// LBAStatus asks for the state of n bytes at an offset, by NBD_CMD_GET_LBA_STATUS.
func (s *Session) LBAStatus(kind wire.LBAType, offset, n uint64) Reply {
	return s.Do(wire.Request{Type: wire.CmdGetLBAStatus, Flags: wire.CommandFlags(kind), Offset: offset, Length: n})
}

// LBAState is what a list of descriptors says of the byte at an offset; ok is
// false if it says nothing.
func LBAState(list wire.LBAStatus, offset uint64) (state uint16, ok bool) {
	for _, d := range list {
		if offset-d.Offset < uint64(d.Length) {
			return d.Status, true
		}
	}
	return 0, false
}
