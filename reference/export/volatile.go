package export

import "sync"

// A Volatile is a disk behind a cache: what was not flushed is lost in a crash.
// It is as good a disk as any other while nothing crashes.
type Volatile struct {
	*Memory // what is read: the cache over the storage

	mu      sync.Mutex // guards what follows, and the order of changes
	storage *Memory
	pending []change
	held    uint64 // bytes of data in pending
}

// A change waits to be made to the storage.
type change struct {
	data []byte // nil: zeroes
	off  uint64
	n    uint64
}

// mostHeld bounds the data that waits, in bytes. A cache may write back at any time.
const mostHeld = 32 << 20

// NewVolatile returns a disk of size bytes that is one hole.
func NewVolatile(size uint64) *Volatile {
	return &Volatile{Memory: New(size), storage: New(size)}
}

// Crash returns the disk that is found after a crash: the storage, behind an
// empty cache. The disk itself is not to be used any more.
func (v *Volatile) Crash() *Volatile {
	v.mu.Lock()
	defer v.mu.Unlock()
	after := &Volatile{Memory: New(v.size), storage: v.storage}
	buffer := make([]byte, 1<<20)
	for off := uint64(0); off < v.size; {
		list, err := v.storage.Extents(nil, Depth, off, v.size-off, 1)
		if err != nil || len(list) == 0 {
			break
		}
		end := off + list[0].Length
		for ; list[0].Status != 0 && off < end; off += uint64(len(buffer)) {
			part := buffer[:min(uint64(len(buffer)), end-off)]
			_ = v.storage.ReadAt(part, off) // memory does not fail
			_ = after.Memory.WriteAt(part, off)
		}
		off = end
	}
	return after
}

// WriteAt implements [Export].
func (v *Volatile) WriteAt(p []byte, off uint64) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.held += uint64(len(p)); v.held > mostHeld {
		v.sync()
	}
	v.pending = append(v.pending, change{data: append([]byte{}, p...), off: off})
	return v.Memory.WriteAt(p, off)
}

// Zero implements [Export].
func (v *Volatile) Zero(off, n uint64, noHole, fast bool) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pending = append(v.pending, change{off: off, n: n})
	return v.Memory.Zero(off, n, noHole, fast)
}

// Trim implements [Export].
func (v *Volatile) Trim(off, n uint64) error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.pending = append(v.pending, change{off: off, n: n})
	return v.Memory.Zero(off, n, false, false)
}

// Flush implements [Export].
func (v *Volatile) Flush() error {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.sync()
	return nil
}

// sync makes the changes that wait, in their order.
func (v *Volatile) sync() {
	for _, c := range v.pending {
		if c.data != nil {
			_ = v.storage.WriteAt(c.data, c.off) // memory without limits takes it
		} else {
			_ = v.storage.Zero(c.off, c.n, false, false)
		}
	}
	v.pending, v.held = nil, 0
}
