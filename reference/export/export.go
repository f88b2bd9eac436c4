package export

import (
	"fmt"

	"nbdconform/reference/wire"
)

// Metadata contexts that a [Memory] knows.
const (
	// BaseAllocation is the context of section "`base:allocation` metadata
	// context"; its status is a set of [wire.StateFlags].
	BaseAllocation = "base:allocation"
	// Depth is a context for local experiments: status 1 where storage is
	// allocated, 0 where there is a hole.
	Depth = "x-nbdconform:depth"
	// Stripes is a context for local experiments that has as many extents as
	// there can be: status 0 and 1 take turns, page by page.
	Stripes = "x-nbdconform:stripes"
)

// An Export is a disk. Its methods may be called from several goroutines.
//
// Offsets and lengths are in bytes. Callers stay within Size; what lies
// beyond it is nobody's error here, because refusing such requests is the
// server's business: reads give zeroes and changes are lost.
//
// An error is a [wire.Errno] or wraps one, as [*Error] does; anything else
// stands for NBD_EIO.
type Export interface {
	// Size is the size of the export. It changes by [Resizer] alone.
	Size() uint64
	// ReadAt fills p from off. After an error the contents of p are undefined.
	ReadAt(p []byte, off uint64) error
	// WriteAt stores p at off and keeps no reference to it.
	WriteAt(p []byte, off uint64) error
	// Zero makes n bytes read as zeroes: with noHole they stay allocated.
	// With fast it fails with NBD_ENOTSUP, and changes nothing, unless it is
	// quicker than WriteAt.
	Zero(off, n uint64, noHole, fast bool) error
	// Trim says that n bytes are no longer needed. The export may discard
	// them, wholly, partly or not at all.
	Trim(off, n uint64) error
	// Cache says that n bytes will be needed soon.
	Cache(off, n uint64) error
	// Flush returns when all that completed operations changed is on permanent storage.
	Flush() error
	// Extents appends to dst the status of n bytes from off in a metadata
	// context: at least one extent if n > 0, at most limit, none beyond
	// off+n, neighbours with different status where limit permits.
	Extents(dst []wire.Extent, context string, off, n uint64, limit int) ([]wire.Extent, error)
}

// An Immediate is an Export whose operations never wait for anything but
// memory. The server may run small ones without a goroutine of their own.
type Immediate interface{ Immediate() bool }

// An Error is a failure at a known place.
type Error struct {
	Errno  wire.Errno
	Offset uint64 // of the first byte that is affected
}

func (e *Error) Error() string { return fmt.Sprintf("%v at offset %d", e.Errno, e.Offset) }

// Unwrap makes errors.Is(err, wire.EIO) work.
func (e *Error) Unwrap() error { return e.Errno }
