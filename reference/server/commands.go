package server

import (
	"nbdconform/reference/server/internal/engine"
	"nbdconform/reference/wire"
)

// A command is how the requests of one type are served. Each is in a file of its
// own, cmd_*.go.
type command struct {
	// What is checked before, see check. Strings are clauses.
	flag         wire.TransmissionFlags // that has to be advertised; 0: none
	unadvertised string
	readOnly     string // "": allowed on read-only exports
	align        string
	bounds       string     // "": offset and length are no range
	beyond       wire.Errno // for a range that ends beyond the export
	payload      check      // of NBD_CMD_FLAG_PAYLOAD_LEN, with extended headers only; or nil
	check        check      // what else has to be true; or nil

	// memory is how much a request needs while it is worked on, in bytes; nil:
	// requestMemory.
	memory func(*transmission, *wire.Request) int

	// One of the two does it: do for those that reply with success or an error
	// and nothing else, reply for those whose reply has data.
	do    func(*transmission, *request) error
	reply func(*transmission, *request) *engine.Reply
}

// A check returns the error to reply with and a text for people, or OK. It does
// not touch the data of the disk.
type check func(*transmission, *wire.Request) (wire.Errno, string)

// requestMemory is how much a request without data needs, in bytes.
const requestMemory = 512

// commands are those of the specification, but NBD_CMD_DISC. Section "Request
// types".
var commands = [...]*command{
	wire.CmdRead:        &cmdRead,
	wire.CmdWrite:       &cmdWrite,
	wire.CmdFlush:       &cmdFlush,
	wire.CmdTrim:        &cmdTrim,
	wire.CmdCache:       &cmdCache,
	wire.CmdWriteZeroes: &cmdWriteZeroes,
	wire.CmdBlockStatus: &cmdBlockStatus,
	wire.CmdResize:      &cmdResize,
}

// command is how requests of the type are served, or nil if it is unknown.
func (s *Session) command(c wire.Command) *command {
	switch {
	case s.isLBAStatus(c):
		return &cmdGetLBAStatus
	case int(c) < len(commands):
		return commands[c]
	}
	return nil
}

// dataMemory is how much a request needs that reads or writes its length.
func (t *transmission) dataMemory(q *wire.Request) int { return int(q.Length) + requestMemory }

// extentsMemory is how much a request needs that asks for the status of blocks.
func (t *transmission) extentsMemory(*wire.Request) int {
	return max(len(t.Contexts), 1) * 16 * t.srv.cfg.MaxExtents
}
