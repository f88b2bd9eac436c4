package serverquirk

import (
	"math"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// WriteBeyondAccepted takes writes beyond the end.
var WriteBeyondAccepted = register(Quirk{
	Name: "write-beyond-accepted", Breaks: "err.write.bounds",
	Doc:   "reports NBD_CMD_WRITE beyond the end of the export as done",
	Hooks: skip("err.write.bounds"),
})

// WriteBeyondEIO refuses writes beyond the end with the wrong error.
var WriteBeyondEIO = register(Quirk{
	Name: "write-beyond-eio", Breaks: "err.write.bounds",
	Doc:   "answers NBD_EIO to NBD_CMD_WRITE beyond the end of the export",
	Hooks: onError(wire.CmdWrite, wire.ENOSPC, fail(wire.EIO)),
})

// WriteEOVERFLOW finds writes too long.
var WriteEOVERFLOW = register(Quirk{
	Name: "write-eoverflow", Breaks: "err.eoverflow",
	Doc:   "answers NBD_EOVERFLOW to NBD_CMD_WRITE beyond the end of the export",
	Hooks: onError(wire.CmdWrite, wire.ENOSPC, fail(wire.EOVERFLOW)),
})

// WriteErrorHidden reports failed writes as done.
var WriteErrorHidden = register(Quirk{
	Name: "write-error-hidden", Breaks: "cmd.write.error",
	Doc: "reports every NBD_CMD_WRITE as done, also where it failed",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Is(wire.CmdWrite) {
			x.Succeed()
		}
	}),
})

// RangeShifted moves requests to where there is room.
var RangeShifted = register(Quirk{
	Name: "range-shifted", Breaks: "layout.write.range",
	Doc: "refuses requests that cross the end of the export, and zeroes as many bytes in front of the end all the same",
	Hooks: onAnyError(func(x *server.Exchange) {
		size := x.Session.Export.Disk.Size()
		if q := x.Request; x.Is(wire.CmdWrite, wire.CmdWriteZeroes, wire.CmdTrim) && q.Offset < size && q.Length > size-q.Offset {
			_ = x.Session.Export.Disk.Zero(size-q.Length, q.Length, false, false)
		}
	}),
})

// RangeWrapped goes on at the start of the export where 2^64 ends.
var RangeWrapped = register(Quirk{
	Name: "range-wrapped", Breaks: "layout.write.range",
	Doc: "refuses requests whose offset and length add up to more than 2^64, and zeroes the first bytes of the export all the same",
	Hooks: onAnyError(func(x *server.Exchange) {
		if q := x.Request; x.Is(wire.CmdWrite, wire.CmdWriteZeroes, wire.CmdTrim) && q.Length > math.MaxUint64-q.Offset {
			_ = x.Session.Export.Disk.Zero(0, q.Offset+q.Length, false, false)
		}
	}),
})

// WriteRefusedPayloadObeyed takes what a refused write carries for requests.
var WriteRefusedPayloadObeyed = register(Quirk{
	Name: "write-refused-payload-obeyed", Breaks: "trans.cookie.echo",
	Doc: "refuses an NBD_CMD_WRITE that is out of bounds or has strange flags, and takes its payload for the next requests",
	Hooks: server.Hooks{Request: func(s *server.Session, q *wire.Request) {
		size := s.Export.Disk.Size()
		out := q.Offset > size || q.Length > size-q.Offset
		if q.Type == wire.CmdWrite && (out || q.Flags&^wire.CmdFlagFUA != 0 || s.Flags&wire.FlagReadOnly != 0) {
			q.Type = 0xfffe // which has no payload
		}
	}},
})
