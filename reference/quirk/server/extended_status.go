package serverquirk

import (
	"encoding/binary"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// onWideStatus makes hooks that change every NBD_REPLY_TYPE_BLOCK_STATUS_EXT.
func onWideStatus(f func(*wire.Chunk)) server.Hooks {
	return onReply(wire.CmdBlockStatus, func(x *server.Exchange) { x.EachChunk(wire.ChunkBlockStatusExt, f) })
}

// StatusNarrow reports block status as ever.
var StatusNarrow = register(Quirk{
	Name: "status-narrow", Breaks: "chunk.block-status-ext.always",
	Doc: "sends NBD_REPLY_TYPE_BLOCK_STATUS with extended headers",
	Hooks: onWideStatus(func(c *wire.Chunk) {
		if s, err := wire.ParseBlockStatusExt(c.Payload); err == nil {
			c.Type, c.Payload = wire.ChunkBlockStatus, s.Append(nil)
		}
	}),
})

// StatusWideOdd ends in the middle of something.
var StatusWideOdd = register(Quirk{
	Name: "status-wide-odd", Breaks: "chunk.block-status-ext.length",
	Doc: "sends NBD_REPLY_TYPE_BLOCK_STATUS_EXT with four bytes more than there are extents",
	Hooks: onWideStatus(func(c *wire.Chunk) {
		c.Payload = append(c.Payload[:len(c.Payload):len(c.Payload)], 0, 0, 2, 0)
	}),
})

// StatusMiscounted counts what is after the list as well.
var StatusMiscounted = register(Quirk{
	Name: "status-miscounted", Breaks: "chunk.block-status-ext.count",
	Doc: "sends a descriptor count that is one too many",
	Hooks: onWideStatus(func(c *wire.Chunk) {
		binary.BigEndian.PutUint32(c.Payload[4:], binary.BigEndian.Uint32(c.Payload[4:])+1)
	}),
})

// StatusUncounted does not count.
var StatusUncounted = register(Quirk{
	Name: "status-uncounted", Breaks: "chunk.block-status-ext.count-nonzero",
	Doc:   "sends a descriptor count of 0",
	Hooks: onWideStatus(func(c *wire.Chunk) { binary.BigEndian.PutUint32(c.Payload[4:], 0) }),
})

// StatusWideEmptyExtent says something of nothing.
var StatusWideEmptyExtent = register(Quirk{
	Name: "status-wide-empty-extent", Breaks: "chunk.block-status-ext.extent-nonzero",
	Doc: "puts an extent of length 0 before the others, with extended headers",
	Hooks: onWideStatus(func(c *wire.Chunk) {
		if s, err := wire.ParseBlockStatusExt(c.Payload); err == nil {
			s.Extents = append([]wire.Extent{{Status: 3 ^ s.Extents[0].Status}}, s.Extents...)
			c.Payload = s.AppendExtended(nil)
		}
	}),
})

// StatusHighBits uses all of the wider field.
var StatusHighBits = register(Quirk{
	Name: "status-high-bits", Breaks: "chunk.block-status-ext.high-bits",
	Doc: "sets bit 32 in every status",
	Hooks: onWideStatus(func(c *wire.Chunk) {
		if s, err := wire.ParseBlockStatusExt(c.Payload); err == nil {
			for i := range s.Extents {
				s.Extents[i].Status |= 1 << 32
			}
			c.Payload = s.AppendExtended(nil)
		}
	}),
})

// StatusWide reports block status in a form that was not negotiated.
var StatusWide = register(Quirk{
	Name: "status-wide", Breaks: "chunk.block-status-ext.unnegotiated",
	Doc: "sends NBD_REPLY_TYPE_BLOCK_STATUS_EXT with structured replies",
	Hooks: onReply(wire.CmdBlockStatus, func(x *server.Exchange) {
		x.EachChunk(wire.ChunkBlockStatus, func(c *wire.Chunk) {
			if s, err := wire.ParseBlockStatus(c.Payload); err == nil {
				c.Type, c.Payload = wire.ChunkBlockStatusExt, s.AppendExtended(nil)
			}
		})
	}),
})

// PayloadFlagUnnegotiated advertises the payload of block status to every client.
var PayloadFlagUnnegotiated = register(Quirk{
	Name: "payload-flag-unnegotiated", Breaks: "flag.transmission.block-status-payload.negotiated",
	Doc: "advertises NBD_FLAG_BLOCK_STATUS_PAYLOAD without extended headers",
	Hooks: onFlags(func(s *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		if s.Extended {
			return f
		}
		return f | wire.FlagBlockStatusPayload
	}),
})

// PayloadFlagWithoutContexts advertises what there is nothing to be filtered from.
var PayloadFlagWithoutContexts = register(Quirk{
	Name: "payload-flag-without-contexts", Breaks: "flag.transmission.block-status-payload.contexts",
	Doc: "advertises NBD_FLAG_BLOCK_STATUS_PAYLOAD to clients that selected no metadata context",
	Hooks: onFlags(func(s *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		if !s.Extended {
			return f
		}
		return f | wire.FlagBlockStatusPayload
	}),
})

// onFilter makes hooks that change replies to NBD_CMD_BLOCK_STATUS with a payload.
func onFilter(f func(*server.Exchange)) server.Hooks {
	return onReply(wire.CmdBlockStatus, func(x *server.Exchange) {
		if x.Session.Extended && x.Request.Flags&wire.CmdFlagPayloadLen != 0 {
			f(x)
		}
	})
}

// FilterUnadvertisedEIO answers what it says it does not understand.
var FilterUnadvertisedEIO = register(Quirk{
	Name: "filter-unadvertised-eio", Breaks: "cmd.block-status.payload.unsupported",
	Doc: "answers NBD_EIO to filters where NBD_FLAG_BLOCK_STATUS_PAYLOAD is not advertised",
	Hooks: onFilter(func(x *server.Exchange) {
		if x.Session.Flags&wire.FlagBlockStatusPayload == 0 {
			x.Fail(wire.EIO, "what is that?")
		}
	}),
})

// FilterUnadvertisedUnread takes a filter for requests.
var FilterUnadvertisedUnread = register(Quirk{
	Name: "filter-unadvertised-unread", Breaks: "cmd.block-status.payload.unsupported",
	Doc: "ignores NBD_CMD_FLAG_PAYLOAD_LEN where NBD_FLAG_BLOCK_STATUS_PAYLOAD is not advertised, and takes the filter for requests",
	Hooks: server.Hooks{Request: func(s *server.Session, q *wire.Request) {
		if s.Extended && q.Type == wire.CmdBlockStatus && s.Flags&wire.FlagBlockStatusPayload == 0 {
			q.Flags &^= wire.CmdFlagPayloadLen
		}
	}},
})

// FilterIgnored tells of all contexts.
var FilterIgnored = register(Quirk{
	Name: "filter-ignored", Breaks: "cmd.block-status.payload.limited",
	Doc: "reports the selected contexts that a filter leaves out as well",
	Hooks: onFilter(func(x *server.Exchange) {
		if x.Err() != wire.OK {
			return
		}
		told := map[uint32]bool{}
		var like wire.BlockStatus
		x.EachStatus(func(s *wire.BlockStatus) { told[s.ContextID], like = true, *s })
		for _, m := range x.Session.Contexts {
			if !told[m.ID] {
				like.ContextID = m.ID
				x.Replies = append(x.Replies, x.StatusChunk(like))
			}
		}
		x.Done()
	}),
})

// FilterEmpties filters out what was asked for.
var FilterEmpties = register(Quirk{
	Name: "filter-empties", Breaks: "chunk.block-status.per-context",
	Doc: "answers NBD_CMD_BLOCK_STATUS with a payload by success and no extents",
	Hooks: onFilter(func(x *server.Exchange) {
		if x.Err() == wire.OK {
			x.Succeed()
		}
	}),
})

// FilterLengthIgnored takes the length of the payload for that of the range.
var FilterLengthIgnored = register(Quirk{
	Name: "filter-length-ignored", Breaks: "cmdflag.req-one.length",
	Doc: "reports an extent of 2^20 bytes more than a filter with NBD_CMD_FLAG_REQ_ONE asks for",
	Hooks: onFilter(func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagReqOne != 0 {
			x.EachStatus(func(s *wire.BlockStatus) { s.Extents[0].Length += 1 << 20 })
		}
	}),
})

// FilterUnknownAccepted tells of the contexts that it knows.
var FilterUnknownAccepted = register(Quirk{
	Name: "filter-unknown-accepted", Breaks: "cmd.block-status.payload.unknown-id",
	Doc:   "ignores contexts in a filter that were not selected",
	Hooks: skip("cmd.block-status.payload.unknown-id"),
})

// onBadFilter makes hooks that change refusals of filters.
func onBadFilter(f func(*server.Exchange)) server.Hooks {
	return onFilter(func(x *server.Exchange) {
		if x.Err() == wire.EINVAL {
			f(x)
		}
	})
}

// FilterBadEIO blames the disk.
var FilterBadEIO = register(Quirk{
	Name: "filter-bad-eio", Breaks: "cmd.block-status.payload.unknown-id",
	Doc:   "answers NBD_EIO to filters that it can't take",
	Hooks: onBadFilter(fail(wire.EIO)),
})

// FilterDuplicateAccepted tells of a context once if it is named twice.
var FilterDuplicateAccepted = register(Quirk{
	Name: "filter-duplicate-accepted", Breaks: "cmd.block-status.payload.duplicate-id",
	Doc:   "takes contexts that a filter names twice for one",
	Hooks: skip("cmd.block-status.payload.duplicate-id"),
})

// FilterBadHangup blames the client.
var FilterBadHangup = register(Quirk{
	Name: "filter-bad-hangup", Breaks: "cmd.block-status.payload.duplicate-id",
	Doc:   "closes the connection on filters that it can't take",
	Hooks: onBadFilter(hangup),
})

// FilterBeyondAccepted tells the status of what is beyond the end.
var FilterBeyondAccepted = register(Quirk{
	Name: "filter-beyond-accepted", Breaks: "cmd.block-status.bounds",
	Doc: "tells a status of 0 for a range beyond the end of the export, if it comes with a filter",
	Hooks: onBadFilter(func(x *server.Exchange) {
		f, err := wire.ParseStatusFilter(x.Payload)
		if err != nil || f.Length <= x.Session.Export.Disk.Size()-x.Request.Offset {
			return
		}
		x.Replies = nil
		for _, id := range f.ContextIDs {
			s := wire.BlockStatus{ContextID: id, Extents: []wire.Extent{{Length: f.Length}}}
			x.Replies = append(x.Replies, x.StatusChunk(s))
		}
		x.Done()
	}),
})
