package gen

import (
	"encoding/binary"

	fuzz "github.com/google/gofuzz"

	"nbdconform/reference/wire"
)

// request makes lengths that a compact header can carry, unless hostile.
func (g *Gen) request(v *wire.Request, c fuzz.Continue) {
	*v = wire.Request{Type: wire.Command(c.Intn(9)), Cookie: c.RandUint64()}
	v.Flags = wire.CommandFlags(c.RandUint64()) & v.Type.AllowedFlags()
	if v.Type != wire.CmdDisc && v.Type != wire.CmdFlush {
		v.Offset, v.Length = size(c), size(c)
	}
	g.spoil(c,
		func() { v.Flags |= 1 << (6 + c.Intn(10)) },
		func() { v.Type, v.Flags = wire.CmdRead, wire.CmdFlagFastZero },
		func() { v.Type, v.Flags, v.Offset = wire.CmdFlush, 0, 1+size(c) },
		func() { v.Type, v.Flags, v.Length = wire.CmdDisc, 0, 1+size(c) },
	)
	if g.kind == Hostile {
		*v = wire.Request{
			Flags: wire.CommandFlags(number(c)), Type: pick(c, v.Type, wire.Command(number(c))),
			Cookie: number(c), Offset: number(c), Length: number(c),
		}
	}
}

func (g *Gen) statusFilter(v *wire.StatusFilter, c fuzz.Continue) {
	v.Length, v.ContextIDs = size(c), make([]uint32, c.Intn(5))
	for i := range v.ContextIDs {
		v.ContextIDs[i] = uint32(i)
	}
	if g.kind == Hostile {
		v.Length = number(c)
		for i := range v.ContextIDs {
			v.ContextIDs[i] = uint32(number(c))
		}
	}
}

func (g *Gen) simpleReply(v *wire.SimpleReply, c fuzz.Continue) {
	*v = wire.SimpleReply{Cookie: c.RandUint64()}
	if c.RandBool() {
		c.Fuzz(&v.Error)
	}
}

func (g *Gen) chunkHeader(v *wire.ChunkHeader, c fuzz.Continue) {
	var k wire.Chunk
	c.Fuzz(&k)
	*v = k.Header()
	if g.kind == Hostile {
		v.Length = number(c)
	}
}

func (g *Gen) chunk(v *wire.Chunk, c fuzz.Continue) {
	*v = wire.Chunk{
		Flags: wire.ReplyFlags(c.Intn(2)), Cookie: c.RandUint64(), Offset: size(c),
		Type: pick(c, wire.ChunkNone, wire.ChunkOffsetData, wire.ChunkOffsetHole, wire.ChunkBlockStatus,
			wire.ChunkBlockStatusExt, wire.ChunkError, wire.ChunkErrorOffset),
	}
	if g.kind == Hostile && c.Intn(4) == 0 {
		v.Flags, v.Type = wire.ReplyFlags(number(c)), wire.ChunkType(number(c))
		v.Offset, v.Payload = number(c), bytes(c, 100)
		return
	}
	switch v.Type {
	case wire.ChunkNone:
		v.Flags = wire.ReplyFlagDone
		g.spoil(c,
			func() { v.Flags = 0 },
			func() { v.Payload = append(bytes(c, 20), 0) },
			func() { v.Flags |= 2 << c.Intn(15) },
		)
	case wire.ChunkOffsetData:
		var d wire.OffsetData
		c.Fuzz(&d)
		v.Payload = d.Append(nil)
		g.spoil(c, func() { v.Payload = v.Payload[:c.Intn(9)] })
	case wire.ChunkOffsetHole:
		var h wire.OffsetHole
		c.Fuzz(&h)
		v.Payload = h.Append(nil)
	case wire.ChunkBlockStatus:
		var s wire.BlockStatus
		c.Fuzz(&s)
		v.Payload = s.Append(nil)
	case wire.ChunkBlockStatusExt:
		var s wire.BlockStatus
		c.Fuzz(&s)
		v.Payload = s.AppendExtended(nil)
		g.spoil(c, func() { v.Payload[7]++ }) // the number of extents
	default:
		var e wire.ErrorChunk
		c.Fuzz(&e)
		if e.Rest = nil; v.Type == wire.ChunkErrorOffset {
			e.Rest = binary.BigEndian.AppendUint64(nil, size(c))
		}
		v.Payload = e.Append(nil)
	}
}

// offsetData has no rules beyond its layout: it is never nearly valid.
func (g *Gen) offsetData(v *wire.OffsetData, c fuzz.Continue) {
	v.Offset, v.Data = size(c), append(bytes(c, 1000), 1)
	if g.kind == Hostile {
		v.Offset, v.Data = number(c), bytes(c, 1000)
	}
}

func (g *Gen) offsetHole(v *wire.OffsetHole, c fuzz.Continue) {
	v.Offset, v.Size = size(c), 512+uint32(size(c))
	g.spoil(c, func() { v.Size = 0 })
	if g.kind == Hostile {
		v.Offset, v.Size = number(c), uint32(number(c))
	}
}

// blockStatus makes extents of 32 bits, unless hostile.
func (g *Gen) blockStatus(v *wire.BlockStatus, c fuzz.Continue) {
	v.ContextID, v.Extents = c.Uint32(), make([]wire.Extent, 1+c.Intn(8))
	for i := range v.Extents {
		v.Extents[i] = wire.Extent{Length: 512 + size(c), Status: uint64(c.Intn(4))}
	}
	g.spoil(c, func() { v.Extents[c.Intn(len(v.Extents))].Length = 0 })
	if g.kind == Hostile {
		v.Extents = v.Extents[:c.Intn(len(v.Extents)+1)]
		for i := range v.Extents {
			v.Extents[i] = wire.Extent{Length: number(c), Status: number(c)}
		}
	}
}

func (g *Gen) errorChunk(v *wire.ErrorChunk, c fuzz.Continue) {
	*v = wire.ErrorChunk{Message: text(c)}
	c.Fuzz(&v.Error)
	if c.RandBool() {
		v.Rest = binary.BigEndian.AppendUint64(nil, size(c))
	}
	g.spoil(c,
		func() { v.Error = wire.OK },
		func() { v.Message = badText(c) },
	)
	if g.kind == Hostile {
		v.Message, v.Rest = wild(c), bytes(c, 20)
	}
}
