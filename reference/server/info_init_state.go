package server

import (
	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// initState is the state of a whole disk, from at most 2^20 extents: the rest
// counts as data. It is 0 where the disk does not know.
func initState(d export.Export) (f wire.InitFlags) {
	const most, step = 1 << 20, 1 << 10
	var scratch [step]wire.Extent
	zero, off := true, uint64(0)
	for n := 0; off < d.Size(); n += step {
		list, err := d.Extents(scratch[:0], export.BaseAllocation, off, d.Size()-off, step)
		if err != nil || len(list) == 0 {
			return 0
		}
		for _, e := range list {
			s := wire.StateFlags(e.Status)
			zero = zero && s&wire.StateZero != 0
			if s&wire.StateHole != 0 {
				f |= wire.InitSparse
			}
			off += e.Length
		}
		if zero = zero && (n < most || off == d.Size()); !zero && (f != 0 || n >= most) {
			return f
		}
	}
	if zero {
		f |= wire.InitZero
	}
	return f
}
