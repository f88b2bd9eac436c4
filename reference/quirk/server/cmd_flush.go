package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// FlushAdvertisedOnly advertises NBD_CMD_FLUSH and refuses it.
var FlushAdvertisedOnly = register(Quirk{
	Name: "flush-advertised-only", Breaks: "flag.transmission.unsupported",
	Doc:   "sets NBD_FLAG_SEND_FLUSH and answers every NBD_CMD_FLUSH with NBD_EINVAL",
	Hooks: onReply(wire.CmdFlush, fail(wire.EINVAL)),
})

// FlushUnanswered never answers a flush.
var FlushUnanswered = register(Quirk{
	Name: "flush-unanswered", Breaks: "interop.server.flush",
	Doc:   "never answers NBD_CMD_FLUSH",
	Hooks: onReply(wire.CmdFlush, func(x *server.Exchange) { x.Silent = true }),
})

// FlushDrops throws away what it should keep.
var FlushDrops = register(Quirk{
	Name: "flush-drops", Breaks: "cmd.flush.persist",
	Doc: "zeroes the first 4096 bytes of the export at every NBD_CMD_FLUSH",
	Hooks: onReply(wire.CmdFlush, func(x *server.Exchange) {
		_ = x.Session.Export.Disk.Zero(0, 4096, false, false)
	}),
})

// FlushRangeAsPayload waits for data that no flush has.
var FlushRangeAsPayload = register(Quirk{
	Name: "flush-range-as-payload", Breaks: "trans.simple.required",
	Doc: "takes the length of an NBD_CMD_FLUSH for that of a payload",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdFlush && q.Length > 0 {
			q.Type = wire.CmdWrite
		}
	}},
})
