package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ReplyCookieOffByOne adds one to the cookie of every reply.
var ReplyCookieOffByOne = register(Quirk{
	Name: "reply-cookie-off-by-one", Breaks: "trans.cookie.echo",
	Doc: "adds one to the cookie of every reply",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		for i := range x.Replies {
			x.Replies[i].Simple.Cookie++
			x.Replies[i].Chunk.Cookie++
		}
	}},
})

// ReplyCookie32Bit loses the upper half of the cookie.
var ReplyCookie32Bit = register(Quirk{
	Name: "reply-cookie-32-bit", Breaks: "trans.cookie.echo",
	Doc: "clears the upper 32 bits of the cookie of every reply",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		for i := range x.Replies {
			x.Replies[i].Simple.Cookie &= 1<<32 - 1
			x.Replies[i].Chunk.Cookie &= 1<<32 - 1
		}
	}},
})

// ChunkCookieDiffers gets the cookie of a later chunk wrong.
var ChunkCookieDiffers = register(Quirk{
	Name: "chunk-cookie-differs", Breaks: "trans.cookie.echo",
	Doc: "splits reads in two chunks, and gives the second another cookie",
	Hooks: onRead(2, func(x *server.Exchange) {
		halve(x)
		x.Replies[1].Chunk.Cookie++
	}),
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

// halve replaces a reply by two chunks of data.
func halve(x *server.Exchange) {
	data, off := x.Content(), x.Request.Offset
	half := max(len(data)/2&^511, 1)
	x.Chunks(x.DataChunk(off, data[:half]), x.DataChunk(off+uint64(half), data[half:]))
}

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

// ReadSimple answers reads by simple replies in spite of structured replies.
var ReadSimple = register(Quirk{
	Name: "read-simple", Breaks: "cmd.read.structured",
	Doc: "answers NBD_CMD_READ by a simple reply although structured replies were negotiated",
	Hooks: onRead(1, func(x *server.Exchange) {
		x.Replies = []server.Message{{Simple: wire.SimpleReply{Cookie: x.Request.Cookie}, Data: x.Content()}}
	}),
})

// ReadErrorSimple answers failed reads by simple replies in spite of structured replies.
var ReadErrorSimple = register(Quirk{
	Name: "read-error-simple", Breaks: "cmd.read.structured",
	Doc: "answers a failed NBD_CMD_READ by a simple reply although structured replies were negotiated",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Is(wire.CmdRead) {
			simple(x)
		}
	}),
})

// simple replaces a reply by a simple one with the same error.
func simple(x *server.Exchange) {
	x.Replies = []server.Message{{Simple: wire.SimpleReply{Error: x.Err(), Cookie: x.Request.Cookie}}}
}

// ReadErrorWithPayload sends data behind the error of a simple reply.
var ReadErrorWithPayload = register(Quirk{
	Name: "read-error-with-payload", Breaks: "cmd.read.simple.error.no-payload",
	Doc: "sends as many zeroes as were asked for behind a simple reply that says that the read failed",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Is(wire.CmdRead) && !x.Session.Structured {
			x.Replies[0].Data = make([]byte, min(x.Request.Length, 1<<20))
		}
	}),
})

// ReadCutShort hangs up in the middle of the data.
var ReadCutShort = register(Quirk{
	Name: "read-cut-short", Breaks: "trans.end.unjustified.server",
	Doc: "hangs up behind the first half of the reply to a read of at least 2 bytes",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Err() == wire.OK && x.Request.Length >= 2 {
			x.Truncate, x.Hangup = len(x.Bytes())/2, true
		}
	}),
})

// ReadWrongData flips a bit of what was written.
var ReadWrongData = register(Quirk{
	Name: "read-wrong-data", Breaks: "baseline.server.read",
	Doc: "flips a bit of the last byte of data in a reply to NBD_CMD_READ",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		for _, m := range x.Replies {
			if n := len(m.Data); n > 0 {
				m.Data[n-1] ^= 1
			}
		}
		x.EachChunk(wire.ChunkOffsetData, func(c *wire.Chunk) { c.Payload[len(c.Payload)-1] ^= 1 })
	}),
})

// ReadUnanswered never answers a read.
var ReadUnanswered = register(Quirk{
	Name: "read-unanswered", Breaks: "baseline.server.read",
	Doc:   "never answers NBD_CMD_READ",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) { x.Silent = true }),
})

// ReadZeroLengthHangup hangs up on reads of nothing.
var ReadZeroLengthHangup = register(Quirk{
	Name: "read-zero-length-hangup", Breaks: "cmd.read.zero-length.stay",
	Doc:   "hangs up on a read of 0 bytes",
	Hooks: onZeroLength(wire.CmdRead, hangup),
})

// onZeroLength makes hooks that change the reply to a request for nothing.
func onZeroLength(c wire.Command, f func(*server.Exchange)) server.Hooks {
	return onReply(c, func(x *server.Exchange) {
		if x.Request.Length == 0 {
			f(x)
		}
	})
}

// ReadNeverDone leaves NBD_REPLY_FLAG_DONE out.
var ReadNeverDone = register(Quirk{
	Name: "read-never-done", Breaks: "chunk.flag.done-last",
	Doc: "leaves NBD_REPLY_FLAG_DONE out of the last chunk of a read",
	Hooks: onRead(1, func(x *server.Exchange) {
		x.Replies[len(x.Replies)-1].Chunk.Flags = 0
	}),
})

// ReadDoneTwice sets NBD_REPLY_FLAG_DONE in every chunk.
var ReadDoneTwice = register(Quirk{
	Name: "read-done-twice", Breaks: "chunk.flag.done-clear",
	Doc: "splits reads in two chunks, both with NBD_REPLY_FLAG_DONE",
	Hooks: onRead(2, func(x *server.Exchange) {
		halve(x)
		x.Replies[0].Chunk.Flags = wire.ReplyFlagDone
	}),
})

// ReadChunkAfterDone sends another chunk behind the final one.
var ReadChunkAfterDone = register(Quirk{
	Name: "read-chunk-after-done", Breaks: "chunk.flag.done-clear",
	Doc: "sends NBD_REPLY_TYPE_NONE behind the final chunk of a read",
	Hooks: onRead(1, func(x *server.Exchange) {
		none := x.Chunk(wire.ChunkNone, nil)
		none.Chunk.Flags = wire.ReplyFlagDone
		x.Replies = append(x.Replies, none)
	}),
})

// ChunkFlagUnknown sets a chunk flag that nobody defined.
var ChunkFlagUnknown = register(Quirk{
	Name: "chunk-flag-unknown", Breaks: "chunk.flag.unknown",
	Doc: "sets bit 7 of the flags of every chunk",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		for i := range x.Replies {
			x.Replies[i].Chunk.Flags |= 1 << 7
		}
	}},
})

// ChunkTypeUnknown sends a chunk of a type that nobody defined.
var ChunkTypeUnknown = register(Quirk{
	Name: "chunk-type-unknown", Breaks: "layout.chunk.type",
	Doc:   "sends a chunk of type 77 ahead of the reply to a read",
	Hooks: onRead(1, func(x *server.Exchange) { insert(x, x.Chunk(77, []byte("hello"))) }),
})

// NoneWithoutDone sends NBD_REPLY_TYPE_NONE in the middle of a reply.
var NoneWithoutDone = register(Quirk{
	Name: "none-without-done", Breaks: "chunk.none.done",
	Doc:   "sends NBD_REPLY_TYPE_NONE without NBD_REPLY_FLAG_DONE ahead of the reply to a read",
	Hooks: onRead(1, func(x *server.Exchange) { insert(x, x.Chunk(wire.ChunkNone, nil)) }),
})

// NoneWithPayload sends NBD_REPLY_TYPE_NONE with a payload.
var NoneWithPayload = register(Quirk{
	Name: "none-with-payload", Breaks: "chunk.none.length",
	Doc: "puts four bytes into NBD_REPLY_TYPE_NONE",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		x.EachChunk(wire.ChunkNone, func(c *wire.Chunk) { c.Payload = make([]byte, 4) })
	}},
})

// DataChunkEmpty sends a chunk of no data.
var DataChunkEmpty = register(Quirk{
	Name: "data-chunk-empty", Breaks: "chunk.offset-data.length",
	Doc:   "sends NBD_REPLY_TYPE_OFFSET_DATA of no data ahead of the reply to a read",
	Hooks: onRead(1, func(x *server.Exchange) { insert(x, x.DataChunk(x.Request.Offset, nil)) }),
})

// DataChunkOutOfBounds sends more data than was asked for.
var DataChunkOutOfBounds = register(Quirk{
	Name: "data-chunk-out-of-bounds", Breaks: "chunk.offset-data.bounds",
	Doc: "sends 512 bytes of data from behind the range that was asked for",
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

// HoleChunkEmpty sends a hole of nothing.
var HoleChunkEmpty = register(Quirk{
	Name: "hole-chunk-empty", Breaks: "chunk.offset-hole.nonzero",
	Doc:   "sends a hole of 0 bytes ahead of the reply to a read",
	Hooks: onRead(1, func(x *server.Exchange) { insert(x, x.HoleChunk(x.Request.Offset, 0)) }),
})

// HoleChunkLong sends holes with something behind their size.
var HoleChunkLong = register(Quirk{
	Name: "hole-chunk-long", Breaks: "chunk.offset-hole.length",
	Doc: "sends NBD_REPLY_TYPE_OFFSET_HOLE with a length of 16",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		x.EachChunk(wire.ChunkOffsetHole, func(c *wire.Chunk) { c.Payload = append(c.Payload[:12:12], 0, 0, 0, 0) })
	}),
})

// HoleChunkOutOfBounds sends a hole from behind the range that was asked for.
var HoleChunkOutOfBounds = register(Quirk{
	Name: "hole-chunk-out-of-bounds", Breaks: "chunk.offset-hole.bounds",
	Doc: "sends a hole of 512 bytes from behind the range that was asked for",
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

// ReadIncomplete says that it is done before it has sent everything.
var ReadIncomplete = register(Quirk{
	Name: "read-incomplete", Breaks: "cmd.read.cover",
	Doc: "does not send the last byte of a read of at least 2 bytes, and reports success",
	Hooks: onRead(2, func(x *server.Exchange) {
		data := x.Content()
		x.Chunks(x.DataChunk(x.Request.Offset, data[:len(data)-1]))
	}),
})

// ReadChunksUnaligned splits reads wherever it likes.
var ReadChunksUnaligned = register(Quirk{
	Name: "read-chunks-unaligned", Breaks: "cmd.read.chunk-alignment",
	Doc: "splits reads of more than 100 bytes behind the hundredth",
	Hooks: onRead(101, func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagDF == 0 {
			data, off := x.Content(), x.Request.Offset
			x.Chunks(x.DataChunk(off, data[:100]), x.DataChunk(off+100, data[100:]))
		}
	}),
})

// onDF makes hooks that change successful replies to unfragmented reads.
func onDF(f func(*server.Exchange)) server.Hooks {
	return onRead(2, func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagDF != 0 {
			f(x)
		}
	})
}

// DFFragmented splits reads that must not be split.
var DFFragmented = register(Quirk{
	Name: "df-fragmented", Breaks: "cmdflag.df.one-content",
	Doc:   "sends two chunks of data in spite of NBD_CMD_FLAG_DF",
	Hooks: onDF(halve),
})

// DFOverflowEarly refuses unfragmented reads that must work.
var DFOverflowEarly = register(Quirk{
	Name: "df-overflow-early", Breaks: "cmdflag.df.minimum",
	Doc: "answers NBD_EOVERFLOW to reads of more than 32768 bytes with NBD_CMD_FLAG_DF",
	Hooks: onDF(func(x *server.Exchange) {
		if x.Request.Length > 32<<10 {
			x.Fail(wire.EOVERFLOW, "too long to send in one piece")
		}
	}),
})

// DFOverflowWithContent refuses unfragmented reads and sends content all the same.
var DFOverflowWithContent = register(Quirk{
	Name: "df-overflow-with-content", Breaks: "cmdflag.df.eoverflow.no-content",
	Doc: "sends a hole and NBD_EOVERFLOW in reply to reads of more than 65536 bytes with NBD_CMD_FLAG_DF",
	Hooks: onDF(func(x *server.Exchange) {
		if x.Request.Length > wire.UnfragmentedRead {
			x.Fail(wire.EOVERFLOW, "too long to send in one piece")
			insert(x, x.HoleChunk(x.Request.Offset, 512))
		}
	}),
})

// DFHole calls the whole of an unfragmented read a hole if it begins with one.
var DFHole = register(Quirk{
	Name: "df-hole", Breaks: "cmdflag.df.data",
	Doc: "sends one hole for a read with NBD_CMD_FLAG_DF whose first byte is zero",
	Hooks: onDF(func(x *server.Exchange) {
		if x.Content()[0] == 0 {
			x.Chunks(x.HoleChunk(x.Request.Offset, uint32(x.Request.Length)))
		}
	}),
})

// ChunkOverMaximum sends chunks that are longer than it told the client.
var ChunkOverMaximum = register(Quirk{
	Name: "chunk-over-maximum", Breaks: "chunk.max-payload",
	Doc:   "advertises a maximum payload size of 2^20 and sends longer chunks",
	Hooks: onConstraints(func(c *wire.SizeConstraints) { c.MaxPayload = 1 << 20 }),
})
