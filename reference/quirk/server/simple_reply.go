package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// StructuredUnnegotiated sends chunks to a client that did not ask for them.
var StructuredUnnegotiated = register(Quirk{
	Name: "structured-unnegotiated", Breaks: "trans.structured.unnegotiated",
	Doc: "sends structured replies although they were not negotiated",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		switch data := x.Content(); {
		case x.Session.Structured || x.Is(wire.CmdDisc):
		case len(data) > 0:
			x.Chunks(x.DataChunk(x.Request.Offset, data))
		case x.Err() != wire.OK:
			x.Chunks(x.Chunk(wire.ChunkError, wire.ErrorChunk{Error: x.Err()}.Append(nil)))
		default:
			x.Chunks(x.Chunk(wire.ChunkNone, nil))
		}
	}},
})

// ReplyWrongMagic gets a byte of the magic of replies wrong.
var ReplyWrongMagic = register(Quirk{
	Name: "reply-wrong-magic", Breaks: "layout.reply.magic",
	Doc: "gets a byte of the magic number of replies wrong",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		if x.Raw = x.Bytes(); len(x.Raw) > 0 {
			x.Raw[3] ^= 1
		}
	}},
})

// ReadCutShort closes the connection in the middle of the data.
var ReadCutShort = register(Quirk{
	Name: "read-cut-short", Breaks: "trans.end.unjustified.server",
	Doc: "closes the connection after the first half of the reply to a read of at least 2 bytes",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Err() == wire.OK && x.Request.Length >= 2 {
			x.Truncate, x.Hangup = len(x.Bytes())/2, true
		}
	}),
})

// ReadErrorWithPayload sends data after the error of a simple reply.
var ReadErrorWithPayload = register(Quirk{
	Name: "read-error-with-payload", Breaks: "cmd.read.simple.error.no-payload",
	Doc: "sends as many zeroes as were asked for after a simple reply that says that the read failed",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Is(wire.CmdRead) && !x.Session.Structured {
			x.Replies[0].Data = make([]byte, min(x.Request.Length, 1<<20))
		}
	}),
})
