package session

import (
	"math"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/wire"
)

const top = math.MaxUint64

func TestSum(t *testing.T) {
	for _, tt := range [][3]uint64{{0, 0, 0}, {1, 2, 3}, {top, 0, top}, {top - 1, 1, top}, {top, 1, top}, {1 << 63, 1 << 63, top}, {top, top, top}} {
		if got := Sum(tt[0], tt[1]); got != tt[2] {
			t.Errorf("%d and %d are %d", tt[0], tt[1], got)
		}
	}
}

func TestEnd(t *testing.T) {
	for _, tt := range []struct {
		size, end uint64
		ok        bool
	}{
		{0, 0, true},
		{1, 512, true},
		{511, 512, true},
		{512, 512, true},
		{513, 1024, true},
		{1<<63 - 1, 1 << 63, true},
		{1 << 63, 1 << 63, true},
		{top - 1023, top - 1023, true},
		{top - 1022, top - 511, true},
		{top - 511, top - 511, true},
		{top - 510, 0, false},
		{top, 0, false},
	} {
		f := Facts{Size: tt.size}
		if end, ok := f.End(); end != tt.end || ok != tt.ok {
			t.Errorf("the end of %d bytes: %d, %v", tt.size, end, ok)
		}
	}
}

func TestHas(t *testing.T) {
	for _, tt := range []struct {
		size, offset, n uint64
		has             bool
	}{
		{0, 0, 0, false},
		{512, 0, 512, true},
		{512, 0, 513, false},
		{512, 512, 0, false},
		{512, 511, 1, true},
		{512, top, 2, false},
		{top, top - 1, 1, true},
		{top, top - 1, 2, false},
		{top, top - 511, 1024, false},
		{top, top, 1, false},
	} {
		q := wire.Request{Offset: tt.offset, Length: tt.n}
		f := Facts{Size: tt.size}
		if f.Has(q) != tt.has || (len(f.Behind(q)) == 0) != tt.has {
			t.Errorf("%d bytes have %d at %d: %v", tt.size, tt.n, tt.offset, f.Has(q))
		}
	}
}

func TestDoubling(t *testing.T) {
	for most, want := range map[uint64][]uint64{511: {0}, 512: {0, 512}, 2047: {0, 512, 1024}, 2048: {0, 512, 1024, 2048}} {
		if diff := cmp.Diff(want, slices.Collect(Doubling(512, most))); diff != "" {
			t.Errorf("up to %d: %s", most, diff)
		}
	}
	if n := len(slices.Collect(Doubling(512, top))); n != 56 { // 0, and 2^9 to 2^63
		t.Errorf("%d offsets up to 2^64-1", n)
	}
}
