package export

import (
	"strings"
	"sync"

	"nbdconform/reference/wire"
)

// DirtyBitmap opens the name of the context of a dirty bitmap; the name of
// the bitmap follows. Its status is 0 or [Dirty]. Section
// "qemu" of QEMU's description of its namespace.
const DirtyBitmap = "qemu:dirty-bitmap:"

// Dirty is the status of an extent of a dirty bitmap that has changed: NBD_STATE_DIRTY.
const Dirty uint64 = 1 << 0

// A Tracked is an export that remembers in named bitmaps what has changed
// since they were last cleared. What a write, a zero or a trim touches counts
// as changed, be the bytes the same or not; so does what one that failed may
// have touched. The unit is a page.
type Tracked struct {
	Export
	mu      sync.RWMutex
	names   []string
	bitmaps map[string]*spans
}

// NewTracked wraps e. The bitmaps are clean.
func NewTracked(e Export, bitmaps ...string) *Tracked {
	t := &Tracked{Export: e, names: bitmaps, bitmaps: map[string]*spans{}}
	for _, name := range bitmaps {
		t.bitmaps[name] = new(spans)
	}
	return t
}

// Immediate implements [Immediate].
func (t *Tracked) Immediate() bool {
	i, ok := t.Export.(Immediate)
	return ok && i.Immediate()
}

// Contexts implements [Describer]: those of the export, then the bitmaps.
func (t *Tracked) Contexts() []string {
	list := ContextsOf(t.Export)
	for _, name := range t.names {
		list = append(list, DirtyBitmap+name)
	}
	return list
}

// Clear makes a bitmap clean, if there is one of the name.
func (t *Tracked) Clear(bitmap string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if s := t.bitmaps[bitmap]; s != nil {
		*s = nil
	}
}

// Mark makes n bytes from off dirty in all bitmaps.
func (t *Tracked) Mark(off, n uint64) {
	if size := t.Size(); off < size && n > 0 {
		p := span{off &^ (PageSize - 1), (off + min(n, size-off) - 1) | (PageSize - 1)}
		t.mu.Lock()
		defer t.mu.Unlock()
		for _, s := range t.bitmaps {
			*s = s.add(p)
		}
	}
}

// The changes are marked first: a client that sees the new contents must not
// find the bitmap clean.

// WriteAt implements [Export].
func (t *Tracked) WriteAt(p []byte, off uint64) error {
	t.Mark(off, uint64(len(p)))
	return t.Export.WriteAt(p, off)
}

// Zero implements [Export].
func (t *Tracked) Zero(off, n uint64, noHole, fast bool) error {
	t.Mark(off, n)
	return t.Export.Zero(off, n, noHole, fast)
}

// Trim implements [Export].
func (t *Tracked) Trim(off, n uint64) error {
	t.Mark(off, n)
	return t.Export.Trim(off, n)
}

// Extents implements [Export].
func (t *Tracked) Extents(dst []wire.Extent, context string, off, n uint64, limit int) ([]wire.Extent, error) {
	name, ok := strings.CutPrefix(context, DirtyBitmap)
	if !ok {
		return t.Export.Extents(dst, context, off, n, limit)
	}
	t.mu.RLock()
	defer t.mu.RUnlock()
	s := t.bitmaps[name]
	if s == nil {
		return dst, wire.EINVAL
	}
	e := extents{list: dst, from: len(dst), limit: limit}
	size := t.Size()
	n = min(n, size-min(off, size))
	for i := s.at(off); n > 0 && !e.full; i++ {
		clean := n
		if i < len(*s) {
			clean = min(n, (*s)[i].first-min((*s)[i].first, off))
		}
		if clean > 0 {
			e.add(clean, 0)
			off, n = off+clean, n-clean
		}
		if n > 0 {
			k := n
			if left := (*s)[i].last - off; left < n {
				k = left + 1
			}
			e.add(k, Dirty)
			off, n = off+k, n-k
		}
	}
	return e.list, nil
}
