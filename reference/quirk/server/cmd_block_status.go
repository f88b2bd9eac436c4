package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

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

// onStatusReply makes hooks that change successful replies to NBD_CMD_BLOCK_STATUS.
func onStatusReply(f func(*server.Exchange)) server.Hooks {
	return onReply(wire.CmdBlockStatus, func(x *server.Exchange) {
		if x.Err() == wire.OK {
			f(x)
		}
	})
}

// StatusOddLength sends half a descriptor more.
var StatusOddLength = register(Quirk{
	Name: "status-odd-length", Breaks: "chunk.block-status.length",
	Doc: "sends half a descriptor after the block status",
	Hooks: onStatusReply(func(x *server.Exchange) {
		x.EachChunk(wire.ChunkBlockStatus, func(c *wire.Chunk) { c.Payload = append(c.Payload[:len(c.Payload):len(c.Payload)], 0, 0, 2, 0) })
	}),
})

// StatusGoesOn tells more extents than were asked for.
var StatusGoesOn = register(Quirk{
	Name: "status-goes-on", Breaks: "chunk.block-status.sum",
	Doc: "sends a descriptor for what is past the requested range, without NBD_CMD_FLAG_REQ_ONE",
	Hooks: onStatus(func(x *server.Exchange, s *wire.BlockStatus) {
		if x.Request.Flags&wire.CmdFlagReqOne == 0 {
			last := s.Extents[len(s.Extents)-1].Status
			s.Extents = append(s.Extents, wire.Extent{Length: 4096, Status: last ^ uint64(wire.StateHole)})
		}
	}),
})

// onStatusRequest makes hooks that take requests for block status for others.
func onStatusRequest(f func(*server.Session, *wire.Request)) server.Hooks {
	return server.Hooks{Request: func(s *server.Session, q *wire.Request) {
		if q.Type == wire.CmdBlockStatus {
			f(s, q)
		}
	}}
}

// StatusWholeExport tells more than it was asked for.
var StatusWholeExport = register(Quirk{
	Name: "status-whole-export", Breaks: "chunk.block-status.sum",
	Doc: "tells the status of all that is after the offset, without NBD_CMD_FLAG_REQ_ONE",
	Hooks: onStatusRequest(func(s *server.Session, q *wire.Request) {
		if size := s.Export.Disk.Size(); q.Offset < size && q.Length <= size-q.Offset && q.Length > 0 && q.Flags == 0 {
			q.Length = size - q.Offset
		}
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

// ReqOneTwo sends two descriptors where one is allowed.
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

// StatusMissingContext leaves out the last context that was selected.
var StatusMissingContext = register(Quirk{
	Name: "status-missing-context", Breaks: "chunk.block-status.per-context",
	Doc: "answers NBD_CMD_BLOCK_STATUS with NBD_REPLY_TYPE_NONE in place of the last context",
	Hooks: onStatusReply(func(x *server.Exchange) {
		x.Replies[len(x.Replies)-1] = x.Chunk(wire.ChunkNone, nil)
		x.Done()
	}),
})

// StatusEndRefused draws the end of the export too near.
var StatusEndRefused = register(Quirk{
	Name: "status-end-refused", Breaks: "chunk.block-status.per-context",
	Doc: "answers NBD_EINVAL to requests for block status that reach to the end of the export",
	Hooks: onStatusReply(func(x *server.Exchange) {
		if x.Request.Offset+x.Request.Length == x.Session.Export.Disk.Size() {
			x.Fail(wire.EINVAL, "beyond the end, or nearly")
		}
	}),
})

// splitFirst splits the first descriptor after n bytes, if it is longer.
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
	Doc:   "splits the first descriptor after 100 bytes",
	Hooks: onStatusList(func(s *wire.BlockStatus) { splitFirst(s, 100) }),
})

// StatusBelowMinimum splits descriptors below the minimum block size.
var StatusBelowMinimum = register(Quirk{
	Name: "status-below-minimum", Breaks: "cmd.block-status.multiple-of-minimum",
	Doc: "splits the first descriptor after half the minimum block size, if that is more than 512",
	Hooks: onStatus(func(x *server.Exchange, s *wire.BlockStatus) {
		if half := uint64(x.Session.Export.Constraints.Minimum) / 2; half >= 512 && x.Request.Flags&wire.CmdFlagReqOne == 0 {
			splitFirst(s, half)
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

// StatusLongHangup closes the connection on requests that it could answer in part.
var StatusLongHangup = register(Quirk{
	Name: "status-long-hangup", Breaks: "size.effect.disconnect",
	Doc: "closes the connection on requests for the status of more than the maximum payload size",
	Hooks: onReply(wire.CmdBlockStatus, func(x *server.Exchange) {
		if x.Request.Length > uint64(x.Session.Export.Constraints.MaxPayload) {
			hangup(x)
		}
	}),
})

// StatusZeroLengthHangup closes the connection on requests for the status of nothing.
var StatusZeroLengthHangup = register(Quirk{
	Name: "status-zero-length-hangup", Breaks: "cmd.block-status.zero-length.stay",
	Doc:   "closes the connection on a request for the status of 0 bytes",
	Hooks: onZeroLength(wire.CmdBlockStatus, hangup),
})
