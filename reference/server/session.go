package server

import (
	"fmt"

	"nbdconform/reference/wire"
)

// A Session is what one connection has negotiated. Hooks may read and change it.
type Session struct {
	ID          uint64 // 1 for the first connection of the server
	ClientFlags wire.ClientFlags
	TLS         bool // is in use
	Structured  bool // replies come in chunks: structured replies or extended headers were negotiated
	Extended    bool // extended headers were negotiated, and Structured is set too

	// Contexts were selected by the last NBD_OPT_SET_META_CONTEXT. In the
	// transmission phase: those that NBD_CMD_BLOCK_STATUS answers for.
	Contexts []wire.MetaContext
	// ContextsFor is the export name in that option.
	ContextsFor string

	// Of the transmission phase:
	Export *Export // nil before
	Name   string  // of the export, as the client sent it
	Flags  wire.TransmissionFlags

	skip map[string]bool
	conn *conn
}

// Exports are all exports of the server, in the order of NBD_OPT_LIST.
func (s *Session) Exports() []Export { return s.conn.srv.cfg.Exports }

// Crash closes the listeners and all connections of the server at once.
func (s *Session) Crash() { s.conn.srv.crash() }

// enforce reports whether the session may go on: the condition that the clause
// demands is met, or hooks skip the clause. All checks of what a client sends
// call it.
func (s *Session) enforce(clause string, met bool) bool { return met || s.skip[clause] }

// Skipped reports whether the clause is not enforced.
func (s *Session) Skipped(clause string) bool { return s.skip[clause] }

// violation is the error of a client that broke a clause, which ends the session.
func violation(clause, format string, args ...any) error {
	return &wire.FormatError{Clause: clause, Detail: fmt.Sprintf(format, args...)}
}
