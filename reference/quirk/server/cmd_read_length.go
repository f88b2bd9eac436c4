package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ReadSmallMaximum refuses payloads that every client may ask for.
var ReadSmallMaximum = register(Quirk{
	Name: "read-small-maximum", Breaks: "size.default.max-payload",
	Doc: "answers NBD_EINVAL to NBD_CMD_READ of more than 65536 bytes",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Request.Length > 65536 {
			x.Fail(wire.EINVAL, "too long")
		}
	}),
})

// ReadENOMEM has no memory for long reads.
var ReadENOMEM = register(Quirk{
	Name: "read-enomem", Breaks: "err.enomem",
	Doc: "answers NBD_ENOMEM to NBD_CMD_READ of more than 65536 bytes",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Request.Length > 65536 {
			x.Fail(wire.ENOMEM, "out of memory")
		}
	}),
})

// ChunkOverMaximum sends chunks that are longer than it told the client.
var ChunkOverMaximum = register(Quirk{
	Name: "chunk-over-maximum", Breaks: "chunk.max-payload",
	Doc:   "advertises a maximum payload size of 2^20 and sends longer chunks",
	Hooks: onConstraints(func(c *wire.SizeConstraints) { c.MaxPayload = 1 << 20 }),
})

// ReadLongWhole sends in one chunk what is longer than a chunk may be.
var ReadLongWhole = register(Quirk{
	Name: "read-long-whole", Breaks: "chunk.max-payload",
	Doc: "sends reads that are longer than the maximum payload size as one chunk",
	Hooks: onError(wire.CmdRead, wire.EOVERFLOW, func(x *server.Exchange) {
		if n := x.Request.Length; n <= 2*wire.DefaultMaxPayload {
			content(x, make([]byte, n))
		}
	}),
})

// ReadLongHangup closes the connection on reads that are longer than it advertised, but no attack.
var ReadLongHangup = register(Quirk{
	Name: "read-long-hangup", Breaks: "size.dos.limit.server",
	Doc: "closes the connection on NBD_CMD_READ that is longer than the maximum payload size and no longer than 2^25 bytes",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if n := x.Request.Length; n > uint64(x.Session.Export.Constraints.MaxPayload) && n <= wire.DefaultMaxPayload {
			hangup(x)
		}
	}),
})
