package export

import (
	"encoding/binary"
	"fmt"
	"io"
	"os"
	"runtime"

	"nbdconform/reference/wire"
)

// A Source is a disk with contents that come from elsewhere and never change:
// what would change them fails with NBD_EPERM. It is what a [Layered] can
// stand on.
type Source struct {
	size      uint64
	held      uint64 // bytes that there are; holes are behind them
	read      func(p []byte, off uint64) error
	run       func(off uint64) (end uint64, hole bool) // nil: all data
	immediate bool
}

// NewOffsets returns a disk whose every 8 bytes are their own offset, the most
// significant byte first.
func NewOffsets(size uint64) *Source {
	return &Source{size: size, held: size, immediate: true, read: func(p []byte, off uint64) error {
		var word [8]byte
		for len(p) > 0 {
			binary.BigEndian.PutUint64(word[:], off&^7)
			k := copy(p, word[off&7:])
			p, off = p[k:], off+uint64(k)
		}
		return nil
	}}
}

// NewRepeat returns a disk that has a text over and over. The text is not empty.
func NewRepeat(text string, size uint64) *Source {
	return &Source{size: size, held: size, immediate: true, read: func(p []byte, off uint64) error {
		for len(p) > 0 {
			k := copy(p, text[off%uint64(len(text)):])
			p, off = p[k:], off+uint64(k)
		}
		return nil
	}}
}

// NewFile returns a disk with the contents of a file, and zeroes behind them.
// The file is read as the disk is, and stays the caller's.
func NewFile(f *os.File, size uint64) (*Source, error) {
	info, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", f.Name())
	}
	s := &Source{size: size, held: min(size, uint64(info.Size()))}
	s.read = func(p []byte, off uint64) error {
		n := min(uint64(len(p)), s.held-min(off, s.held))
		clear(p[n:])
		if _, err := io.ReadFull(io.NewSectionReader(f, int64(off), int64(n)), p[:n]); n > 0 && err != nil {
			return fmt.Errorf("%w: %w", wire.EIO, err)
		}
		return nil
	}
	if runtime.GOOS == "linux" {
		s.run = func(off uint64) (uint64, bool) { return runOf(f, off, s.held) }
	}
	return s, nil
}

// Whence of lseek(2) on Linux.
const (
	seekData = 3
	seekHole = 4
)

// runOf finds how far what a file has at off goes, and whether it is a hole.
func runOf(f *os.File, off, size uint64) (end uint64, hole bool) {
	data, err := f.Seek(int64(off), seekData)
	switch {
	case err != nil: // nothing but a hole is left, or the system can't tell
		if gap, err := f.Seek(int64(off), seekHole); err == nil && uint64(gap) == off {
			return size, true
		}
		return size, false
	case uint64(data) > off:
		return min(uint64(data), size), true
	}
	gap, err := f.Seek(int64(off), seekHole)
	if err != nil || uint64(gap) <= off {
		return size, false
	}
	return min(uint64(gap), size), false
}

// Size implements [Export].
func (s *Source) Size() uint64 { return s.size }

// Immediate implements [Immediate].
func (s *Source) Immediate() bool { return s.immediate }

// ReadAt implements [Export].
func (s *Source) ReadAt(p []byte, off uint64) error {
	n := min(uint64(len(p)), s.size-min(off, s.size))
	clear(p[n:])
	return s.read(p[:n], off)
}

// Cache implements [Export].
func (s *Source) Cache(off, n uint64) error { return nil }

// Flush implements [Export].
func (s *Source) Flush() error { return nil }

// WriteAt implements [Export].
func (s *Source) WriteAt(p []byte, off uint64) error { return wire.EPERM }

// Zero implements [Export].
func (s *Source) Zero(off, n uint64, noHole, fast bool) error { return wire.EPERM }

// Trim implements [Export].
func (s *Source) Trim(off, n uint64) error { return wire.EPERM }

// Extents implements [Export], for the contexts of [Memory].
func (s *Source) Extents(dst []wire.Extent, context string, off, n uint64, limit int) ([]wire.Extent, error) {
	data, hole := uint64(stateData), uint64(stateHole)
	switch context {
	case BaseAllocation, Stripes:
	case Depth, AllocationDepth:
		data, hole = 1, 0
	default:
		return dst, wire.EINVAL
	}
	e := extents{list: dst, from: len(dst), limit: limit}
	n = min(n, s.size-min(off, s.size))
	if context == Stripes {
		e.stripes(off, n)
		return e.list, nil
	}
	for n > 0 && !e.full {
		end, status := s.held, data
		switch {
		case off >= s.held:
			end, status = s.size, hole
		case s.run != nil:
			var gap bool
			if end, gap = s.run(off); gap {
				status = hole
			}
		}
		k := min(n, end-off)
		e.add(k, status)
		off, n = off+k, n-k
	}
	return e.list, nil
}
