package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// onStatusReply makes hooks that change successful replies to NBD_CMD_BLOCK_STATUS.
func onStatusReply(f func(*server.Exchange)) server.Hooks {
	return onReply(wire.CmdBlockStatus, func(x *server.Exchange) {
		if x.Err() == wire.OK {
			f(x)
		}
	})
}

// StatusSimple answers without any status.
var StatusSimple = register(Quirk{
	Name: "status-simple", Breaks: "cmd.block-status.structured",
	Doc:   "answers NBD_CMD_BLOCK_STATUS by a simple reply of success",
	Hooks: onStatusReply(simple),
})

// StatusMissingContext leaves out the last context that was selected.
var StatusMissingContext = register(Quirk{
	Name: "status-missing-context", Breaks: "chunk.block-status.per-context",
	Doc: "answers NBD_CMD_BLOCK_STATUS with NBD_REPLY_TYPE_NONE in place of the last context",
	Hooks: onStatusReply(func(x *server.Exchange) {
		x.Replies[len(x.Replies)-1] = x.Chunk(wire.ChunkNone, nil)
		x.Done()
	}),
})

// StatusContextTwice tells the same context twice.
var StatusContextTwice = register(Quirk{
	Name: "status-context-twice", Breaks: "chunk.block-status.per-context",
	Doc: "sends the status of the first context twice",
	Hooks: onStatusReply(func(x *server.Exchange) {
		x.Replies = append(x.Replies, x.Replies[0])
		x.Done()
	}),
})

// StatusUnknownContext tells the status of a context that does not exist.
var StatusUnknownContext = register(Quirk{
	Name: "status-unknown-context", Breaks: "chunk.block-status.per-context",
	Doc:   "adds 100 to the context IDs in block status",
	Hooks: onStatus(func(_ *server.Exchange, s *wire.BlockStatus) { s.ContextID += 100 }),
})

// StatusNothing tells nothing of a context.
var StatusNothing = register(Quirk{
	Name: "status-nothing", Breaks: "chunk.block-status.at-least-one",
	Doc:   "sends block status without a descriptor",
	Hooks: onStatus(func(_ *server.Exchange, s *wire.BlockStatus) { s.Extents = nil }),
})

// StatusEmptyExtent tells the status of no bytes.
var StatusEmptyExtent = register(Quirk{
	Name: "status-empty-extent", Breaks: "chunk.block-status.extent-nonzero",
	Doc:   "sends block status with a last descriptor of length 0",
	Hooks: onStatus(func(_ *server.Exchange, s *wire.BlockStatus) { s.Extents[len(s.Extents)-1].Length = 0 }),
})

// StatusOddLength sends half a descriptor more.
var StatusOddLength = register(Quirk{
	Name: "status-odd-length", Breaks: "chunk.block-status.length",
	Doc: "sends half a descriptor behind the block status",
	Hooks: onStatusReply(func(x *server.Exchange) {
		x.EachChunk(wire.ChunkBlockStatus, func(c *wire.Chunk) { c.Payload = append(c.Payload[:len(c.Payload):len(c.Payload)], 0, 0, 2, 0) })
	}),
})

// onReqOne makes hooks that change every chunk of block status that should have one descriptor.
func onReqOne(f func(*server.Exchange, *wire.BlockStatus)) server.Hooks {
	return onStatus(func(x *server.Exchange, s *wire.BlockStatus) {
		if x.Request.Flags&wire.CmdFlagReqOne != 0 {
			f(x, s)
		}
	})
}

// ReqOneTwo sends two descriptors where one is due.
var ReqOneTwo = register(Quirk{
	Name: "req-one-two", Breaks: "cmdflag.req-one.one-extent",
	Doc: "sends two descriptors in spite of NBD_CMD_FLAG_REQ_ONE",
	Hooks: onReqOne(func(_ *server.Exchange, s *wire.BlockStatus) {
		s.Extents = append(s.Extents, wire.Extent{Length: 4096})
	}),
})

// ReqOneIgnored does not know the flag, and takes it.
var ReqOneIgnored = register(Quirk{
	Name: "req-one-ignored", Breaks: "cmdflag.req-one.one-extent",
	Doc: "ignores NBD_CMD_FLAG_REQ_ONE",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdBlockStatus {
			q.Flags &^= wire.CmdFlagReqOne
		}
	}},
})

// ReqOneLong tells more than was asked for.
var ReqOneLong = register(Quirk{
	Name: "req-one-long", Breaks: "cmdflag.req-one.length",
	Doc: "sends a descriptor longer than the request in spite of NBD_CMD_FLAG_REQ_ONE",
	Hooks: onReqOne(func(x *server.Exchange, s *wire.BlockStatus) {
		s.Extents[0].Length = x.Request.Length + 4096
	}),
})

// StatusGoesOn tells more extents than were asked for.
var StatusGoesOn = register(Quirk{
	Name: "status-goes-on", Breaks: "chunk.block-status.sum",
	Doc: "sends a descriptor for what is behind the requested range, without NBD_CMD_FLAG_REQ_ONE",
	Hooks: onStatus(func(x *server.Exchange, s *wire.BlockStatus) {
		if x.Request.Flags&wire.CmdFlagReqOne == 0 {
			last := s.Extents[len(s.Extents)-1].Status
			s.Extents = append(s.Extents, wire.Extent{Length: 4096, Status: last ^ uint64(wire.StateHole)})
		}
	}),
})

// StatusMillions sends more descriptors than anybody wants to read.
var StatusMillions = register(Quirk{
	Name: "status-millions", Breaks: "chunk.block-status.max-extents",
	Doc: "sends 2^20+1 descriptors of 512 bytes if the range is that large",
	Hooks: onStatus(func(x *server.Exchange, s *wire.BlockStatus) {
		if n := wire.MaxExtents + 1; x.Request.Length >= uint64(n)*512 && x.Request.Flags&wire.CmdFlagReqOne == 0 {
			s.Extents = make([]wire.Extent, n)
			for i := range s.Extents {
				s.Extents[i] = wire.Extent{Length: 512, Status: uint64(i & 1)}
			}
		}
	}),
})

// StatusReservedFlag sets a reserved flag of base:allocation.
var StatusReservedFlag = register(Quirk{
	Name: "status-reserved-flag", Breaks: "meta.allocation.reserved",
	Doc: "sets bit 5 of every status",
	Hooks: onStatus(func(_ *server.Exchange, s *wire.BlockStatus) {
		for i := range s.Extents {
			s.Extents[i].Status |= 1 << 5
		}
	}),
})

// StatusDataAsZero calls data zero.
var StatusDataAsZero = register(Quirk{
	Name: "status-data-as-zero", Breaks: "layout.allocation.zero",
	Doc: "sets NBD_STATE_ZERO for data",
	Hooks: onStatus(func(_ *server.Exchange, s *wire.BlockStatus) {
		for i := range s.Extents {
			s.Extents[i].Status |= uint64(wire.StateZero)
		}
	}),
})

// splitFirst splits the first descriptor behind n bytes, if it is longer.
func splitFirst(s *wire.BlockStatus, n uint64) {
	if first := s.Extents[0]; n > 0 && first.Length > n {
		rest := wire.Extent{Length: first.Length - n, Status: first.Status}
		s.Extents = append([]wire.Extent{{Length: n, Status: first.Status}, rest}, s.Extents[1:]...)
	}
}

// onStatusList makes hooks that change every chunk of block status that may have many descriptors.
func onStatusList(f func(*wire.BlockStatus)) server.Hooks {
	return onStatus(func(x *server.Exchange, s *wire.BlockStatus) {
		if x.Request.Flags&wire.CmdFlagReqOne == 0 {
			f(s)
		}
	})
}

// StatusUncoalesced tells the same status twice in a row.
var StatusUncoalesced = register(Quirk{
	Name: "status-uncoalesced", Breaks: "cmd.block-status.distinct",
	Doc:   "splits the first descriptor in two of the same status",
	Hooks: onStatusList(func(s *wire.BlockStatus) { splitFirst(s, s.Extents[0].Length/2&^4095) }),
})

// StatusUnaligned splits descriptors wherever it likes.
var StatusUnaligned = register(Quirk{
	Name: "status-unaligned", Breaks: "cmd.block-status.multiple-of-512",
	Doc:   "splits the first descriptor behind 100 bytes",
	Hooks: onStatusList(func(s *wire.BlockStatus) { splitFirst(s, 100) }),
})

// StatusBelowMinimum splits descriptors below the minimum block size.
var StatusBelowMinimum = register(Quirk{
	Name: "status-below-minimum", Breaks: "cmd.block-status.multiple-of-minimum",
	Doc: "splits the first descriptor behind half the minimum block size, if that is more than 512",
	Hooks: onStatus(func(x *server.Exchange, s *wire.BlockStatus) {
		if half := uint64(x.Session.Export.Constraints.Minimum) / 2; half >= 512 && x.Request.Flags&wire.CmdFlagReqOne == 0 {
			splitFirst(s, half)
		}
	}),
})

// StatusBeyondAccepted tells the status of what is beyond the end.
var StatusBeyondAccepted = register(Quirk{
	Name: "status-beyond-accepted", Breaks: "cmd.block-status.bounds",
	Doc: "tells a status of 0 for a range beyond the end of the export",
	Hooks: onError(wire.CmdBlockStatus, wire.EINVAL, func(x *server.Exchange) {
		if beyond(x) && len(x.Session.Contexts) > 0 && x.Request.Length > 0 {
			x.Replies = nil
			for _, m := range x.Session.Contexts {
				s := wire.BlockStatus{ContextID: m.ID, Extents: []wire.Extent{{Length: x.Request.Length}}}
				x.Replies = append(x.Replies, x.StatusChunk(s))
			}
			x.Done()
		}
	}),
})

// StatusUnselectedAccepted reports success without any context.
var StatusUnselectedAccepted = register(Quirk{
	Name: "status-unselected-accepted", Breaks: "meta.block-status.unselected",
	Doc: "reports NBD_CMD_BLOCK_STATUS as done although no context was selected",
	Hooks: onError(wire.CmdBlockStatus, wire.EINVAL, func(x *server.Exchange) {
		if len(x.Session.Contexts) == 0 {
			x.Succeed()
		}
	}),
})

// StatusErrorSimple sends errors without an error chunk.
var StatusErrorSimple = register(Quirk{
	Name: "status-error-simple", Breaks: "cmd.block-status.error",
	Doc: "answers a failed NBD_CMD_BLOCK_STATUS by a simple reply",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Is(wire.CmdBlockStatus) {
			simple(x)
		}
	}),
})

// StatusZeroLengthHangup hangs up on requests for the status of nothing.
var StatusZeroLengthHangup = register(Quirk{
	Name: "status-zero-length-hangup", Breaks: "cmd.block-status.zero-length.stay",
	Doc:   "hangs up on a request for the status of 0 bytes",
	Hooks: onZeroLength(wire.CmdBlockStatus, hangup),
})
