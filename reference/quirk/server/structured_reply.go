package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ReadSimple answers reads by simple replies in spite of structured replies.
var ReadSimple = register(Quirk{
	Name: "read-simple", Breaks: "cmd.read.structured",
	Doc: "answers NBD_CMD_READ by a simple reply although structured replies were negotiated",
	Hooks: onRead(1, func(x *server.Exchange) {
		x.Replies = []server.Message{{Simple: wire.SimpleReply{Cookie: x.Request.Cookie}, Data: x.Content()}}
	}),
})

// ReadStructuredEIO fails where it has to make chunks.
var ReadStructuredEIO = register(Quirk{
	Name: "read-structured-eio", Breaks: "baseline.server.read",
	Doc:   "answers NBD_EIO to NBD_CMD_READ with structured replies",
	Hooks: onRead(1, func(x *server.Exchange) { x.Fail(wire.EIO, "a bad disk") }),
})

// ReadIncomplete says that it is done before it has sent everything.
var ReadIncomplete = register(Quirk{
	Name: "read-incomplete", Breaks: "cmd.read.cover",
	Doc: "does not send the last byte of a read of at least 2 bytes, and reports success",
	Hooks: onRead(2, func(x *server.Exchange) {
		data := x.Content()
		x.Chunks(x.DataChunk(x.Request.Offset, data[:len(data)-1]))
	}),
})

// DataChunkOutOfBounds sends more data than was asked for.
var DataChunkOutOfBounds = register(Quirk{
	Name: "data-chunk-out-of-bounds", Breaks: "chunk.offset-data.bounds",
	Doc: "sends 512 bytes of data from past the range that was asked for",
	Hooks: onRead(1, func(x *server.Exchange) {
		insert(x, x.DataChunk(x.Request.Offset+x.Request.Length, make([]byte, 512)))
	}),
})

// DataChunkOverlap sends the first data of a read twice.
var DataChunkOverlap = register(Quirk{
	Name: "data-chunk-overlap", Breaks: "chunk.offset-data.overlap",
	Doc: "sends the first byte of a read twice",
	Hooks: onRead(2, func(x *server.Exchange) {
		data := x.Content()
		x.Chunks(x.DataChunk(x.Request.Offset, data[:1]), x.DataChunk(x.Request.Offset, data))
	}),
})

// DataChunkEmpty sends a chunk of no data.
var DataChunkEmpty = register(Quirk{
	Name: "data-chunk-empty", Breaks: "chunk.offset-data.length",
	Doc:   "sends NBD_REPLY_TYPE_OFFSET_DATA of no data ahead of the reply to a read",
	Hooks: onRead(1, func(x *server.Exchange) { insert(x, x.DataChunk(x.Request.Offset, nil)) }),
})

// HoleChunkOutOfBounds sends a hole from past the range that was asked for.
var HoleChunkOutOfBounds = register(Quirk{
	Name: "hole-chunk-out-of-bounds", Breaks: "chunk.offset-hole.bounds",
	Doc: "sends a hole of 512 bytes from past the range that was asked for",
	Hooks: onRead(1, func(x *server.Exchange) {
		insert(x, x.HoleChunk(x.Request.Offset+x.Request.Length, 512))
	}),
})

// HoleChunkOverlap sends a hole where it has sent data.
var HoleChunkOverlap = register(Quirk{
	Name: "hole-chunk-overlap", Breaks: "chunk.offset-hole.overlap",
	Doc: "sends all of a read as data, and then its first byte as a hole",
	Hooks: onRead(2, func(x *server.Exchange) {
		x.Chunks(x.DataChunk(x.Request.Offset, x.Content()), x.HoleChunk(x.Request.Offset, 1))
	}),
})

// HoleChunkLong sends holes with something after their size.
var HoleChunkLong = register(Quirk{
	Name: "hole-chunk-long", Breaks: "chunk.offset-hole.length",
	Doc: "sends NBD_REPLY_TYPE_OFFSET_HOLE with a length of 16",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		x.EachChunk(wire.ChunkOffsetHole, func(c *wire.Chunk) { c.Payload = append(c.Payload[:12:12], 0, 0, 0, 0) })
	}),
})

// HoleChunkEmpty sends a hole of nothing.
var HoleChunkEmpty = register(Quirk{
	Name: "hole-chunk-empty", Breaks: "chunk.offset-hole.nonzero",
	Doc:   "sends a hole of 0 bytes ahead of the reply to a read",
	Hooks: onRead(1, func(x *server.Exchange) { insert(x, x.HoleChunk(x.Request.Offset, 0)) }),
})

// ReadNeverDone leaves NBD_REPLY_FLAG_DONE out.
var ReadNeverDone = register(Quirk{
	Name: "read-never-done", Breaks: "chunk.flag.done-last",
	Doc: "leaves NBD_REPLY_FLAG_DONE out of the last chunk of a read",
	Hooks: onRead(1, func(x *server.Exchange) {
		x.Replies[len(x.Replies)-1].Chunk.Flags = 0
	}),
})

// halve replaces a reply by two chunks of data.
func halve(x *server.Exchange) {
	data, off := x.Content(), x.Request.Offset
	half := max(len(data)/2&^511, 1)
	x.Chunks(x.DataChunk(off, data[:half]), x.DataChunk(off+uint64(half), data[half:]))
}

// ReadDoneTwice sets NBD_REPLY_FLAG_DONE in every chunk.
var ReadDoneTwice = register(Quirk{
	Name: "read-done-twice", Breaks: "chunk.flag.done-clear",
	Doc: "splits reads in two chunks, both with NBD_REPLY_FLAG_DONE",
	Hooks: onRead(2, func(x *server.Exchange) {
		halve(x)
		x.Replies[0].Chunk.Flags = wire.ReplyFlagDone
	}),
})

// ReadChunkAfterDone sends another chunk after the final one.
var ReadChunkAfterDone = register(Quirk{
	Name: "read-chunk-after-done", Breaks: "chunk.flag.done-clear",
	Doc: "sends NBD_REPLY_TYPE_NONE after the final chunk of a read",
	Hooks: onRead(1, func(x *server.Exchange) {
		none := x.Chunk(wire.ChunkNone, nil)
		none.Chunk.Flags = wire.ReplyFlagDone
		x.Replies = append(x.Replies, none)
	}),
})

// NoneWithoutDone sends NBD_REPLY_TYPE_NONE in the middle of a reply.
var NoneWithoutDone = register(Quirk{
	Name: "none-without-done", Breaks: "chunk.none.done",
	Doc:   "sends NBD_REPLY_TYPE_NONE without NBD_REPLY_FLAG_DONE ahead of the reply to a read",
	Hooks: onRead(1, func(x *server.Exchange) { insert(x, x.Chunk(wire.ChunkNone, nil)) }),
})

// ChunkTypeUnknown sends a chunk of an undefined type.
var ChunkTypeUnknown = register(Quirk{
	Name: "chunk-type-unknown", Breaks: "layout.chunk.type",
	Doc:   "sends a chunk of type 77 ahead of the reply to a read",
	Hooks: onRead(1, func(x *server.Exchange) { insert(x, x.Chunk(77, []byte("hello"))) }),
})

// ChunkFlagUnknown sets an undefined chunk flag.
var ChunkFlagUnknown = register(Quirk{
	Name: "chunk-flag-unknown", Breaks: "chunk.flag.unknown",
	Doc: "sets bit 7 of the flags of every chunk",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		for i := range x.Replies {
			x.Replies[i].Chunk.Flags |= 1 << 7
		}
	}},
})

// NoneWithPayload sends NBD_REPLY_TYPE_NONE with a payload.
var NoneWithPayload = register(Quirk{
	Name: "none-with-payload", Breaks: "chunk.none.length",
	Doc: "puts four bytes into NBD_REPLY_TYPE_NONE",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		x.EachChunk(wire.ChunkNone, func(c *wire.Chunk) { c.Payload = make([]byte, 4) })
	}},
})

// ReadChunksUnaligned splits reads wherever it likes.
var ReadChunksUnaligned = register(Quirk{
	Name: "read-chunks-unaligned", Breaks: "cmd.read.chunk-alignment",
	Doc: "splits reads of more than 100 bytes after the hundredth",
	Hooks: onRead(101, func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagDF == 0 {
			data, off := x.Content(), x.Request.Offset
			x.Chunks(x.DataChunk(off, data[:100]), x.DataChunk(off+100, data[100:]))
		}
	}),
})

// ChunkCutShort gives up in the middle of a chunk.
var ChunkCutShort = register(Quirk{
	Name: "chunk-cut-short", Breaks: "cmd.read.finish-chunk",
	Doc: "closes the connection in the middle of the content of every structured read",
	Hooks: onRead(2, func(x *server.Exchange) {
		x.Chunks(x.DataChunk(x.Request.Offset, x.Content()))
		x.Truncate, x.Hangup = len(x.Bytes())-1, true
	}),
})
