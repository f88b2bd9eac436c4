package serverquirk

import (
	"slices"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ChunksDescending sends the chunks of a read from the end to the start.
var ChunksDescending = register(Quirk{
	Name: "chunks-descending", Allowed: true, Permitted: []string{"trans.structured.order", "cmd.read.any-order"},
	Doc: "sends the chunks of a read in descending order of offsets",
	Hooks: onRead(1, func(x *server.Exchange) {
		slices.Reverse(x.Replies)
		x.Done()
	}),
})

// ChunksTiny sends reads in chunks of 512 bytes.
var ChunksTiny = register(Quirk{
	Name: "chunks-tiny", Allowed: true, Permitted: []string{"trans.structured.several", "chunk.offset-data.repeat", "cmd.read.split"},
	Doc: "splits reads of up to 1 MiB in chunks of 512 bytes",
	Hooks: onRead(513, func(x *server.Exchange) {
		if x.Request.Length > 1<<20 || x.Request.Flags&wire.CmdFlagDF != 0 {
			return
		}
		data, off := x.Content(), x.Request.Offset
		var list []server.Message
		for len(data) > 0 {
			n := min(512-off%512, uint64(len(data)))
			list = append(list, x.DataChunk(off, data[:n]))
			data, off = data[n:], off+n
		}
		x.Chunks(list...)
	}),
})

// NoneAtTheEnd ends every read by NBD_REPLY_TYPE_NONE.
var NoneAtTheEnd = register(Quirk{
	Name: "none-at-the-end", Allowed: true, Permitted: []string{"cmdflag.df.other-chunks"},
	Doc: "ends every structured reply by NBD_REPLY_TYPE_NONE",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		n := len(x.Replies)
		if n > 0 && x.Replies[n-1].Structured && x.Replies[n-1].Chunk.Type != wire.ChunkNone {
			x.Replies = append(x.Replies, x.Chunk(wire.ChunkNone, nil))
			x.Done()
		}
	}},
})

// HolesAsData sends holes as data.
var HolesAsData = register(Quirk{
	Name: "holes-as-data", Allowed: true,
	Doc: "sends every read as one chunk of data",
	Hooks: onRead(1, func(x *server.Exchange) {
		x.Chunks(x.DataChunk(x.Request.Offset, x.Content()))
	}),
})

// SimpleUnlessRead uses structured replies for nothing but what needs them.
var SimpleUnlessRead = register(Quirk{
	Name: "simple-unless-read", Allowed: true,
	Doc: "answers everything without a payload that succeeds, but reads, by simple replies",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		if len(x.Replies) == 1 && x.Replies[0].Chunk.Type == wire.ChunkNone && x.Replies[0].Structured && !x.Session.Extended &&
			!x.Is(wire.CmdRead, wire.CmdBlockStatus) {
			simple(x)
		}
	}},
})

// DFOverflow refuses to send more than 64 KiB in one piece.
var DFOverflow = register(Quirk{
	Name: "df-overflow", Allowed: true, Permitted: []string{"cmdflag.df.eoverflow"},
	Doc: "answers NBD_EOVERFLOW to reads of more than 65536 bytes with NBD_CMD_FLAG_DF",
	Hooks: onDF(func(x *server.Exchange) {
		if x.Request.Length > wire.UnfragmentedRead {
			x.Fail(wire.EOVERFLOW, "too long to send in one piece")
		}
	}),
})

// ChunksFull puts as much into a chunk as goes into one.
var ChunksFull = register(Quirk{
	Name: "chunks-full", Allowed: true, Permitted: []string{"size.max-payload.overhead"},
	Doc: "advertises a maximum payload size of 2^20 and sends reads of that size as one chunk, with eight bytes of offset before the data",
	Config: func(c *server.Config) {
		c.Exports[0].Constraints = wire.SizeConstraints{Minimum: 1, Preferred: 4096, MaxPayload: 1 << 20}
	},
	Hooks: onRead(1<<20, func(x *server.Exchange) {
		if x.Request.Length == 1<<20 {
			x.Chunks(x.DataChunk(x.Request.Offset, x.Content()))
		}
	}),
})

// pieces calls f for what was read, cut at multiples of 512 bytes.
func pieces(x *server.Exchange, f func(i int, data []byte, off uint64)) {
	data, off := x.Content(), x.Request.Offset
	for i := 0; len(data) > 0; i++ {
		n := min(512-off%512, uint64(len(data)))
		f(i, data[:n], off)
		data, off = data[n:], off+n
	}
}

// ChunksShuffled sends the chunks of a read in no order at all.
var ChunksShuffled = register(Quirk{
	Name: "chunks-shuffled", Allowed: true,
	Doc: "splits reads of up to 1 MiB in chunks of 512 bytes, and sends the second, the fourth and so on before the others",
	Hooks: onRead(513, func(x *server.Exchange) {
		if x.Request.Length > 1<<20 || x.Request.Flags&wire.CmdFlagDF != 0 {
			return
		}
		var early, late []server.Message
		pieces(x, func(i int, data []byte, off uint64) {
			if i%2 == 1 {
				early = append(early, x.DataChunk(off, data))
			} else {
				late = append(late, x.DataChunk(off, data))
			}
		})
		x.Chunks(append(early, late...)...)
	}),
})
