package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

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

// ReadHoleForData forgets that there was data.
var ReadHoleForData = register(Quirk{
	Name: "read-hole-for-data", Breaks: "baseline.server.read",
	Doc: "sends the second half of a read of at least 1024 bytes as a hole",
	Hooks: onRead(1024, func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagDF == 0 {
			data, off := x.Content(), x.Request.Offset
			half := len(data) / 2
			x.Chunks(x.DataChunk(off, data[:half]), x.HoleChunk(off+uint64(half), uint32(len(data)-half)))
		}
	}),
})

// ReadOnlyReadRefused confuses what may not be written with what may not be read.
var ReadOnlyReadRefused = register(Quirk{
	Name: "read-only-read-refused", Breaks: "baseline.server.read",
	Doc: "answers NBD_EPERM to NBD_CMD_READ on a read-only export",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Session.Flags&wire.FlagReadOnly != 0 {
			x.Fail(wire.EPERM, "the export is read-only")
		}
	}),
})

// ReadZeroLengthHangup closes the connection on reads of nothing.
var ReadZeroLengthHangup = register(Quirk{
	Name: "read-zero-length-hangup", Breaks: "cmd.read.zero-length.stay",
	Doc:   "closes the connection on a read of 0 bytes",
	Hooks: onZeroLength(wire.CmdRead, hangup),
})

// ReadUnanswered never answers a read.
var ReadUnanswered = register(Quirk{
	Name: "read-unanswered", Breaks: "baseline.server.read",
	Doc:   "never answers NBD_CMD_READ",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) { x.Silent = true }),
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

// ReadPaddedWithJunk fills a chunk that it can't fill with what is at hand.
var ReadPaddedWithJunk = register(Quirk{
	Name: "read-padded-with-junk", Breaks: "cmd.read.padding.zero",
	Doc:   "finds an error in the middle of every structured read, and goes on with a chunk of nonzero bytes",
	Hooks: onRead(2, func(x *server.Exchange) { failInside(x, 0xee) }),
})

// content replaces a reply to NBD_CMD_READ by success and this data, in the
// form that was negotiated.
func content(x *server.Exchange, data []byte) {
	if x.Session.Structured {
		x.Chunks(x.DataChunk(x.Request.Offset, data))
	} else {
		x.Replies = []server.Message{{Simple: wire.SimpleReply{Cookie: x.Request.Cookie}, Data: data}}
	}
}
