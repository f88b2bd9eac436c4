package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ShutdownForgotten is about to go, and then has other reasons to refuse.
var ShutdownForgotten = register(Quirk{
	Name: "shutdown-forgotten", Breaks: "trans.end.shutdown.eshutdown",
	Doc: "answers NBD_ESHUTDOWN to the first read of a connection, and NBD_EIO to those that come later",
	New: func() server.Hooks {
		told := false
		return onReply(wire.CmdRead, func(x *server.Exchange) {
			if told {
				x.Fail(wire.EIO, "no")
			} else {
				x.Fail(wire.ESHUTDOWN, "about to go")
			}
			told = true
		})
	},
})

// ShutdownTakenBack is about to go, and then serves.
var ShutdownTakenBack = register(Quirk{
	Name: "shutdown-taken-back", Breaks: "haggling.shutdown.error",
	Doc:   "answers NBD_REP_ERR_SHUTDOWN to NBD_OPT_LIST, and serves the options that come later",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Fail(wire.RepErrShutdown, "about to go") }),
})

// ChunkCutShort gives up in the middle of a chunk.
var ChunkCutShort = register(Quirk{
	Name: "chunk-cut-short", Breaks: "cmd.read.finish-chunk",
	Doc: "hangs up in the middle of the content of every structured read",
	Hooks: onRead(2, func(x *server.Exchange) {
		x.Chunks(x.DataChunk(x.Request.Offset, x.Content()))
		x.Truncate, x.Hangup = len(x.Bytes())-1, true
	}),
})

// ReadPaddedWithJunk fills a chunk that it can't fill with what is at hand.
var ReadPaddedWithJunk = register(Quirk{
	Name: "read-padded-with-junk", Breaks: "cmd.read.padding.zero",
	Doc:   "finds an error in the middle of every structured read, and goes on with a chunk of nonzero bytes",
	Hooks: onRead(2, func(x *server.Exchange) { failInside(x, 0xee) }),
})

// failInside turns a read into one that fails halfway, in a chunk that ends with padding.
func failInside(x *server.Exchange, padding byte) {
	data := append([]byte(nil), x.Content()...)
	half := len(data) / 2
	for i := half; i < len(data); i++ {
		data[i] = padding
	}
	failure := x.Chunk(wire.ChunkErrorOffset, wire.ErrorOffset(wire.EIO, "a bad spot", x.Request.Offset+uint64(half)).Append(nil))
	x.Chunks(x.DataChunk(x.Request.Offset, data), failure)
}
