package export

import (
	"sync"
	"sync/atomic"

	"nbdconform/reference/wire"
)

// A Memory is a sparse disk in memory.
//
// Storage comes in pages of PageSize bytes, and so do the three states of
// section "`base:allocation` metadata context": a page holds data, is
// allocated and reads as zeroes, or is a hole. A page that was written once
// counts as data even if all its bytes are zero.
//
// Each operation is atomic within an aligned segment of 64 pages (256 KiB):
// operations that overlap there take effect one after the other. One that
// crosses a boundary may be seen half done. Reads don't wait for each other,
// and operations on different segments wait for each other only while one of
// them allocates the segment.
type Memory struct {
	size     uint64
	height   int // levels of inner nodes
	options  Options
	capacity int64 // pages, or 0
	used     atomic.Int64

	root atomic.Pointer[node]
	mu   sync.Mutex // serialises changes to the tree above the leaves
}

// Options are what is unusual about a [Memory]. The zero value is a good disk.
type Options struct {
	// Capacity is how many bytes can be allocated, rounded down to pages;
	// operations that need more fail with NBD_ENOSPC. 0: no limit.
	Capacity uint64
	// SlowZero makes every fast zero request fail with NBD_ENOTSUP.
	SlowZero bool
}

// New returns a disk of size bytes that is one hole.
func New(size uint64) *Memory { return NewWithOptions(size, Options{}) }

// NewWithOptions returns a disk of size bytes that is one hole.
func NewWithOptions(size uint64, o Options) *Memory {
	m := &Memory{size: size, options: o, capacity: int64(o.Capacity / PageSize)}
	for size > 0 && size-1 > mask(m.height) {
		m.height++
	}
	if o.Capacity > 0 && m.capacity == 0 {
		m.capacity = -1 // less than a page is no page, not no limit
	}
	return m
}

// FromBytes returns a disk with the contents of p, which is copied. Whole
// pages of zeroes become holes.
func FromBytes(p []byte) *Memory {
	m := New(uint64(len(p)))
	for off := 0; off < len(p); off += PageSize {
		if piece := p[off:min(off+PageSize, len(p))]; !zero(piece) {
			_ = m.WriteAt(piece, uint64(off)) // can't fail without a capacity
		}
	}
	return m
}

func zero(p []byte) bool {
	for _, c := range p {
		if c != 0 {
			return false
		}
	}
	return true
}

// Size implements [Export].
func (m *Memory) Size() uint64 { return m.size }

// Cache implements [Export]. Memory has nothing faster than itself.
func (m *Memory) Cache(off, n uint64) error { return nil }

// Flush implements [Export]. Nothing here is more permanent than the rest.
func (m *Memory) Flush() error { return nil }

// Immediate implements [Immediate].
func (m *Memory) Immediate() bool { return true }

// clip cuts n so that off+n does not exceed the size.
func (m *Memory) clip(off, n uint64) uint64 {
	if off >= m.size {
		return 0
	}
	return min(n, m.size-off)
}

// reserve takes pages from the capacity, or gives them back if n < 0.
func (m *Memory) reserve(n int64) error {
	if m.capacity == 0 {
		return nil
	}
	if used := m.used.Add(n); n > 0 && used > m.capacity {
		m.used.Add(-n)
		return wire.ENOSPC
	}
	return nil
}
