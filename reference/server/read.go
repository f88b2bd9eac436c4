package server

import (
	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// maxPieces bounds the chunks of one reply: what is behind them is sent as data.
const maxPieces = 1024

// A piece is a run of bytes that becomes one chunk.
type piece struct {
	length uint64
	hole   bool
}

// read does NBD_CMD_READ and makes the whole reply. All data is in memory
// before the first byte is sent, so that no error can come up later.
func (t *transmission) read(r *request) *buffer {
	switch {
	case !t.Structured:
		return t.readSimple(r)
	case r.Length == 0:
		return t.status(r, nil)
	}
	t.split(r)
	data := 0
	for _, p := range r.pieces {
		if !p.hole {
			data += int(p.length)
		}
	}
	lent := t.lent(r, data)
	if lent {
		data = 0
	}
	b := t.room(r, data+len(r.pieces)*(wire.ExtendedChunkSize+12))
	before := len(b.b)
	off := r.Offset
	for i, p := range r.pieces {
		var h wire.ChunkHeader
		if i == len(r.pieces)-1 {
			h.Flags = wire.ReplyFlagDone
		}
		if p.hole {
			h.Type, h.Length = wire.ChunkOffsetHole, 12
			b.b = wire.OffsetHole{Offset: off, Size: uint32(p.length)}.Append(t.chunk(b.b, r, h))
		} else {
			h.Type, h.Length = wire.ChunkOffsetData, 8+p.length
			b.b = wire.OffsetData{Offset: off}.Append(t.chunk(b.b, r, h))
			if lent {
				b.borrow(t.memory, off, p.length)
			} else if err := t.readInto(b, off, int(p.length)); err != nil {
				t.abandon(r, b, before)
				return t.failure(r, err)
			}
		}
		off += p.length
	}
	return b
}

// lent reports whether n bytes of data in the reply to r are sent from where
// they are stored.
func (t *transmission) lent(r *request, n int) bool {
	return t.memory != nil && r.inline && n >= directAt
}

func (t *transmission) readSimple(r *request) *buffer {
	n, lent := int(r.Length), t.lent(r, int(r.Length))
	if lent {
		n = 0
	}
	b := t.room(r, wire.SimpleReplySize+n)
	before := len(b.b)
	b.b = wire.SimpleReply{Cookie: r.Cookie}.Append(b.b)
	switch {
	case r.Length == 0:
		return b
	case lent:
		b.borrow(t.memory, r.Offset, r.Length)
		return b
	}
	if err := t.readInto(b, r.Offset, int(r.Length)); err != nil {
		t.abandon(r, b, before)
		return t.failure(r, err)
	}
	return b
}

// readInto appends n bytes of the disk to b, whose capacity suffices.
func (t *transmission) readInto(b *buffer, off uint64, n int) error {
	at := len(b.b)
	b.b = b.b[:at+n]
	return t.disk.ReadAt(b.b[at:], off)
}

// split finds the chunks of the reply to r: data and holes take turns. It is
// all one chunk with NBD_CMD_FLAG_DF, and where the disk can't tell.
func (t *transmission) split(r *request) {
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
}

// add appends p to the pieces, or makes the last one longer.
func (r *request) add(p piece) {
	if last := len(r.pieces) - 1; last >= 0 && r.pieces[last].hole == p.hole {
		r.pieces[last].length += p.length
	} else if p.length > 0 {
		r.pieces = append(r.pieces, p)
	}
}
