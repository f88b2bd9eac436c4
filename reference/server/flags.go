package server

import "nbdconform/reference/wire"

// offered are the transmission flags of all that this server can do.
const offered = wire.FlagHasFlags | wire.FlagSendFlush | wire.FlagSendFUA | wire.FlagSendTrim |
	wire.FlagSendWriteZeroes | wire.FlagSendDF | wire.FlagCanMultiConn | wire.FlagSendCache | wire.FlagSendFastZero |
	wire.FlagBlockStatusPayload

// flags are the transmission flags of e for a client that calls it name.
// Section "Transmission flags".
func (s *Session) flags(e *Export, name string) wire.TransmissionFlags {
	f := offered &^ (e.Omit &^ wire.FlagHasFlags)
	if e.ReadOnly { // flag.transmission.unsupported.read-only
		f |= wire.FlagReadOnly
		f &^= wire.FlagSendTrim | wire.FlagSendWriteZeroes
	}
	if e.Rotational {
		f |= wire.FlagRotational
	}
	if e.Resizable && !e.ReadOnly {
		f |= wire.FlagSendResize
	}
	if !s.Structured {
		f &^= wire.FlagSendDF
	}
	if !s.Extended || len(s.Contexts) == 0 || s.ContextsFor != name {
		f &^= wire.FlagBlockStatusPayload
	}
	if f&wire.FlagSendWriteZeroes == 0 {
		f &^= wire.FlagSendFastZero
	}
	return s.dialectFlags(f, e)
}
