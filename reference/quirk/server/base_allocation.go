package serverquirk

import (
	"bytes"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// HolesReadGarbage has something where it tells of nothing.
var HolesReadGarbage = register(Quirk{
	Name: "holes-read-garbage", Breaks: "layout.allocation.zero",
	Doc: "sends structured reads of holes as data that is not zero",
	Hooks: onRead(1, func(x *server.Exchange) {
		for i, m := range x.Replies {
			h, err := wire.ParseOffsetHole(m.Chunk.Payload)
			if m.Chunk.Type != wire.ChunkOffsetHole || err != nil {
				continue
			}
			data := make([]byte, h.Size)
			for j := range data {
				data[j] = 0xaa
			}
			x.Replies[i] = x.DataChunk(h.Offset, data)
		}
		x.Done()
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

// StatusFromStart tells the status of something else.
var StatusFromStart = register(Quirk{
	Name: "status-from-start", Breaks: "layout.allocation.zero",
	Doc: "tells the status of the beginning of the export, whatever the offset",
	Hooks: onStatusRequest(func(_ *server.Session, q *wire.Request) {
		if q.Offset+q.Length > q.Offset {
			q.Offset = 0
		}
	}),
})

// StatusCoarse looks at the first block of a range.
var StatusCoarse = register(Quirk{
	Name: "status-coarse", Breaks: "layout.allocation.zero",
	Doc: "tells one status for a whole range, that of its beginning",
	Hooks: onStatus(func(x *server.Exchange, s *wire.BlockStatus) {
		if x.Request.Flags&wire.CmdFlagReqOne == 0 {
			s.Extents = []wire.Extent{{Length: x.Request.Length, Status: s.Extents[0].Status}}
		}
	}),
})

// StatusOffset32 has no place for a large offset.
var StatusOffset32 = register(Quirk{
	Name: "status-offset-32", Breaks: "layout.allocation.zero",
	Doc:   "ignores the upper 32 bits of the offset of requests for block status",
	Hooks: onStatusRequest(func(_ *server.Session, q *wire.Request) { q.Offset &= 1<<32 - 1 }),
})

// StatusStale tells what was so once.
var StatusStale = register(Quirk{
	Name: "status-stale", Breaks: "layout.allocation.zero",
	Doc: "tells the same status each time that a connection asks for the same range",
	New: func() server.Hooks {
		known := make(map[[3]uint64][][]byte) // payloads of the chunks
		return onStatusReply(func(x *server.Exchange) {
			k := [3]uint64{x.Request.Offset, x.Request.Length, uint64(x.Request.Flags)}
			for i, payload := range known[k] {
				x.Replies[i].Chunk.Payload = payload
			}
			known[k] = nil
			for _, m := range x.Replies {
				known[k] = append(known[k], bytes.Clone(m.Chunk.Payload))
			}
		})
	},
})

// StatusZeroBeyond guesses what lies beyond a request.
var StatusZeroBeyond = register(Quirk{
	Name: "status-zero-beyond", Breaks: "layout.allocation.zero",
	Doc: "lets the last descriptor of base:allocation reach 65536 bytes beyond the request, without NBD_CMD_FLAG_REQ_ONE",
	Hooks: onStatus(func(x *server.Exchange, s *wire.BlockStatus) {
		end := x.Request.Offset + x.Request.Length
		if x.Request.Flags&wire.CmdFlagReqOne == 0 && end+65536 <= x.Session.Export.Disk.Size() {
			s.Extents[len(s.Extents)-1].Length += 65536
		}
	}),
})

// TrimmedAsZero is sure that a trim leaves nothing.
var TrimmedAsZero = register(Quirk{
	Name: "trimmed-as-zero", Breaks: "layout.allocation.zero",
	Doc: "sets NBD_STATE_ZERO everywhere once a connection trimmed something",
	New: func() server.Hooks {
		trimmed := false
		return server.Hooks{Reply: func(x *server.Exchange) {
			trimmed = trimmed || x.Is(wire.CmdTrim)
			x.EachStatus(func(s *wire.BlockStatus) {
				for i := range s.Extents {
					if trimmed {
						s.Extents[i].Status |= uint64(wire.StateZero)
					}
				}
			})
		}}
	},
})

// WriteAllocatedENOSPC runs out of space where it has some.
var WriteAllocatedENOSPC = register(Quirk{
	Name: "write-allocated-enospc", Breaks: "meta.allocation.allocated.enospc",
	Doc: "answers NBD_ENOSPC to writes to what is no hole",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, write: func(p []byte, off uint64) error {
			list, err := e.Extents(nil, export.BaseAllocation, off, uint64(len(p)), 1)
			if err == nil && len(list) > 0 && list[0].Status&uint64(wire.StateHole) == 0 {
				return wire.ENOSPC
			}
			return e.WriteAt(p, off)
		}}
	}),
})
