package server

import "nbdconform/reference/wire"

// Dialect is what the server speaks, to all of its clients.
func (s *Session) Dialect() wire.Dialect { return s.conn.srv.cfg.Dialect }

// dialectFlags turns the transmission flags of the specification into those of
// the dialect.
func (s *Session) dialectFlags(f wire.TransmissionFlags, e *Export) wire.TransmissionFlags {
	switch s.Dialect() {
	case wire.GetLBAStatus:
		f |= wire.FlagSendGetLBAStatus &^ e.Omit // NBD_FLAG_SEND_DF is not there without chunks
	case wire.WriteZeroesRFC:
		f &^= wire.FlagSendFastZero
	}
	return f
}
