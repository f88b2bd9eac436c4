package server

import (
	"nbdconform/reference/export"
	"nbdconform/reference/server/internal/engine"
	"nbdconform/reference/wire"
)

// cmdRead is section "NBD_CMD_READ".
var cmdRead = command{
	align:  "err.read.align",
	bounds: "err.read.bounds", beyond: wire.EINVAL,
	check:  (*transmission).checkReadLength,
	memory: (*transmission).dataMemory,
	reply:  (*transmission).read,
}

// checkReadLength refuses what the server would have to hold in memory and is
// too long. A structured reply could be split, but need not be: see clause
// cmd.read.large.eoverflow.
func (t *transmission) checkReadLength(q *wire.Request) (wire.Errno, string) {
	switch {
	case q.Length <= t.maxPayload:
		return wire.OK, ""
	case t.Structured:
		return wire.EOVERFLOW, "the read is longer than the maximum payload size"
	}
	return wire.EINVAL, "the request is longer than the maximum payload size"
}

// read makes the whole reply before the first byte of it is sent, so that no
// error can follow data.
func (t *transmission) read(r *request) *engine.Reply {
	switch {
	case !t.Structured:
		return t.readSimple(r)
	case r.Length == 0:
		return t.status(r, nil)
	}
	return t.readChunks(r)
}

// readSimple makes a simple reply: the data follows it.
func (t *transmission) readSimple(r *request) *engine.Reply {
	n := int(r.Length)
	direct := t.direct(r, n)
	b := t.newDataReply(r, wire.SimpleReplySize, n, direct)
	b.Bytes = wire.SimpleReply{Cookie: r.Cookie}.Append(b.Bytes)
	if err := t.appendData(b, r.Offset, n, direct); err != nil {
		t.engine.Abandon(b)
		return t.failure(r, err)
	}
	return b
}

// readChunks makes a structured or extended reply, with a chunk for each run of
// data and each hole. Section "Structured reply types".
func (t *transmission) readChunks(r *request) *engine.Reply {
	data := t.split(r)
	direct := t.direct(r, data)
	b := t.newDataReply(r, len(r.pieces)*(wire.ExtendedChunkSize+12), data, direct)
	off := r.Offset
	for i, p := range r.pieces {
		var h wire.ChunkHeader
		if i == len(r.pieces)-1 {
			h.Flags = wire.ReplyFlagDone
		}
		if p.hole {
			h.Type, h.Length = wire.ChunkOffsetHole, 12
			b.Bytes = wire.OffsetHole{Offset: off, Size: uint32(p.length)}.Append(t.chunk(b.Bytes, r, h))
		} else {
			h.Type, h.Length = wire.ChunkOffsetData, 8+p.length
			b.Bytes = wire.OffsetData{Offset: off}.Append(t.chunk(b.Bytes, r, h))
			if err := t.appendData(b, off, int(p.length), direct); err != nil {
				t.engine.Abandon(b)
				return t.failure(r, err)
			}
		}
		off += p.length
	}
	return b
}

// maxPieces is how many chunks the disk may divide a reply into, at most: the
// rest is sent as data.
const maxPieces = 1024

// A piece is a run of bytes that becomes one chunk.
type piece struct {
	length uint64 // bytes
	hole   bool
}

// split finds the chunks of the reply to r, alternately data and holes, and
// returns how many bytes are data. It is all one chunk with NBD_CMD_FLAG_DF, and
// where the disk does not know.
func (t *transmission) split(r *request) (data int) {
	r.pieces = r.pieces[:0]
	left := r.Length
	if r.Flags&wire.CmdFlagDF == 0 {
		list, err := t.disk.Extents(r.extents[:0], export.BaseAllocation, r.Offset, r.Length, maxPieces)
		r.extents = list
		if err != nil {
			list = nil
		}
		for _, e := range list {
			n := min(e.Length, left)
			r.add(piece{length: n, hole: wire.StateFlags(e.Status)&wire.StateZero != 0})
			left -= n
		}
	}
	r.add(piece{length: left})
	for _, p := range r.pieces {
		if !p.hole {
			data += int(p.length)
		}
	}
	return data
}

// add appends p to the pieces, or makes the last one longer.
func (r *request) add(p piece) {
	if last := len(r.pieces) - 1; last >= 0 && r.pieces[last].hole == p.hole {
		r.pieces[last].length += p.length
	} else if p.length > 0 {
		r.pieces = append(r.pieces, p)
	}
}
