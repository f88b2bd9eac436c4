package server

import (
	"math"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// blockStatus does NBD_CMD_BLOCK_STATUS: one chunk for each selected context,
// in the order of their ids, with descriptors for the range that was asked
// for or its beginning.
func (t *transmission) blockStatus(r *request) *buffer {
	limit := t.srv.cfg.MaxExtents
	if r.Flags&wire.CmdFlagReqOne != 0 {
		limit = 1
	}
	b := getBuffer(len(t.Contexts) * (wire.ChunkSize + 12))
	for i, m := range t.Contexts {
		list, err := t.disk.Extents(r.extents[:0], m.Name, r.Offset, r.Length, limit)
		r.extents = list
		if err != nil || len(list) == 0 {
			putBuffer(b)
			if err == nil {
				err = wire.EIO
			}
			return t.failure(r, err)
		}
		list = alignExtents(list, t.minimum, m.Name == export.BaseAllocation)
		h := wire.ChunkHeader{Type: wire.ChunkBlockStatus, Cookie: r.Cookie, Length: uint64(4 + 8*len(list))}
		if i == len(t.Contexts)-1 {
			h.Flags = wire.ReplyFlagDone
		}
		b.b = wire.BlockStatus{ContextID: m.ID, Extents: list}.Append(h.Append(b.b))
	}
	return b
}

// alignExtents moves the borders between extents to multiples of minimum, by
// merging what lies within one block, in place. A block of
// base:allocation has the flags that hold for all of it; in other contexts
// the last extent wins. What is left of the list is at most as long as
// before; an unaligned end stays only if there is nothing else.
func alignExtents(list []wire.Extent, minimum uint64, flags bool) []wire.Extent {
	out := list[:0]
	emit := func(n, status uint64) {
		n = min(n, math.MaxUint32&^(minimum-1)) // all that a descriptor can hold
		if last := len(out) - 1; last >= 0 && out[last].Status == status && out[last].Length+n <= math.MaxUint32 {
			out[last].Length += n
		} else if n > 0 {
			out = append(out, wire.Extent{Length: n, Status: status})
		}
	}
	var have, mix uint64 // of a block that is not complete
	for _, e := range list {
		if have > 0 {
			k := min(e.Length, minimum-have)
			if flags {
				mix &= e.Status
			} else {
				mix = e.Status
			}
			have, e.Length = have+k, e.Length-k
			if have < minimum {
				continue
			}
			emit(have, mix)
		}
		have, mix = e.Length%minimum, e.Status
		emit(e.Length-have, e.Status)
	}
	if len(out) == 0 {
		emit(have, mix)
	}
	return out
}
