package session

import "nbdconform/reference/wire"

// Describe asks for information about the export under test.
func (s *Session) Describe(infos ...wire.InfoType) Answer {
	return s.Option(wire.OptInfo, wire.InfoRequest{Export: s.attempt.server.Facts.Export, Infos: infos})
}

// Info is the payload of the first information of a type in the answer, or nil.
func (a Answer) Info(t wire.InfoType) []byte {
	for _, i := range a.Infos() {
		if i.Type == t {
			return i.Payload
		}
	}
	return nil
}

// InitState is what NBD_INFO_INIT_STATE in the answer says, or 0.
func (a Answer) InitState() wire.InitFlags {
	f, _ := wire.ParseInitFlags(a.Info(wire.InfoInitState)) // 0 where it can't be parsed
	return f
}
