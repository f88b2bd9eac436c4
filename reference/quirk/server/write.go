package serverquirk

import (
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// WriteLost says that it has written, and has not.
var WriteLost = register(Quirk{
	Name: "write-lost", Breaks: "cmd.write.then-reply",
	Doc: "reports NBD_CMD_WRITE as done and writes nothing",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, write: func([]byte, uint64) error { return nil }}
	}),
})

// WriteIncomplete leaves the last byte out.
var WriteIncomplete = register(Quirk{
	Name: "write-incomplete", Breaks: "cmd.write.then-reply",
	Doc: "writes all but the last byte of NBD_CMD_WRITE",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, write: func(p []byte, off uint64) error { return e.WriteAt(p[:len(p)-1], off) }}
	}),
})

// WriteMisplaced writes one byte too far.
var WriteMisplaced = register(Quirk{
	Name: "write-misplaced", Breaks: "baseline.server.write",
	Doc: "writes everything one byte too far",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, write: func(p []byte, off uint64) error { return e.WriteAt(p, off+1) }}
	}),
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

// WriteRefusedPayloadUnread takes the payload of a refused write for the next request.
var WriteRefusedPayloadUnread = register(Quirk{
	Name: "write-refused-payload-unread", Breaks: "trans.end.unjustified.server",
	Doc: "takes the payload of a refused NBD_CMD_WRITE for the next request, and hangs up over its magic number",
	Hooks: onAnyError(func(x *server.Exchange) {
		x.Hangup = x.Is(wire.CmdWrite)
	}),
})

// WriteZeroLengthHangup hangs up on writes of nothing.
var WriteZeroLengthHangup = register(Quirk{
	Name: "write-zero-length-hangup", Breaks: "cmd.write.zero-length.stay",
	Doc:   "hangs up on a write of 0 bytes",
	Hooks: onZeroLength(wire.CmdWrite, hangup),
})

// WriteLongHangup hangs up on writes that are longer than it advertised, but no attack.
var WriteLongHangup = register(Quirk{
	Name: "write-long-hangup", Breaks: "size.dos.limit.server",
	Doc: "hangs up on an NBD_CMD_WRITE that is longer than the maximum payload size and no longer than 2^25 bytes",
	Hooks: onReply(wire.CmdWrite, func(x *server.Exchange) {
		if n := x.Request.Length; n > uint64(x.Session.Export.Constraints.MaxPayload) && n <= wire.DefaultMaxPayload {
			hangup(x)
		}
	}),
})

// WriteSmallMaximum refuses payloads that everybody may send.
var WriteSmallMaximum = register(Quirk{
	Name: "write-small-maximum", Breaks: "size.default.max-payload",
	Doc: "answers NBD_EINVAL to an NBD_CMD_WRITE of more than 2^20 bytes",
	Hooks: onReply(wire.CmdWrite, func(x *server.Exchange) {
		if x.Request.Length > 1<<20 {
			x.Fail(wire.EINVAL, "too long")
		}
	}),
})

// WriteReadOnlyAccepted writes to a read-only export.
var WriteReadOnlyAccepted = register(Quirk{
	Name: "write-read-only-accepted", Breaks: "flag.transmission.read-only.writes",
	Doc:   "writes to a read-only export",
	Hooks: skip("err.write.read-only"),
})

// WriteReadOnlyEINVAL refuses writes to a read-only export with the wrong error.
var WriteReadOnlyEINVAL = register(Quirk{
	Name: "write-read-only-einval", Breaks: "err.write.read-only",
	Doc:   "answers NBD_EINVAL to NBD_CMD_WRITE on a read-only export",
	Hooks: onError(wire.CmdWrite, wire.EPERM, fail(wire.EINVAL)),
})

// FUARejected does not take the flag that it advertises.
var FUARejected = register(Quirk{
	Name: "fua-rejected", Breaks: "cmdflag.fua.accept",
	Doc: "answers NBD_EINVAL to every request with NBD_CMD_FLAG_FUA, and advertises it",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagFUA != 0 && !x.Is(wire.CmdDisc) {
			x.Fail(wire.EINVAL, "the command does not have this flag")
		}
	}},
})

// FUAOnlyWithWrites takes the flag with commands that write alone.
var FUAOnlyWithWrites = register(Quirk{
	Name: "fua-only-with-writes", Breaks: "cmdflag.fua.accept",
	Doc: "answers NBD_EINVAL to NBD_CMD_READ with NBD_CMD_FLAG_FUA",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagFUA != 0 {
			x.Fail(wire.EINVAL, "a read does not write")
		}
	}),
})

// FlushUnanswered never answers a flush.
var FlushUnanswered = register(Quirk{
	Name: "flush-unanswered", Breaks: "interop.server.flush",
	Doc:   "never answers NBD_CMD_FLUSH",
	Hooks: onReply(wire.CmdFlush, func(x *server.Exchange) { x.Silent = true }),
})

// MultiConnPrivate lets no connection see what the others write.
var MultiConnPrivate = register(Quirk{
	Name: "multi-conn-private", Breaks: "flag.transmission.multi-conn",
	Doc:   "gives every connection a cache of its own that flushing does not write back, and advertises NBD_FLAG_CAN_MULTI_CONN",
	Hooks: wrap(func(e export.Export) export.Export { return newPrivate(e) }),
})
