package judge

import (
	"nbdconform/reference/wire"
)

// headers is the way to extended headers.
func (c *conversation) headers(f wire.TransmissionFlags) {
	c.hello()
	c.extended()
	c.enter(f)
}

// wide is that way with base:allocation as 7 and qemu:dirty as 8.
func (c *conversation) wide(f wire.TransmissionFlags) {
	c.hello()
	c.extended()
	c.opt(wire.OptSetMetaContext, meta("disk", "base:allocation", "qemu:dirty"))
	c.context(wire.OptSetMetaContext, 7, "base:allocation")
	c.context(wire.OptSetMetaContext, 8, "qemu:dirty")
	c.ack(wire.OptSetMetaContext)
	c.enter(f)
}

const filters = allDF | wire.FlagBlockStatusPayload

func (c *conversation) xask(q wire.Request, payload ...byte) {
	c.client(append(q.AppendExtended(nil), payload...))
}

func (c *conversation) xchunk(q wire.Request, t wire.ChunkType, f wire.ReplyFlags, payload []byte) {
	c.server(wire.Chunk{Flags: f, Type: t, Cookie: q.Cookie, Offset: q.Offset, Payload: payload}.AppendExtended(nil))
}

func (c *conversation) xnone(q wire.Request) { c.xchunk(q, wire.ChunkNone, done, nil) }

func (c *conversation) xfails(q wire.Request, e wire.Errno) {
	c.xchunk(q, wire.ChunkError, done, wire.ErrorChunk{Error: e, Message: "no"}.Append(nil))
}

func (c *conversation) xstatus(q wire.Request, f wire.ReplyFlags, id uint32, extents ...wire.Extent) {
	c.xchunk(q, wire.ChunkBlockStatusExt, f, wire.BlockStatus{ContextID: id, Extents: extents}.AppendExtended(nil))
}

func (c *conversation) xdisc() {
	c.xask(wire.Request{Type: wire.CmdDisc, Cookie: 0xd15c})
	c.serverCloses()
	c.clientCloses()
}

func filter(n uint64, ids ...uint32) []byte {
	return wire.StatusFilter{Length: n, ContextIDs: ids}.Append(nil)
}

// asksFor is a request for the status of 512 bytes, with a payload of n bytes.
func asksFor(n int) wire.Request {
	return command(wire.CmdBlockStatus, wire.CmdFlagPayloadLen, 0, uint64(n))
}

// status512 asks for the status of 512 bytes from 1024 on.
var status512 = command(wire.CmdBlockStatus, 0, 1024, 512)

// oneStatus is a conversation in which one chunk for base:allocation can be wrong.
func oneStatus(payload func(bad bool) []byte) func(*conversation, bool) {
	return func(c *conversation, bad bool) {
		c.wide(allDF)
		c.xask(status512)
		c.xstatus(status512, 0, 8, extent(512, 1<<40))
		c.xchunk(status512, wire.ChunkBlockStatusExt, done, payload(bad))
		c.xdisc()
	}
}

func extents(e ...wire.Extent) []byte {
	return wire.BlockStatus{ContextID: 7, Extents: e}.AppendExtended(nil)
}

// refused is a conversation in which the selection, or the list, of contexts
// that data asks for fails with NBD_REP_ERR_EXT_HEADER_REQD.
func refused(o wire.Option, prepare func(*conversation), data string) func(*conversation, bool) {
	return func(c *conversation, bad bool) {
		c.hello()
		prepare(c)
		c.opt(o, data)
		c.rep(o, pick(bad, wire.RepErrExtHeaderReqd, wire.RepErrPolicy), "")
		c.abort()
	}
}

var extendedTrips = []trip{
	{"extended headers come with data", []string{"client opt.extended-headers.no-data"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptExtendedHeaders, pick(bad, "x", ""))
		c.rep(wire.OptExtendedHeaders, wire.RepErrInvalid, "")
		c.abort()
	}},
	{"data with extended headers is taken", []string{"client opt.extended-headers.no-data", "server opt.extended-headers.data-invalid"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptExtendedHeaders, pick(bad, "x", ""))
		c.ack(wire.OptExtendedHeaders)
		c.abort()
	}},
	{"export name follows extended headers", []string{"client opt.export-name.extended"}, func(c *conversation, bad bool) {
		c.hello()
		if bad {
			c.extended()
		}
		c.opt(wire.OptExportName, "disk")
		c.serverCloses()
	}},
	{"go is unsupported under extended headers", []string{"server opt.info.extended.unsup"}, func(c *conversation, bad bool) {
		c.hello()
		c.extended()
		c.opt(wire.OptGo, info("disk"))
		c.rep(wire.OptGo, pick(bad, wire.RepErrUnsup, wire.RepErrPolicy), "")
		c.abort()
	}},
	{"structured replies after extended headers are refused", nil, func(c *conversation, _ bool) {
		c.hello()
		c.extended()
		c.opt(wire.OptStructuredReply, "")
		c.rep(wire.OptStructuredReply, wire.RepErrExtHeaderReqd, "")
		c.enter(allDF)
		c.xdisc()
	}},
	{"extended headers ask for size constraints", []string{"server opt.info.block-size-reqd.default"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		if !bad {
			c.extended()
		}
		c.opt(wire.OptGo, info("disk"))
		c.info(wire.OptGo, wire.DefaultSizeConstraints.Info())
		c.rep(wire.OptGo, wire.RepErrBlockSizeReqd, "")
		c.abort()
	}},
	{
		"list of contexts asks for extended headers again",
		[]string{"server opt.list-meta.extended.negotiated"},
		refused(wire.OptListMetaContext, (*conversation).extended, meta("disk")),
	},
	{
		"list of the base namespace asks for extended headers",
		[]string{"server opt.list-meta.extended.base"},
		refused(wire.OptListMetaContext, (*conversation).structured, meta("disk", "base:")),
	},
	{
		"list of other namespaces asks for extended headers", nil,
		refused(wire.OptListMetaContext, (*conversation).structured, meta("disk", "base:", "qemu:")),
	},
	{
		"selection asks for extended headers again",
		[]string{"server rep.err-ext-header-reqd.use"},
		refused(wire.OptSetMetaContext, (*conversation).extended, meta("disk", "base:allocation")),
	},
	{
		"selection from the base namespace asks for extended headers",
		[]string{"server opt.set-meta.extended.base"},
		refused(wire.OptSetMetaContext, (*conversation).structured, meta("disk", "base:allocation")),
	},
	{"go asks for extended headers", nil, refused(wire.OptGo, (*conversation).structured, info("disk"))},
	{"payload of block status is advertised without extended headers", []string{"server flag.transmission.block-status-payload.negotiated"}, func(c *conversation, bad bool) {
		c.contexts(all | pick[wire.TransmissionFlags](bad, wire.FlagBlockStatusPayload, 0))
		c.disc()
	}},
	{"payload of block status is advertised without contexts", []string{"server flag.transmission.block-status-payload.contexts"}, func(c *conversation, bad bool) {
		if bad {
			c.headers(filters)
		} else {
			c.wide(filters)
		}
		c.xdisc()
	}},

	{"compact request under extended headers", []string{"client trans.extended.request"}, func(c *conversation, bad bool) {
		c.headers(allDF)
		if bad {
			c.client(read(512).Append(nil))
			return
		}
		c.xdisc()
	}},
	{"write does not announce its data", []string{"client trans.extended.write-payload"}, func(c *conversation, bad bool) {
		c.headers(allDF)
		q := command(wire.CmdWrite, pick[wire.CommandFlags](bad, 0, wire.CmdFlagPayloadLen), 0, 512)
		c.xask(q, make([]byte, pick(bad, 0, 512))...)
		c.xfails(q, wire.EINVAL)
		c.xdisc()
	}},
	{"server takes what follows a write that does not announce its data", []string{"client trans.extended.write-payload"}, func(c *conversation, bad bool) {
		c.headers(allDF)
		q := command(wire.CmdWrite, pick[wire.CommandFlags](bad, 0, wire.CmdFlagPayloadLen), 0, 512)
		c.xask(q, make([]byte, pick(bad, 0, 512))...)
		next := command(wire.CmdFlush, 0, 0, 0)
		next.Cookie = 5
		if bad {
			c.xask(next)
			c.xnone(q)
			q.Cookie = 0x2468 // from within the payload that it took
		}
		c.xnone(q)
		c.serverCloses()
		c.clientCloses()
	}},
	{"announced payload is empty", []string{"client cmdflag.payload-len.nonzero"}, func(c *conversation, bad bool) {
		c.wide(filters)
		q, p := asksFor(0), []byte(nil)
		if !bad {
			p = filter(512, 9)
			q.Length = 12
		}
		c.xask(q, p...)
		c.xfails(q, wire.EINVAL)
		c.xdisc()
	}},
	{"read takes more than 32 bits", []string{"client cmd.read.extended.64-bit"}, func(c *conversation, bad bool) {
		c.hello()
		c.extended()
		c.opt(wire.OptGo, info("disk"))
		c.export(wire.OptGo, 1<<40, allDF)
		c.ack(wire.OptGo)
		q := command(wire.CmdRead, 0, 0, pick[uint64](bad, 1<<32, 1<<32-1))
		c.xask(q)
		c.xfails(q, wire.EOVERFLOW)
		c.xdisc()
	}},
	{"other lengths take more than 32 bits", nil, func(c *conversation, _ bool) {
		c.hello()
		c.extended()
		c.opt(wire.OptGo, info("disk"))
		c.export(wire.OptGo, 1<<40, allDF)
		c.ack(wire.OptGo)
		for _, t := range []wire.Command{wire.CmdTrim, wire.CmdWriteZeroes, wire.CmdCache} {
			q := command(t, 0, 4096, 1<<39)
			c.xask(q)
			c.xnone(q)
		}
		c.xdisc()
	}},
	{"payload of block status is not advertised", []string{"client cmdflag.payload-len.needs-flag"}, func(c *conversation, bad bool) {
		c.wide(pick[wire.TransmissionFlags](bad, allDF, filters))
		c.xask(asksFor(12), filter(512, pick[uint32](bad, 8, 77))...)
		c.xfails(asksFor(12), wire.EINVAL)
		c.xdisc()
	}},
	{"payload of block status is not advertised and taken", []string{"client cmdflag.payload-len.needs-flag"}, func(c *conversation, bad bool) {
		c.wide(pick[wire.TransmissionFlags](bad, allDF, filters))
		c.xask(asksFor(12), filter(512, 8)...)
		c.xstatus(asksFor(12), done, 8, extent(512, 0))
		c.xdisc()
	}},
	{"payload of block status is not advertised and fails otherwise", []string{"client cmdflag.payload-len.needs-flag", "server cmd.block-status.payload.unsupported"}, func(c *conversation, bad bool) {
		c.wide(pick[wire.TransmissionFlags](bad, allDF, filters))
		c.xask(asksFor(12), filter(512, 8)...)
		c.xfails(asksFor(12), pick(bad, wire.EPERM, wire.EIO))
		c.xdisc()
	}},
	{"payload of block status is cut", []string{"client cmd.block-status.payload.length"}, func(c *conversation, bad bool) {
		c.wide(filters)
		p := filter(512, 77)[:pick(bad, 11, 12)]
		c.xask(asksFor(len(p)), p...)
		c.xfails(asksFor(len(p)), wire.EINVAL)
		c.xdisc()
	}},
	{"context is there twice", []string{"server cmd.block-status.payload.duplicate-id"}, func(c *conversation, bad bool) {
		c.wide(filters)
		c.xask(asksFor(16), filter(512, 8, pick[uint32](bad, 8, 7))...)
		c.xstatus(asksFor(16), 0, 8, extent(512, 0))
		c.xstatus(asksFor(16), done, 7, extent(512, 0))
		c.xdisc()
	}},
	{"context is unknown", []string{"server cmd.block-status.payload.unknown-id"}, func(c *conversation, bad bool) {
		c.wide(filters)
		c.xask(asksFor(16), filter(512, 8, 77)...)
		c.xfails(asksFor(16), pick(bad, wire.EIO, wire.EINVAL))
		c.xdisc()
	}},
	{"filter is ignored", []string{"server cmd.block-status.payload.limited"}, func(c *conversation, bad bool) {
		c.wide(filters)
		c.xask(asksFor(12), filter(512, 8)...)
		if bad {
			c.xstatus(asksFor(12), 0, 7, extent(512, 0))
		}
		c.xstatus(asksFor(12), done, 8, extent(512, 0))
		c.xdisc()
	}},
	{"filter leaves nothing", []string{"server chunk.block-status.per-context"}, func(c *conversation, bad bool) {
		c.wide(filters)
		c.xask(asksFor(12), filter(512, 8)...)
		if !bad {
			c.xstatus(asksFor(12), 0, 8, extent(512, 0))
		}
		c.xnone(asksFor(12))
		c.xdisc()
	}},
	{"range in the filter ends beyond the export", []string{"client size.bounds.client"}, func(c *conversation, bad bool) {
		c.wide(filters)
		c.xask(asksFor(12), filter(pick[uint64](bad, size+1, size), 8)...)
		c.xfails(asksFor(12), wire.EINVAL)
		c.xdisc()
	}},
	{"extents go on behind the range in the filter", []string{"server chunk.block-status.sum"}, func(c *conversation, bad bool) {
		c.wide(filters)
		c.xask(asksFor(12), filter(pick[uint64](bad, 512, 513), 8)...)
		c.xstatus(asksFor(12), done, 8, extent(512, 0), extent(512, 1))
		c.xdisc()
	}},
	{"payload has no place", []string{"client cmdflag.documented", "server cmdflag.payload-len.einval"}, func(c *conversation, bad bool) {
		c.wide(allDF)
		q := command(wire.CmdTrim, 0, 0, 512)
		if bad {
			q.Flags = wire.CmdFlagPayloadLen
		}
		c.xask(q, make([]byte, q.PayloadLength(true))...)
		c.xnone(q)
		c.xdisc()
	}},
	{"payload has no place and is refused", []string{"client cmdflag.documented"}, func(c *conversation, bad bool) {
		c.wide(allDF)
		q := command(wire.CmdFlush, 0, 0, 0)
		if bad {
			q.Flags, q.Length = wire.CmdFlagPayloadLen, 1<<21
		}
		c.xask(q, make([]byte, q.PayloadLength(true))...)
		c.xfails(q, pick(bad, wire.EINVAL, wire.EIO))
		c.xdisc()
	}},
	{"payload is too long, refused and ends the session", nil, func(c *conversation, _ bool) {
		c.hello()
		c.extended()
		c.opt(wire.OptGo, info("disk"))
		c.export(wire.OptGo, 1<<30, allDF)
		c.ack(wire.OptGo)
		q := command(wire.CmdWrite, wire.CmdFlagPayloadLen, 0, 1<<25+1)
		c.xask(q)
		c.xfails(q, wire.EINVAL)
		c.serverCloses()
	}},
	{"payload is too long and ends the session", nil, func(c *conversation, _ bool) {
		c.hello()
		c.extended()
		c.opt(wire.OptGo, info("disk"))
		c.export(wire.OptGo, 1<<40, allDF)
		c.ack(wire.OptGo)
		c.xask(command(wire.CmdWrite, wire.CmdFlagPayloadLen, 0, 1<<26))
		c.serverCloses()
	}},

	{"simple reply under extended headers", []string{"server trans.extended.no-simple"}, func(c *conversation, bad bool) {
		c.headers(allDF)
		q := command(wire.CmdFlush, 0, 0, 0)
		c.xask(q)
		if bad {
			c.simple(1, 0, 0)
		} else {
			c.xnone(q)
		}
		c.xdisc()
	}},
	{"structured reply under extended headers", []string{"server trans.extended.reply"}, func(c *conversation, bad bool) {
		c.headers(allDF)
		c.xask(read(512))
		if bad {
			c.data(done, 1, 0, 512)
		} else {
			c.xchunk(read(512), wire.ChunkOffsetData, done, wire.OffsetData{Data: make([]byte, 512)}.Append(nil))
		}
		c.xdisc()
	}},
	{"header has another offset", []string{"server trans.extended.offset"}, func(c *conversation, bad bool) {
		c.headers(allDF)
		q := command(wire.CmdRead, 0, 4096, 1024)
		c.xask(q)
		c.xchunk(q, wire.ChunkOffsetHole, 0, wire.OffsetHole{Offset: 4096, Size: 512}.Append(nil))
		h := q
		h.Offset += pick[uint64](bad, 512, 0)
		c.xchunk(h, wire.ChunkOffsetHole, done, wire.OffsetHole{Offset: 4096 + 512, Size: 512}.Append(nil))
		c.xdisc()
	}},
	{"narrow status under extended headers", []string{"server chunk.block-status-ext.always"}, func(c *conversation, bad bool) {
		c.wide(allDF)
		c.xask(status512)
		c.xstatus(status512, 0, 8, extent(512, 0))
		if bad {
			c.xchunk(status512, wire.ChunkBlockStatus, done, wire.BlockStatus{ContextID: 7, Extents: []wire.Extent{{Length: 512}}}.Append(nil))
		} else {
			c.xstatus(status512, done, 7, extent(512, 0))
		}
		c.xdisc()
	}},
	{"wide status under structured replies", []string{"server chunk.block-status-ext.unnegotiated"}, func(c *conversation, bad bool) {
		c.contexts(all)
		c.ask(status512)
		c.status(0, 1, 8, extent(512, 0))
		if bad {
			c.chunk(wire.ChunkBlockStatusExt, done, 1, extents(extent(512, 0)))
		} else {
			c.status(done, 1, 7, extent(512, 0))
		}
		c.disc()
	}},
	{"wide status is cut", []string{"server chunk.block-status-ext.length"}, oneStatus(func(bad bool) []byte {
		return extents(extent(256, 0), extent(256, 1))[:pick(bad, 36, 40)]
	})},
	{"wide status is empty", []string{"server chunk.block-status-ext.length", "server chunk.block-status.per-context"}, oneStatus(func(bad bool) []byte {
		return extents(extent(512, 0))[:pick(bad, 8, 24)]
	})},
	{"wide status is miscounted", []string{"server chunk.block-status-ext.count"}, oneStatus(func(bad bool) []byte {
		p := extents(extent(256, 0), extent(256, 1))
		p[7] = pick[byte](bad, 3, 2)
		return p
	})},
	{"wide status is not counted", []string{"server chunk.block-status-ext.count-nonzero"}, oneStatus(func(bad bool) []byte {
		p := extents(extent(512, 0))
		p[7] = pick[byte](bad, 0, 1)
		return p
	})},
	{"wide extent is empty", []string{"server chunk.block-status-ext.extent-nonzero"}, oneStatus(func(bad bool) []byte {
		return extents(extent(pick[uint64](bad, 0, 256), 0), extent(256, 1))
	})},
	{"wide status of a narrow context", []string{"server chunk.block-status-ext.high-bits"}, oneStatus(func(bad bool) []byte {
		return extents(extent(512, pick[uint64](bad, 1<<32, 3)))
	})},
	{"wide extent is long", nil, oneStatus(func(bool) []byte { return extents(extent(1<<63, 0)) })},
}
