package judge

import (
	"slices"

	"nbdconform/reference/wire"
)

var replyTrips = []trip{
	{"reply has another magic number", []string{"server layout.reply.magic"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(read(512))
		if bad {
			c.server([]byte{0x96, 0x74, 0x46, 0x68})
			return
		}
		c.simple(1, 0, 512)
		c.disc()
	}},
	{"reply has another magic number under structured replies", []string{"server layout.reply.magic"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		if bad {
			c.server([]byte{0x96, 0x74, 0x46, 0x68})
			return
		}
		c.data(done, 1, 0, 512)
		c.disc()
	}},
	{"chunk was not negotiated", []string{"server trans.structured.unnegotiated"}, func(c *conversation, bad bool) {
		if bad {
			c.plain(all)
		} else {
			c.fragments(all)
		}
		c.ask(read(512))
		c.data(done, 1, 0, 512)
		c.disc()
	}},
	{"extended chunk was not negotiated", []string{"server layout.reply.magic"}, func(c *conversation, bad bool) {
		if bad {
			c.fragments(all)
			c.ask(read(512))
			c.server(wire.Chunk{Flags: done, Type: wire.ChunkError, Cookie: 1, Payload: wire.ErrorChunk{Error: wire.EIO}.Append(nil)}.AppendExtended(nil))
			c.disc()
		}
	}},
	{"cookie of a reply is nobody's", []string{"server trans.cookie.echo"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(read(512))
		c.simple(pick[uint64](bad, 2, 1), 0, 512)
		c.disc()
	}},
	{"cookie of a chunk is nobody's", []string{"server trans.cookie.echo"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		c.data(done, pick[uint64](bad, 1<<32+1, 1), 0, 512)
		c.disc()
	}},
	{"request is answered twice", []string{"server trans.cookie.echo"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(read(512))
		c.simple(1, 0, 512)
		if bad {
			c.simple(1, 0, 512)
		}
		c.disc()
	}},
	{"reply comes before any request", []string{"server trans.cookie.echo"}, func(c *conversation, bad bool) {
		c.plain(all)
		if bad {
			c.simple(0, 0, 0)
		}
		c.disc()
	}},
	{"replies come out of order", nil, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(read(512))
		c.ask(wire.Request{Type: wire.CmdRead, Cookie: 2, Length: 1024})
		c.simple(2, 0, 1024)
		c.simple(1, 0, 512)
		c.disc()
	}},
	{"read gets a simple reply", []string{"server cmd.read.structured"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		if bad {
			c.simple(1, 0, 512)
		} else {
			c.data(done, 1, 0, 512)
		}
		c.disc()
	}},
	{"failed read gets a simple reply", []string{"server cmd.read.structured"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(pick(bad, read(512), write(512)))
		c.simple(1, wire.EIO, 0)
		c.disc()
	}},
	{"block status gets a simple reply", []string{"server cmd.block-status.structured"}, func(c *conversation, bad bool) {
		c.contexts(all)
		c.ask(command(wire.CmdBlockStatus, 0, 0, 512))
		c.simple(1, pick(bad, wire.OK, wire.EIO), 0)
		c.disc()
	}},
	{"disconnect is answered", []string{"server layout.disc.no-reply"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(wire.Request{Type: wire.CmdDisc, Cookie: 5})
		if bad {
			c.simple(5, 0, 0)
		}
		c.serverCloses()
	}},
	{"disconnect with an unknown flag is answered", []string{"client cmdflag.documented"}, func(c *conversation, bad bool) {
		c.plain(all)
		if bad {
			c.ask(wire.Request{Type: wire.CmdDisc, Cookie: 5, Flags: 1 << 15})
			c.simple(5, wire.EINVAL, 0)
		}
		c.serverCloses()
	}},
	{"disconnect leaves a read without a final chunk", []string{
		"client trans.end.soft.inflight", "server chunk.flag.done-last", "server cmd.disc.outstanding",
	}, func(c *conversation, bad bool) {
		c.fragments(all)
		if bad {
			c.ask(read(512))
			c.ask(wire.Request{Type: wire.CmdDisc, Cookie: 5})
			c.data(0, 1, 0, 512)
			c.serverCloses()
		}
	}},
	{"server goes on after a disconnect", []string{"server cmd.disc.close"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(wire.Request{Type: wire.CmdDisc, Cookie: 5})
		if bad {
			c.simple(6, wire.ESHUTDOWN, 0)
		}
		c.serverCloses()
	}},
	{"extended headers are followed", nil, func(c *conversation, bad bool) {
		c.hello()
		c.extended()
		c.enter(allDF)
		c.client(read(512).AppendExtended(nil))
		c.server(wire.Chunk{Flags: done, Type: wire.ChunkOffsetData, Cookie: 1, Payload: wire.OffsetData{Data: make([]byte, 512)}.Append(nil)}.AppendExtended(nil))
		w := append(command(wire.CmdWrite, wire.CmdFlagPayloadLen, 0, 512).AppendExtended(nil), make([]byte, 512)...)
		c.client(w)
		c.server(wire.Chunk{Flags: done, Type: wire.ChunkNone, Cookie: 1}.AppendExtended(nil))
		c.client(wire.Request{Type: wire.CmdDisc}.AppendExtended(nil))
		c.serverCloses()
	}},
}

var chunkTrips = []trip{
	{"chunk is of no known type", []string{"server layout.chunk.type"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		if bad {
			c.chunk(99, 0, 1, []byte("whatever"))
		}
		c.data(done, 1, 0, 512)
		c.disc()
	}},
	{"error chunk is of no known type", nil, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		c.chunk(1<<15+99, done, 1, wire.ErrorChunk{Error: wire.EIO, Rest: []byte("more")}.Append(nil))
		c.disc()
	}},
	{"write gets data", []string{"server layout.chunk.type"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(pick(bad, write(512), read(512)))
		c.data(done, 1, 0, 512)
		c.disc()
	}},
	{"read gets block status", []string{"server layout.chunk.type"}, func(c *conversation, bad bool) {
		c.contexts(all)
		c.ask(read(512))
		if bad {
			c.status(done, 1, 7, extent(512, 0))
		} else {
			c.hole(done, 1, 0, 512)
		}
		c.disc()
	}},
	{"chunk flag is undefined", []string{"server chunk.flag.unknown"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(write(512))
		c.chunk(wire.ChunkNone, done|pick[wire.ReplyFlags](bad, 2, 0), 1, nil)
		c.disc()
	}},
	{"chunk follows the last one", []string{"server chunk.flag.done-clear"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		c.data(pick(bad, done, 0), 1, 0, 512)
		c.none(1)
		c.disc()
	}},
	{"simple reply ends a structured one", []string{"server chunk.flag.done-last"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(write(512))
		c.fails(pick(bad, 0, done), 1, wire.EIO)
		if bad {
			c.simple(1, wire.EIO, 0)
		}
		c.disc()
	}},
	{"chunk exceeds the maximum payload size", []string{"server chunk.max-payload"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.enterSized(all, 1<<22, small)
		c.ask(read(1<<20 + 512))
		if bad {
			c.data(done, 1, 0, 1<<20+512)
		} else {
			c.data(0, 1, 0, 1<<20)
			c.data(done, 1, 1<<20, 512)
		}
		c.disc()
	}},
	{"NBD_REPLY_TYPE_NONE has a payload", []string{"server chunk.none.length"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(write(512))
		c.chunk(wire.ChunkNone, done, 1, make([]byte, pick(bad, 1, 0)))
		c.disc()
	}},
	{"NBD_REPLY_TYPE_NONE is not the last", []string{"server chunk.none.done"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(write(512))
		if bad {
			c.chunk(wire.ChunkNone, 0, 1, nil)
		}
		c.none(1)
		c.disc()
	}},
	{"error chunk is short", []string{"server chunk.error.length"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(write(512))
		c.chunk(wire.ChunkError, done, 1, wire.ErrorChunk{Error: wire.EIO}.Append(nil)[:pick(bad, 5, 6)])
		c.disc()
	}},
	{"error chunk has no room for its message", []string{"server chunk.error.length"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(write(512))
		c.chunk(wire.ChunkError, done, 1, []byte{0, 0, 0, 5, 0, pick[byte](bad, 3, 2), 'n', 'o'})
		c.disc()
	}},
	{"message is too long", []string{"server chunk.error.message-length"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(write(512))
		c.chunk(wire.ChunkError, done, 1, wire.ErrorChunk{Error: wire.EIO, Message: string(slices.Repeat([]byte("x"), pick(bad, 4097, 256)))}.Append(nil))
		c.disc()
	}},
	{"error is zero", []string{"server chunk.error.nonzero"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(write(512))
		c.fails(done, 1, pick(bad, wire.OK, wire.EIO))
		c.disc()
	}},
	{"error comes twice", []string{"server chunk.error.once"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(write(512))
		if bad {
			c.fails(0, 1, wire.EIO)
		}
		c.fails(done, 1, wire.EIO)
		c.disc()
	}},
	{"error without offset joins one with offset", []string{"server chunk.error.mixed"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		c.failsAt(0, 1, wire.EIO, 0)
		if bad {
			c.fails(done, 1, wire.EIO)
		} else {
			c.none(1)
		}
		c.disc()
	}},
	{"error with offset is short", []string{"server chunk.error-offset.length"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		b := wire.ErrorOffset(wire.EIO, "no", 0).Append(nil)
		c.chunk(wire.ChunkErrorOffset, done, 1, b[:len(b)-pick(bad, 1, 0)])
		c.disc()
	}},
	{"error with offset is zero", []string{"server chunk.error-offset.nonzero"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		c.failsAt(done, 1, pick(bad, wire.OK, wire.EIO), 0)
		c.disc()
	}},
	{"error is beyond the request", []string{"server chunk.error-offset.bounds"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		c.failsAt(done, 1, wire.EIO, pick[uint64](bad, 512, 511))
		c.disc()
	}},
	{"flush fails at an offset", []string{"server chunk.error-offset.bounds"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(command(wire.CmdFlush, 0, 0, 0))
		if bad {
			c.failsAt(done, 1, wire.EIO, 0)
		} else {
			c.fails(done, 1, wire.EIO)
		}
		c.disc()
	}},
	{"two errors are at one offset", []string{"server chunk.error-offset.same-offset"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		c.failsAt(0, 1, wire.EIO, 7)
		c.failsAt(done, 1, wire.EIO, pick[uint64](bad, 7, 8))
		c.disc()
	}},
	{"two errors are in one content chunk", []string{"server chunk.error-offset.within-content"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(1024))
		c.data(0, 1, 0, 512)
		c.data(0, 1, 512, 512)
		c.failsAt(0, 1, wire.EIO, 7)
		c.failsAt(done, 1, wire.EIO, pick[uint64](bad, 8, 700))
		c.disc()
	}},
}

var readTrips = []trip{
	{"data chunk is empty", []string{"server chunk.offset-data.length"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		if bad {
			c.data(0, 1, 0, 0)
		}
		c.data(done, 1, 0, 512)
		c.disc()
	}},
	{"data is beyond the request", []string{"server chunk.offset-data.bounds"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(1024))
		c.data(0, 1, 0, 1024)
		if bad {
			c.data(0, 1, 1024, 1)
		}
		c.none(1)
		c.disc()
	}},
	{"data is ahead of the request", []string{"server chunk.offset-data.bounds"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(command(wire.CmdRead, 0, 512, 512))
		if bad {
			c.data(0, 1, 0, 512)
		}
		c.data(done, 1, 512, 512)
		c.disc()
	}},
	{"data overlaps data", []string{"server chunk.offset-data.overlap"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(1024))
		c.data(0, 1, 512, 512)
		c.data(0, 1, 0, 512)
		if bad {
			c.data(0, 1, 511, 2)
		}
		c.none(1)
		c.disc()
	}},
	{"hole is short", []string{"server chunk.offset-hole.length"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		if bad {
			c.chunk(wire.ChunkOffsetHole, 0, 1, make([]byte, 11))
		}
		c.hole(done, 1, 0, 512)
		c.disc()
	}},
	{"hole is empty", []string{"server chunk.offset-hole.nonzero"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		if bad {
			c.hole(0, 1, 0, 0)
		}
		c.hole(done, 1, 0, 512)
		c.disc()
	}},
	{"hole is beyond the request", []string{"server chunk.offset-hole.bounds"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		c.data(0, 1, 0, 512)
		if bad {
			c.hole(0, 1, 0, 513)
		}
		c.none(1)
		c.disc()
	}},
	{"hole overlaps data", []string{"server chunk.offset-hole.overlap"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(1024))
		c.data(0, 1, 0, 512)
		if bad {
			c.hole(0, 1, 256, 512)
		}
		c.hole(done, 1, 512, 512)
		c.disc()
	}},
	{"read is not covered", []string{"server cmd.read.cover"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(1024))
		c.data(0, 1, 512, 512)
		if !bad {
			c.hole(0, 1, 0, 512)
		}
		c.none(1)
		c.disc()
	}},
	{"failed read is not covered", nil, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(1024))
		c.data(0, 1, 512, 512)
		c.failsAt(done, 1, wire.EIO, 0)
		c.disc()
	}},
	{"content comes behind the error in it", []string{"server cmd.read.content-before-error"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(1024))
		c.failsAt(0, 1, wire.EIO, 100)
		c.data(done, 1, pick[uint64](bad, 0, 512), 512)
		c.disc()
	}},
	{"unfragmented read is fragmented", []string{"server cmdflag.df.one-content"}, func(c *conversation, bad bool) {
		c.fragments(allDF)
		c.ask(command(wire.CmdRead, pick(bad, wire.CmdFlagDF, 0), 0, 1024))
		c.data(0, 1, 0, 512)
		c.hole(done, 1, 512, 512)
		c.disc()
	}},
	{"unfragmented read is too long and has content", []string{"server cmdflag.df.eoverflow.no-content"}, func(c *conversation, bad bool) {
		c.fragments(allDF)
		c.ask(command(wire.CmdRead, wire.CmdFlagDF, 0, 1<<17))
		if bad {
			c.data(0, 1, 0, 512)
		}
		c.fails(done, 1, wire.EOVERFLOW)
		c.disc()
	}},
	{"unfragmented read is called too long and is not", []string{"server cmdflag.df.minimum"}, func(c *conversation, bad bool) {
		c.fragments(allDF)
		c.ask(command(wire.CmdRead, wire.CmdFlagDF, 0, pick[uint64](bad, 1<<16, 1<<16+1)))
		c.fails(done, 1, wire.EOVERFLOW)
		c.disc()
	}},
}

// statuses is a conversation about one block status request for 4096 bytes at
// 4096, with the chunks for context 7; context 8 gets its own.
func statuses(f wire.CommandFlags, extents func(bad bool) []wire.Extent) func(*conversation, bool) {
	return func(c *conversation, bad bool) {
		c.contexts(all)
		c.ask(command(wire.CmdBlockStatus, f, 4096, 4096))
		c.status(0, 1, 7, extents(bad)...)
		c.status(done, 1, 8, extent(4096, 0xffff))
		c.disc()
	}
}

var statusTrips = []trip{
	{"block status is cut", []string{"server chunk.block-status.length"}, func(c *conversation, bad bool) {
		c.contexts(all)
		c.ask(command(wire.CmdBlockStatus, 0, 0, 4096))
		b := wire.BlockStatus{ContextID: 7, Extents: []wire.Extent{extent(512, 0), extent(512, 1)}}.Append(nil)
		c.chunk(wire.ChunkBlockStatus, 0, 1, b[:len(b)-pick(bad, 3, 0)])
		c.status(done, 1, 8, extent(4096, 0))
		c.disc()
	}},
	{"block status is empty", []string{"server chunk.block-status.at-least-one"}, func(c *conversation, bad bool) {
		c.contexts(all)
		c.ask(command(wire.CmdBlockStatus, 0, 0, 4096))
		c.status(0, 1, 8, extent(4096, 0))
		if bad {
			c.status(0, 1, 7)
		}
		c.status(done, 1, 7, extent(4096, 0))
		c.disc()
	}},
	{"block status leaves a context out", []string{"server chunk.block-status.per-context"}, func(c *conversation, bad bool) {
		c.contexts(all)
		c.ask(command(wire.CmdBlockStatus, 0, 0, 4096))
		c.status(pick(bad, done, 0), 1, 8, extent(4096, 0))
		if !bad {
			c.status(done, 1, 7, extent(4096, 0))
		}
		c.disc()
	}},
	{"block status tells a context twice", []string{"server chunk.block-status.per-context"}, func(c *conversation, bad bool) {
		c.contexts(all)
		c.ask(command(wire.CmdBlockStatus, 0, 0, 4096))
		c.status(0, 1, 8, extent(4096, 0))
		if bad {
			c.status(0, 1, 7, extent(512, 0))
		}
		c.status(done, 1, 7, extent(4096, 0))
		c.disc()
	}},
	{"block status tells an unselected context", []string{"server chunk.block-status.per-context"}, func(c *conversation, bad bool) {
		c.contexts(all)
		c.ask(command(wire.CmdBlockStatus, 0, 0, 4096))
		c.status(0, 1, 7, extent(4096, 0))
		c.status(done, 1, pick[uint32](bad, 9, 8), extent(4096, 0))
		c.disc()
	}},
	{"extent is empty", []string{"server chunk.block-status.extent-nonzero"}, statuses(0, func(bad bool) []wire.Extent {
		return []wire.Extent{extent(512, 0), extent(pick[uint64](bad, 0, 512), 1)}
	})},
	{"extents go on behind the request", []string{"server chunk.block-status.sum"}, statuses(0, func(bad bool) []wire.Extent {
		return []wire.Extent{extent(2048, 0), extent(pick[uint64](bad, 2048, 2047), 1), extent(1<<20, 0)}
	})},
	{"extents are many", []string{"server chunk.block-status.max-extents"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.opt(wire.OptSetMetaContext, meta("disk", "base:allocation"))
		c.context(wire.OptSetMetaContext, 7, "base:allocation")
		c.ack(wire.OptSetMetaContext)
		c.opt(wire.OptGo, info("disk"))
		c.export(wire.OptGo, 1<<40, all)
		c.ack(wire.OptGo)
		c.ask(command(wire.CmdBlockStatus, 0, 0, 1<<22))
		c.status(done, 1, 7, slices.Repeat([]wire.Extent{extent(1, 0)}, pick(bad, 1<<20+1, 1<<20))...)
		c.disc()
	}},
	{"extent is no multiple of the minimum block size", []string{"server cmd.block-status.multiple-of-minimum"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.opt(wire.OptSetMetaContext, meta("disk", "base:allocation"))
		c.context(wire.OptSetMetaContext, 7, "base:allocation")
		c.ack(wire.OptSetMetaContext)
		c.enterSized(all, size, small)
		c.ask(command(wire.CmdBlockStatus, 0, 0, 4096))
		c.status(done, 1, 7, extent(pick[uint64](bad, 100, 512), 0))
		c.disc()
	}},
	{"status has reserved flags", []string{"server meta.allocation.reserved"}, statuses(0, func(bad bool) []wire.Extent {
		return []wire.Extent{extent(4096, pick[uint64](bad, 4, 3))}
	})},
	{"one extent is asked for and two come", []string{"server cmdflag.req-one.one-extent"}, func(c *conversation, bad bool) {
		statuses(pick(bad, wire.CmdFlagReqOne, 0), func(bool) []wire.Extent { return []wire.Extent{extent(512, 0), extent(512, 1)} })(c, bad)
	}},
	{"one extent is asked for and is long", []string{"server cmdflag.req-one.length"}, statuses(wire.CmdFlagReqOne, func(bad bool) []wire.Extent {
		return []wire.Extent{extent(pick[uint64](bad, 4097, 4096), 0)}
	})},
}

// answers is a conversation about one request with a simple reply.
func answers(f wire.TransmissionFlags, q wire.Request, yes, no wire.Errno) func(*conversation, bool) {
	return func(c *conversation, bad bool) {
		c.plain(f)
		c.ask(q)
		c.simple(1, pick(bad, yes, no), 0)
		c.disc()
	}
}

// provoked is like answers, but the request itself is wrong, and bad leaves it out.
func provoked(f wire.TransmissionFlags, q wire.Request, e wire.Errno) func(*conversation, bool) {
	return func(c *conversation, bad bool) {
		c.hello()
		if q.Type == wire.CmdBlockStatus {
			c.structured()
		}
		c.enterSized(f, size, small)
		if bad {
			c.ask(q)
			c.simple(1, e, 0)
		}
		c.disc()
	}
}

var errorTrips = []trip{
	{"write succeeds on a read-only export", []string{"server flag.transmission.read-only.writes"}, answers(all|wire.FlagReadOnly, write(512), wire.OK, wire.EPERM)},
	{"write fails otherwise on a read-only export", []string{"server err.write.read-only"}, answers(all|wire.FlagReadOnly, write(512), wire.EIO, wire.EPERM)},
	{"trim fails otherwise on a read-only export", []string{"server err.trim.read-only"}, answers(all|wire.FlagReadOnly, command(wire.CmdTrim, 0, 0, 512), wire.EINVAL, wire.EPERM)},
	{"write of zeroes fails otherwise on a read-only export", []string{"server cmd.write-zeroes.read-only"}, answers(all|wire.FlagReadOnly, command(wire.CmdWriteZeroes, 0, 0, 512), wire.EINVAL, wire.ESHUTDOWN)},
	{"read beyond the end fails otherwise", []string{"client size.bounds.client", "server err.read.bounds"}, provoked(all, command(wire.CmdRead, 0, size, 512), wire.EIO)},
	{"write beyond the end succeeds", []string{"client size.bounds.client", "server cmd.write-zeroes.bounds"}, provoked(all, command(wire.CmdWriteZeroes, 0, size, 512), wire.OK)},
	{"write beyond the end fails otherwise", []string{"client size.bounds.client", "server err.write.bounds"}, provoked(all, command(wire.CmdWrite, 0, size, 512), wire.EIO)},
	{"write beyond the end fails as it may", []string{"client size.bounds.client"}, provoked(all, command(wire.CmdWrite, 0, size, 512), wire.EINVAL)},
	{"trim beyond the end succeeds", []string{"client size.bounds.client", "server err.trim.bounds"}, provoked(all, command(wire.CmdTrim, 0, size, 512), wire.OK)},
	{"cache beyond the end succeeds", []string{"client size.bounds.client", "server size.bounds.cache"}, provoked(all, command(wire.CmdCache, 0, size, 512), wire.OK)},
	{"block status beyond the end", []string{"client size.bounds.client", "server cmd.block-status.bounds"}, func(c *conversation, bad bool) {
		c.contexts(all)
		if bad {
			c.ask(command(wire.CmdBlockStatus, 0, size, 512))
			c.fails(done, 1, wire.ENOSPC)
		}
		c.disc()
	}},
	{"unaligned read fails otherwise", []string{"client size.align.client", "server err.read.align"}, provoked(all, command(wire.CmdRead, 0, 1, 512), wire.EIO)},
	{"unaligned write succeeds", []string{"client size.align.client", "server err.write.align"}, provoked(all, command(wire.CmdWrite, 0, 1, 512), wire.OK)},
	{"unaligned trim succeeds", []string{"client size.align.client", "server size.align.server"}, provoked(all, command(wire.CmdTrim, 0, 1, 512), wire.OK)},
	{"unknown command succeeds", []string{"client baseline.client.negotiate", "server err.unknown-command"}, provoked(all, command(99, 0, 0, 512), wire.OK)},
	{"unknown flag succeeds", []string{"client cmdflag.documented", "server err.unknown-flag"}, provoked(all, command(wire.CmdTrim, 1<<9, 0, 512), wire.OK)},
	{"unknown flag of cache succeeds", []string{"client cmdflag.documented", "server cmd.cache.flags"}, provoked(all, command(wire.CmdCache, 1<<9, 0, 512), wire.OK)},
	{"flag of another command succeeds", []string{"client cmdflag.documented", "server err.inapplicable-flag"}, provoked(all, command(wire.CmdTrim, wire.CmdFlagDF, 0, 512), wire.OK)},
	{"two faults may have either error", []string{"client cmdflag.documented", "client size.bounds.client"}, provoked(all, command(wire.CmdWriteZeroes, wire.CmdFlagDF, size, 512), wire.ENOSPC)},
	{"block status without contexts fails otherwise", []string{"client cmd.block-status.needs-context", "server meta.block-status.unselected"}, provoked(all, command(wire.CmdBlockStatus, 0, 0, 512), wire.EIO)},
	{"fast zero is not advertised and succeeds", []string{"client cmdflag.fast-zero.needs-flag", "server cmd.write-zeroes.fast-zero.unadvertised"}, provoked(all, command(wire.CmdWriteZeroes, wire.CmdFlagFastZero, 0, 512), wire.OK)},
	{"NBD_EOVERFLOW is out of place", []string{"server err.eoverflow"}, answers(all, write(512), wire.EOVERFLOW, wire.EIO)},
	{"NBD_ENOTSUP is out of place", []string{"server err.enotsup"}, answers(all, write(512), wire.ENOTSUP, wire.EIO)},
	{"NBD_ENOMEM", []string{"server err.enomem"}, answers(all, write(512), wire.ENOMEM, wire.EIO)},
	{"slow zeroes are not supported", []string{"server cmd.write-zeroes.enotsup"}, answers(all|wire.FlagSendFastZero, command(wire.CmdWriteZeroes, 0, 0, 512), wire.ENOTSUP, wire.EIO)},
	{"zeroes are not supported", []string{"server cmd.write-zeroes.enotsup.unadvertised"}, answers(all, command(wire.CmdWriteZeroes, 0, 0, 512), wire.ENOTSUP, wire.EIO)},
	{"fast zeroes are too many", []string{"server cmd.write-zeroes.fast-zero.eoverflow"}, answers(all|wire.FlagSendFastZero, command(wire.CmdWriteZeroes, wire.CmdFlagFastZero, 0, 512), wire.EOVERFLOW, wire.ENOTSUP)},
}
