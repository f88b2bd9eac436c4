package server

import (
	"strings"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// mixer returns how the statuses of two parts of a block become one: the flags
// that hold for both in base:allocation, those that hold for any of them in a
// dirty bitmap, and elsewhere the second.
func mixer(context string) func(a, b uint64) uint64 {
	switch {
	case context == export.BaseAllocation:
		return func(a, b uint64) uint64 { return a & b }
	case strings.HasPrefix(context, export.DirtyBitmap):
		return func(a, b uint64) uint64 { return a | b }
	}
	return func(_, b uint64) uint64 { return b }
}

// alignExtents moves the borders between extents to multiples of minimum bytes,
// by merging extents within one block, in place; mix makes one status of two. The
// list does not get longer; an unaligned end stays only if there is nothing else.
// No extent gets longer than most bytes.
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
	var have, status uint64 // of a block that is incomplete
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
