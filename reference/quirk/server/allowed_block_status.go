package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// StatusShort tells less than was asked for.
var StatusShort = register(Quirk{
	Name: "status-short", Allowed: true, Permitted: []string{"chunk.block-status.fewer"},
	Doc: "sends one descriptor of block status, whatever was asked for",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdBlockStatus && q.Flags&^wire.CmdFlagFUA == 0 {
			q.Flags |= wire.CmdFlagReqOne
		}
	}},
})

// StatusLong tells more than was asked for.
var StatusLong = register(Quirk{
	Name: "status-long", Allowed: true, Permitted: []string{"chunk.block-status.final-beyond"},
	Doc: "lets the last descriptor of base:allocation reach to the end of the export, as a status of 0, without NBD_CMD_FLAG_REQ_ONE",
	Hooks: onStatus(func(x *server.Exchange, s *wire.BlockStatus) {
		var sum uint64
		for _, e := range s.Extents {
			sum += e.Length
		}
		rest := x.Session.Export.Disk.Size() - x.Request.Offset - sum
		if last := &s.Extents[len(s.Extents)-1]; x.Request.Flags&wire.CmdFlagReqOne == 0 && rest < 1<<31 && rest > 0 {
			last.Length, last.Status = last.Length+rest, 0
			if n := len(s.Extents); n > 1 && s.Extents[n-2].Status == 0 { // neighbours should differ
				s.Extents[n-2].Length += last.Length
				s.Extents = s.Extents[:n-1]
			}
		}
	}),
})

// StatusUnknown knows nothing of holes.
var StatusUnknown = register(Quirk{
	Name: "status-unknown", Allowed: true, Permitted: []string{"cmd.block-status.error-as-status"},
	Doc: "reports a status of 0 for everything",
	Hooks: onStatus(func(_ *server.Exchange, s *wire.BlockStatus) {
		var sum uint64
		for _, e := range s.Extents {
			sum += e.Length
		}
		s.Extents = []wire.Extent{{Length: sum}}
	}),
})

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// HolesFine tells holes as small as they come.
var HolesFine = register(Quirk{
	Name: "holes-fine", Allowed: true, Permitted: []string{"chunk.offset-hole.repeat"},
	Doc: "splits reads of up to 1 MiB in pieces of 512 bytes, and sends those that are zero as holes",
	Hooks: onRead(1, func(x *server.Exchange) {
		if x.Request.Length > 1<<20 || x.Request.Flags&wire.CmdFlagDF != 0 {
			return
		}
		var list []server.Message
		pieces(x, func(_ int, data []byte, off uint64) {
			m := x.DataChunk(off, data)
			if allZero(data) {
				m = x.Chunk(wire.ChunkOffsetHole, wire.OffsetHole{Offset: off, Size: uint32(len(data))}.Append(nil))
			}
			list = append(list, m)
		})
		x.Chunks(list...)
	}),
})

// LBAErrorJunk says what it has no idea of.
var LBAErrorJunk = register(Quirk{
	Name: "lba-error-junk", Allowed: true,
	Doc: "sends invalid data after an error in reply to NBD_CMD_GET_LBA_STATUS",
	Hooks: onLBAReply(func(_ *server.Exchange, m *server.Message) {
		if m.Simple.Error != wire.OK {
			m.Data = wire.LBAData("junk!").Append(nil)
		}
	}),
})

// StatusUnalignedAccepted serves cache and block status requests below the minimum block size.
var StatusUnalignedAccepted = register(Quirk{
	Name: "status-unaligned-accepted", Allowed: true, // size.align.server.other is disputed
	Doc:   "serves an NBD_CMD_CACHE or NBD_CMD_BLOCK_STATUS that is not aligned to the minimum block size",
	Hooks: skip("size.align.server.other"),
})
