package export

import (
	"slices"
	"sync"

	"nbdconform/reference/wire"
)

// AllocationDepth is a context of the namespace "qemu": status 0 where nothing
// is allocated, 1 where storage is allocated in the export itself, 2 where it
// is in the layer behind it, and so on.
const AllocationDepth = "qemu:allocation-depth"

// A Layered is a disk over another, which it never changes: where it has
// storage of its own that counts, elsewhere what is behind. Zeroes and trims
// keep their range allocated in it, as a hole would show what is behind.
type Layered struct {
	mu     sync.RWMutex
	top    *Memory
	behind Export
}

// NewLayered returns a disk with the contents of behind, and of its size.
func NewLayered(behind Export) *Layered {
	return &Layered{top: New(behind.Size()), behind: behind}
}

// Size implements [Export].
func (l *Layered) Size() uint64 { return l.top.Size() }

// Immediate implements [Immediate].
func (l *Layered) Immediate() bool {
	i, ok := l.behind.(Immediate)
	return ok && i.Immediate()
}

// Contexts implements [Describer].
func (l *Layered) Contexts() []string { return []string{BaseAllocation, AllocationDepth, Stripes} }

// ReadAt implements [Export].
func (l *Layered) ReadAt(p []byte, off uint64) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return l.read(p, off)
}

// read reads run by run of what is allocated on top and what is not.
func (l *Layered) read(p []byte, off uint64) error {
	var one [1]wire.Extent
	for len(p) > 0 {
		list, err := l.top.Extents(one[:0], Depth, off, uint64(len(p)), 1)
		if err != nil {
			return err
		}
		if len(list) == 0 { // beyond the end
			clear(p)
			return nil
		}
		from := Export(l.top)
		if list[0].Status == 0 {
			from = l.behind
		}
		k := int(list[0].Length)
		if err := from.ReadAt(p[:k], off); err != nil {
			return err
		}
		p, off = p[k:], off+uint64(k)
	}
	return nil
}

// WriteAt implements [Export].
func (l *Layered) WriteAt(p []byte, off uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.copyEdges(off, uint64(len(p))); err != nil {
		return err
	}
	return l.top.WriteAt(p, off)
}

// Zero implements [Export].
func (l *Layered) Zero(off, n uint64, noHole, fast bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := l.copyEdges(off, n); err != nil {
		return err
	}
	return l.top.Zero(off, n, true, fast)
}

// Trim implements [Export]. Whole pages read as zeroes afterwards.
func (l *Layered) Trim(off, n uint64) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	n = l.top.clip(off, n)
	skip := -off % PageSize
	if n <= skip {
		return nil
	}
	off, n = off+skip, n-skip
	if off+n != l.Size() {
		n -= n % PageSize
	}
	return l.top.Zero(off, n, true, false)
}

// copyEdges allocates the pages that a change covers in part, with what is behind them.
func (l *Layered) copyEdges(off, n uint64) error {
	if n = l.top.clip(off, n); n == 0 {
		return nil
	}
	last := off + n - 1
	for _, at := range []uint64{off, last} {
		page := at &^ (PageSize - 1)
		held := l.top.clip(page, PageSize)
		if page >= off && page+held-1 <= last {
			continue
		}
		b := make([]byte, held)
		if err := l.read(b, page); err != nil {
			return err
		}
		if err := l.top.WriteAt(b, page); err != nil {
			return err
		}
	}
	return nil
}

// Cache implements [Export].
func (l *Layered) Cache(off, n uint64) error { return l.behind.Cache(off, n) }

// Flush implements [Export].
func (l *Layered) Flush() error { return nil }

// Extents implements [Export].
func (l *Layered) Extents(dst []wire.Extent, context string, off, n uint64, limit int) ([]wire.Extent, error) {
	if context != BaseAllocation && context != AllocationDepth {
		return l.top.Extents(dst, context, off, n, limit)
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	e := extents{list: dst, from: len(dst), limit: limit}
	var scratch [16]wire.Extent
	for n = l.top.clip(off, n); n > 0 && !e.full; {
		local, err := l.top.Extents(scratch[:0], Depth, off, n, 1)
		if err != nil {
			return dst, err
		}
		run, from, deeper := local[0].Length, Export(l.top), uint64(0)
		if local[0].Status == 0 {
			from, deeper = l.behind, 1
		}
		list, err := from.Extents(scratch[:0], context, off, run, len(scratch))
		if err != nil {
			return dst, err
		}
		for _, x := range list {
			if context == AllocationDepth && x.Status > 0 {
				x.Status += deeper
			}
			e.add(x.Length, x.Status)
			off, n = off+x.Length, n-x.Length
		}
	}
	return e.list, nil
}

// A Describer is an Export that says which metadata contexts it knows.
type Describer interface{ Contexts() []string }

// ContextsOf lists the metadata contexts of e: what it says itself, else
// those of [Memory]. The slice is the caller's own.
func ContextsOf(e Export) []string {
	if d, ok := e.(Describer); ok {
		return slices.Clone(d.Contexts())
	}
	return []string{BaseAllocation, Depth}
}
