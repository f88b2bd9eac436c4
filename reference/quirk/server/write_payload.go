package serverquirk

import (
	"sync/atomic"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// WriteSmallMaximum refuses payloads that every client may send.
var WriteSmallMaximum = register(Quirk{
	Name: "write-small-maximum", Breaks: "size.default.max-payload",
	Doc: "answers NBD_EINVAL to an NBD_CMD_WRITE of more than 2^20 bytes",
	Hooks: onReply(wire.CmdWrite, func(x *server.Exchange) {
		if x.Request.Length > 1<<20 {
			x.Fail(wire.EINVAL, "too long")
		}
	}),
})

// WriteAcrossENOSPC fails where it would have to touch two blocks.
var WriteAcrossENOSPC = register(Quirk{
	Name: "write-across-enospc", Breaks: "baseline.server.write",
	Doc: "answers NBD_ENOSPC to NBD_CMD_WRITE across a multiple of 4096 bytes",
	Hooks: onReply(wire.CmdWrite, func(x *server.Exchange) {
		q := x.Request
		if q.Length > 0 && q.Offset/4096 != (q.Offset+q.Length-1)/4096 && x.Err() == wire.OK {
			x.Fail(wire.ENOSPC, "a full disk")
		}
	}),
})

// WriteLongEPERM fails wherever it is, if it is long.
var WriteLongEPERM = register(Quirk{
	Name: "write-long-eperm", Breaks: "baseline.server.write",
	Doc: "answers NBD_EPERM to NBD_CMD_WRITE of more than 64 KiB",
	Hooks: onReply(wire.CmdWrite, func(x *server.Exchange) {
		if x.Request.Length > 64<<10 && x.Err() == wire.OK {
			x.Fail(wire.EPERM, "no permission")
		}
	}),
})

// WriteLongHangup closes the connection on writes that are longer than it advertised, but no attack.
var WriteLongHangup = register(Quirk{
	Name: "write-long-hangup", Breaks: "size.dos.limit.server",
	Doc: "closes the connection on an NBD_CMD_WRITE that is longer than the maximum payload size and no longer than 2^25 bytes",
	Hooks: onReply(wire.CmdWrite, func(x *server.Exchange) {
		if n := x.Request.Length; n > uint64(x.Session.Export.Constraints.MaxPayload) && n <= wire.DefaultMaxPayload {
			hangup(x)
		}
	}),
})

// WriteAbandonedBlocks waits for ever for the rest of a payload.
var WriteAbandonedBlocks = register(Quirk{
	Name: "write-abandoned-blocks", Breaks: "baseline.server.fixed-newstyle",
	Doc: "greets no client any more once a client has left in the middle of a payload",
	Config: func(c *server.Config) {
		var begun atomic.Int64
		c.Hooks = &server.Hooks{
			Greeting: func(x *server.GreetingExchange) { x.Stall = begun.Load() > 0 },
			Request: func(_ *server.Session, q *wire.Request) {
				if q.Type == wire.CmdWrite {
					begun.Add(1)
				}
			},
			Reply: func(x *server.Exchange) {
				if x.Is(wire.CmdWrite) {
					begun.Add(-1)
				}
			},
		}
	},
})
