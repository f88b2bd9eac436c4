package export

import (
	"sync"
	"sync/atomic"

	"nbdconform/reference/wire"
)

// A Resizer is an Export whose size can be changed. Bytes that come into
// being are zeroes. An error leaves everything as it was.
type Resizer interface {
	Export
	Resize(size uint64) error
}

// A Resizable is a disk in memory whose size can be changed, up to a limit.
type Resizable struct {
	*Memory
	size atomic.Uint64
	mu   sync.RWMutex // held for writing while the size changes
}

// NewResizable returns a disk of size bytes that is one hole and can grow to most bytes.
func NewResizable(size, most uint64) *Resizable {
	r := &Resizable{Memory: New(most)}
	r.size.Store(size)
	return r
}

// Size implements [Export].
func (r *Resizable) Size() uint64 { return r.size.Load() }

// Most is the size that it can grow to, in bytes.
func (r *Resizable) Most() uint64 { return r.Memory.Size() }

// Resize implements [Resizer]. Beyond the limit it fails with NBD_ENOSPC.
func (r *Resizable) Resize(size uint64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	if size > r.Memory.Size() {
		return wire.ENOSPC
	}
	old := r.size.Load()
	if err := r.Memory.Zero(min(old, size), max(old, size)-min(old, size), false, false); err != nil {
		return err
	}
	r.size.Store(size)
	return nil
}

// within cuts n so that off+n does not exceed the size. r.mu is held.
func (r *Resizable) within(off, n uint64) uint64 {
	size := r.size.Load()
	return min(n, size-min(off, size))
}

// ReadAt implements [Export].
func (r *Resizable) ReadAt(p []byte, off uint64) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	n := r.within(off, uint64(len(p)))
	clear(p[n:])
	return r.Memory.ReadAt(p[:n], off)
}

// WriteAt implements [Export].
func (r *Resizable) WriteAt(p []byte, off uint64) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.Memory.WriteAt(p[:r.within(off, uint64(len(p)))], off)
}

// Zero implements [Export].
func (r *Resizable) Zero(off, n uint64, noHole, fast bool) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.Memory.Zero(off, r.within(off, n), noHole, fast)
}

// Trim implements [Export].
func (r *Resizable) Trim(off, n uint64) error {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.Memory.Trim(off, r.within(off, n))
}

// Extents implements [Export].
func (r *Resizable) Extents(dst []wire.Extent, context string, off, n uint64, limit int) ([]wire.Extent, error) {
	r.mu.RLock()
	defer r.mu.RUnlock()
	return r.Memory.Extents(dst, context, off, r.within(off, n), limit)
}
