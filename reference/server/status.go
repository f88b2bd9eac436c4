package server

import (
	"math"
	"strings"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// blockStatus does NBD_CMD_BLOCK_STATUS: one chunk for each context that is
// asked for, with descriptors for the range that was asked for or its
// beginning.
func (t *transmission) blockStatus(r *request) *buffer {
	if len(r.contexts) == 0 { // the hooks let it pass
		return t.status(r, nil)
	}
	limit := min(t.srv.cfg.MaxExtents, int(max(t.maxPayload/16, 1)))
	if r.Flags&wire.CmdFlagReqOne != 0 {
		limit = 1
	}
	most := uint64(math.MaxUint32)
	if t.Extended {
		most = math.MaxUint64
	}
	b := t.room(r, len(r.contexts)*(wire.ExtendedChunkSize+24))
	before := len(b.b)
	for i, m := range r.contexts {
		list, err := t.disk.Extents(r.extents[:0], m.Name, r.Offset, r.Length, limit)
		r.extents = list
		if err != nil || len(list) == 0 {
			t.abandon(r, b, before)
			if err == nil {
				err = wire.EIO
			}
			return t.failure(r, err)
		}
		list = alignExtents(list, t.minimum, mixer(m.Name), most)
		var flags wire.ReplyFlags
		if i == len(r.contexts)-1 {
			flags = wire.ReplyFlagDone
		}
		b.b = t.statusChunk(b.b, r, flags, wire.BlockStatus{ContextID: m.ID, Extents: list})
	}
	return b
}

// statusChunk appends a chunk of block status, of the type that was negotiated.
func (t *transmission) statusChunk(b []byte, r *request, flags wire.ReplyFlags, s wire.BlockStatus) []byte {
	n := uint64(len(s.Extents))
	if t.Extended {
		return s.AppendExtended(t.chunk(b, r, wire.ChunkHeader{Flags: flags, Type: wire.ChunkBlockStatusExt, Length: 8 + 16*n}))
	}
	return s.Append(t.chunk(b, r, wire.ChunkHeader{Flags: flags, Type: wire.ChunkBlockStatus, Length: 4 + 8*n}))
}

// mixer says which status a block has of which parts have two: the flags that
// hold for all of it in base:allocation, those that hold for any of it in a
// dirty bitmap, and elsewhere the last.
func mixer(context string) func(a, b uint64) uint64 {
	switch {
	case context == export.BaseAllocation:
		return func(a, b uint64) uint64 { return a & b }
	case strings.HasPrefix(context, export.DirtyBitmap):
		return func(a, b uint64) uint64 { return a | b }
	}
	return func(_, b uint64) uint64 { return b }
}

// alignExtents moves the borders between extents to multiples of minimum, by
// merging what lies within one block, in place; mix says what becomes of two
// of them. What is left of the list is at most as long as before; an unaligned
// end stays only if there is nothing else. No extent gets longer than most.
func alignExtents(list []wire.Extent, minimum uint64, mix func(a, b uint64) uint64, most uint64) []wire.Extent {
	out := list[:0]
	emit := func(n, status uint64) {
		n = min(n, most&^(minimum-1))
		if last := len(out) - 1; last >= 0 && out[last].Status == status && out[last].Length <= most-n {
			out[last].Length += n
		} else if n > 0 {
			out = append(out, wire.Extent{Length: n, Status: status})
		}
	}
	var have, status uint64 // of a block that is not complete
	for _, e := range list {
		if have > 0 {
			k := min(e.Length, minimum-have)
			status = mix(status, e.Status)
			have, e.Length = have+k, e.Length-k
			if have < minimum {
				continue
			}
			emit(have, status)
		}
		have, status = e.Length%minimum, e.Status
		emit(e.Length-have, e.Status)
	}
	if len(out) == 0 {
		emit(have, status)
	}
	return out
}
