package session

import (
	"iter"
	"math"
	"math/bits"

	"nbdconform/reference/wire"
)

// Sum is a+b, or 2^64-1 where that is less. Lengths that a server tells are
// added to offsets by it: they may be anything.
func Sum(a, b uint64) uint64 {
	if n, carry := bits.Add64(a, b, 0); carry == 0 {
		return n
	}
	return math.MaxUint64
}

// Has reports whether the export has every byte that a request is about, and
// the place where it starts.
func (f Facts) Has(q wire.Request) bool {
	return q.Offset < f.Size && q.Length <= f.Size-q.Offset
}

// Behind are those of the requests that reach behind the end of the export.
func (f Facts) Behind(list ...wire.Request) []wire.Request {
	var behind []wire.Request
	for _, q := range list {
		if !f.Has(q) {
			behind = append(behind, q)
		}
	}
	return behind
}

// End is the first multiple of the block size that is not within the export,
// unless that is 2^64, which no offset can be.
func (f Facts) End() (offset uint64, ok bool) {
	b := f.Block()
	offset, carry := bits.Add64(f.Size/b*b, min(f.Size%b, 1)*b, 0)
	return offset, carry == 0
}

// Doubling yields 0, n, 2n, 4n and so on, up to most.
func Doubling(n, most uint64) iter.Seq[uint64] {
	return func(yield func(uint64) bool) {
		if !yield(0) {
			return
		}
		for at := n; at <= most && yield(at) && at <= math.MaxUint64/2; at *= 2 {
		}
	}
}

// MostMapped is how much of an export's status specs ask for, in bytes: more
// would be thousands of requests.
const MostMapped = 1 << 40
