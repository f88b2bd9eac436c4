package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// StatusBeyondAccepted tells the status of what is beyond the end.
var StatusBeyondAccepted = register(Quirk{
	Name: "status-beyond-accepted", Breaks: "cmd.block-status.bounds",
	Doc: "tells a status of 0 for a range beyond the end of the export",
	Hooks: onError(wire.CmdBlockStatus, wire.EINVAL, func(x *server.Exchange) {
		if beyond(x) && len(x.Session.Contexts) > 0 && x.Request.Length > 0 {
			x.Replies = nil
			for _, m := range x.Session.Contexts {
				s := wire.BlockStatus{ContextID: m.ID, Extents: []wire.Extent{{Length: x.Request.Length}}}
				x.Replies = append(x.Replies, x.StatusChunk(s))
			}
			x.Done()
		}
	}),
})

// StatusBeyondEIO can't say what is wrong.
var StatusBeyondEIO = register(Quirk{
	Name: "status-beyond-eio", Breaks: "cmd.block-status.bounds",
	Doc: "answers NBD_EIO to requests for block status beyond the end of the export",
	Hooks: onError(wire.CmdBlockStatus, wire.EINVAL, func(x *server.Exchange) {
		if beyond(x) {
			x.Fail(wire.EIO, "beyond the end")
		}
	}),
})

// StatusErrorSimple sends errors without an error chunk.
var StatusErrorSimple = register(Quirk{
	Name: "status-error-simple", Breaks: "cmd.block-status.error",
	Doc: "answers a failed NBD_CMD_BLOCK_STATUS by a simple reply",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Is(wire.CmdBlockStatus) {
			simple(x)
		}
	}),
})

// StatusErrorSticks holds a mistake against the client.
var StatusErrorSticks = register(Quirk{
	Name: "status-error-sticks", Breaks: "chunk.block-status.per-context",
	Doc: "answers NBD_EINVAL to requests for block status once one was invalid",
	New: func() server.Hooks {
		invalid := false
		return onReply(wire.CmdBlockStatus, func(x *server.Exchange) {
			if invalid = invalid || x.Err() == wire.EINVAL; invalid {
				x.Fail(wire.EINVAL, "invalid once, invalid ever")
			}
		})
	},
})
