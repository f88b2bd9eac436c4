package export

import (
	"bytes"
	"math/rand/v2"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/wire"
)

func random(t *testing.T, rng *rand.Rand, size int) []byte {
	t.Helper()
	b := make([]byte, size)
	for at := 0; at < size; at += PageSize {
		if rng.IntN(2) == 0 {
			for i := at; i < min(at+PageSize, size); i++ {
				b[i] = byte(rng.IntN(255) + 1)
			}
		}
	}
	return b
}

func TestALayerAgainstAFlatModel(t *testing.T) {
	for _, size := range []int{1, 4096, 4097, 50<<10 + 17, 600 << 10} {
		rng := rand.New(rand.NewPCG(2, uint64(size)))
		model := random(t, rng, size)
		behind := FromBytes(model)
		kept := bytes.Clone(model)
		l := NewLayered(behind)
		for range 1000 {
			off := rng.IntN(size)
			n := 1 + rng.IntN(min(size-off, 1+rng.IntN(size)))
			switch rng.IntN(4) {
			case 0:
				p := bytes.Repeat([]byte{byte(rng.IntN(255) + 1)}, n)
				copy(model[off:], p)
				check(t, l.WriteAt(p, uint64(off)))
			case 1:
				check(t, l.Zero(uint64(off), uint64(n), rng.IntN(2) == 0, false))
				clear(model[off : off+n])
			case 2:
				check(t, l.Trim(uint64(off), uint64(n)))
				check(t, l.ReadAt(model[off:off+n], uint64(off))) // whatever became of it
			case 3:
				got := make([]byte, n)
				check(t, l.ReadAt(got, uint64(off)))
				if !bytes.Equal(got, model[off:off+n]) {
					t.Fatalf("size %d: %d bytes at %d differ", size, n, off)
				}
				layerHolds(t, l, model, off, n)
			}
		}
		got := make([]byte, size)
		check(t, behind.ReadAt(got, 0))
		if !bytes.Equal(got, kept) {
			t.Errorf("size %d: what is behind has changed", size)
		}
	}
}

// layerHolds checks that the status of a range adds up, and that what it calls
// zeroes reads so.
func layerHolds(t *testing.T, l *Layered, model []byte, off, n int) {
	t.Helper()
	for _, context := range []string{BaseAllocation, AllocationDepth} {
		list, err := l.Extents(nil, context, uint64(off), uint64(n), 1<<20)
		check(t, err)
		at := uint64(off)
		for _, e := range list {
			if context == BaseAllocation && e.Status&uint64(wire.StateZero) != 0 && !zero(model[at:at+e.Length]) {
				t.Fatalf("%d bytes at %d are no zeroes", e.Length, at)
			}
			at += e.Length
		}
		if at != uint64(off+n) {
			t.Fatalf("%s: the extents of %d bytes have %d", context, n, at-uint64(off))
		}
	}
}

func TestDepthCountsLayers(t *testing.T) {
	base := New(4 * PageSize)
	check(t, base.WriteAt([]byte{1}, 0))
	middle := NewLayered(base)
	check(t, middle.WriteAt([]byte{1}, PageSize))
	top := NewLayered(middle)
	check(t, top.Zero(2*PageSize, PageSize, false, true))
	got, err := top.Extents(nil, AllocationDepth, 0, 4*PageSize, 16)
	check(t, err)
	want := []wire.Extent{{Length: PageSize, Status: 3}, {Length: PageSize, Status: 2}, {Length: PageSize, Status: 1}, {Length: PageSize, Status: 0}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestBitmapsRecordEveryChange(t *testing.T) {
	const size = 9*PageSize + 100
	d := NewTracked(New(size), "a", "b")
	want := func(context string, n uint64, limit int, list ...wire.Extent) {
		t.Helper()
		got, err := d.Extents(nil, context, 0, n, limit)
		check(t, err)
		if diff := cmp.Diff(list, got); diff != "" {
			t.Errorf("%s: %s", context, diff)
		}
	}
	want("qemu:dirty-bitmap:a", size, 9, wire.Extent{Length: size})
	check(t, d.WriteAt([]byte{0}, PageSize+5))
	check(t, d.Zero(4*PageSize-1, 2, false, false))
	check(t, d.Trim(size-1, 1))
	for _, context := range []string{"qemu:dirty-bitmap:a", "qemu:dirty-bitmap:b"} {
		want(context, size, 9, wire.Extent{Length: PageSize}, wire.Extent{Length: PageSize, Status: 1},
			wire.Extent{Length: PageSize}, wire.Extent{Length: 2 * PageSize, Status: 1},
			wire.Extent{Length: 4 * PageSize}, wire.Extent{Length: 100, Status: 1})
	}
	want("qemu:dirty-bitmap:a", PageSize+1, 9, wire.Extent{Length: PageSize}, wire.Extent{Length: 1, Status: 1})
	want("qemu:dirty-bitmap:a", size, 1, wire.Extent{Length: PageSize})
	d.Clear("a")
	want("qemu:dirty-bitmap:a", size, 9, wire.Extent{Length: size})
	check(t, d.WriteAt(make([]byte, size), 0))
	want("qemu:dirty-bitmap:b", size, 9, wire.Extent{Length: size, Status: 1})
	if _, err := d.Extents(nil, "qemu:dirty-bitmap:c", 0, 1, 1); err == nil {
		t.Error("there is a bitmap c")
	}
}

func TestSpansAgainstASet(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 3))
	for range 200 {
		var s spans
		var set [64]bool
		for range 40 {
			first := rng.Uint64N(64)
			last := min(63, first+rng.Uint64N(6))
			s = s.add(span{first, last})
			for i := first; i <= last; i++ {
				set[i] = true
			}
			for i := range s {
				if i > 0 && s[i-1].last+1 >= s[i].first {
					t.Fatalf("%v is not in order", s)
				}
			}
			for i := range uint64(64) {
				if at := s.at(i); set[i] != (at < len(s) && s[at].first <= i) {
					t.Fatalf("%d is wrong in %v", i, s)
				}
			}
		}
	}
	if s := (spans{}).add(span{5, 1<<64 - 1}).add(span{0, 4}); len(s) != 1 {
		t.Errorf("%v should be one span", s)
	}
}

func TestALayerUnderConcurrentChanges(t *testing.T) {
	l := NewTracked(NewLayered(FromBytes(bytes.Repeat([]byte{9}, 8*PageSize))), "a")
	var wg sync.WaitGroup
	for i := range uint64(8) {
		wg.Go(func() { // each its own bytes of pages that all share
			for at := i * 100; at < 8*PageSize; at += PageSize {
				_ = l.WriteAt(bytes.Repeat([]byte{byte(i)}, 100), at)
				_, _ = l.Extents(nil, "qemu:dirty-bitmap:a", 0, 8*PageSize, 9)
				_ = l.ReadAt(make([]byte, 2*PageSize), 0)
			}
		})
	}
	wg.Wait()
	got := make([]byte, 8*PageSize)
	check(t, l.ReadAt(got, 0))
	for at := range got {
		want := byte(9)
		if in := at % PageSize; in < 800 {
			want = byte(in / 100)
		}
		if got[at] != want {
			t.Fatalf("byte %d is %d, want %d", at, got[at], want)
		}
	}
}

// A list that is full has no room for what comes behind the extent that did not fit.
func TestLayeredExtentsStopAtTheLimit(t *testing.T) {
	l := NewLayered(New(8 * PageSize))
	if err := l.WriteAt([]byte("data"), 2*PageSize); err != nil {
		t.Fatal(err)
	}
	if err := l.Zero(3*PageSize, PageSize, false, false); err != nil {
		t.Fatal(err)
	}
	if err := l.Zero(0, 2*PageSize, false, false); err != nil {
		t.Fatal(err)
	}
	list, err := l.Extents(nil, BaseAllocation, 0, 8*PageSize, 1)
	if err != nil || len(list) != 1 || list[0].Length != 2*PageSize {
		t.Errorf("Extents with a limit of 1: %v, %v, want the two pages of zeroes", list, err)
	}
}
