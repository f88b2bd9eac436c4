package export

import (
	"bytes"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"go.uber.org/goleak"

	"nbdconform/reference/wire"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// TestAgainstAFlatModel does random operations on a small disk and on a slice.
func TestAgainstAFlatModel(t *testing.T) {
	for _, size := range []int{1, 4096, 4097, 300<<10 + 17, 600 << 10} {
		rng := rand.New(rand.NewPCG(1, uint64(size)))
		m, model := New(uint64(size)), make([]byte, size)
		hole := make([]bool, size) // may not be the only holes, and trims are hints
		for i := range hole {
			hole[i] = true
		}
		for range 3000 {
			off := rng.IntN(size)
			n := 1 + rng.IntN(min(size-off, 1+rng.IntN(size)))
			switch rng.IntN(4) {
			case 0:
				p := bytes.Repeat([]byte{byte(rng.IntN(255) + 1)}, n)
				copy(model[off:], p)
				check(t, m.WriteAt(p, uint64(off)))
				mark(hole[off:off+n], false)
			case 1:
				noHole := rng.IntN(2) == 0
				check(t, m.Zero(uint64(off), uint64(n), noHole, false))
				clear(model[off : off+n])
				mark(hole[off:off+n], !noHole)
			case 2:
				check(t, m.Trim(uint64(off), uint64(n)))
				mark(hole[off:off+n], true)
				check(t, m.ReadAt(model[off:off+n], uint64(off))) // whatever became of it
			case 3:
				got := make([]byte, n)
				check(t, m.ReadAt(got, uint64(off)))
				if !bytes.Equal(got, model[off:off+n]) {
					t.Fatalf("size %d: %d bytes at %d differ", size, n, off)
				}
				extentsHold(t, m, model, hole, off, n)
			}
		}
	}
}

// extentsHold checks the status of a range against its contents.
func extentsHold(t *testing.T, m *Memory, model []byte, hole []bool, off, n int) {
	t.Helper()
	list, err := m.Extents(nil, BaseAllocation, uint64(off), uint64(n), 1<<20)
	check(t, err)
	for i, e := range list {
		s := wire.StateFlags(e.Status)
		if i > 0 && list[i-1].Status == e.Status || e.Length == 0 {
			t.Fatalf("extents %v", list)
		}
		part := int(e.Length)
		if s&wire.StateZero != 0 && !zero(model[off:off+part]) {
			t.Fatalf("%d bytes at %d are %v and not zero", part, off, s)
		}
		for j := off; j < off+part; j++ {
			if s&wire.StateHole != 0 && !hole[j] {
				t.Fatalf("byte %d is a hole", j)
			}
		}
		off, n = off+part, n-part
	}
	if n != 0 {
		t.Fatalf("%d bytes have no status: %v", n, list)
	}
}

func mark(p []bool, v bool) {
	for i := range p {
		p[i] = v
	}
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestHugeExportsCostNothing(t *testing.T) {
	for _, size := range []uint64{1 << 40, 1<<63 - 1, 1<<64 - 1} {
		m := New(size)
		before := heap()
		check(t, m.WriteAt([]byte("end"), size-3))
		check(t, m.Zero(1<<30, size-1<<31, true, true))
		check(t, m.Trim(1<<32, 1<<38))
		got, err := m.Extents(nil, BaseAllocation, 0, size, 100)
		check(t, err)
		if got[0] != (wire.Extent{Length: 1 << 30, Status: 3}) || got[1] != (wire.Extent{Length: 3 << 30, Status: 2}) {
			t.Errorf("size %d: %v", size, got)
		}
		p := make([]byte, 5)
		check(t, m.ReadAt(p, size-5))
		if string(p) != "\x00\x00end" {
			t.Errorf("read %q", p)
		}
		if grown := heap() - before; grown > 100<<10 {
			t.Errorf("size %d: %d bytes of memory", size, grown)
		}
		runtime.KeepAlive(m)
	}
}

func heap() int64 {
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc)
}

func TestCapacity(t *testing.T) {
	m := NewWithOptions(1<<30, Options{Capacity: 8 * PageSize})
	check(t, m.WriteAt(make([]byte, 4*PageSize), 0))
	check(t, m.Zero(1<<20, 4*PageSize, true, false))
	if err := m.WriteAt([]byte{1}, 1<<25); !errors.Is(err, wire.ENOSPC) {
		t.Errorf("a ninth page: %v", err)
	}
	check(t, m.WriteAt(make([]byte, 4*PageSize), 1<<20)) // it is allocated
	check(t, m.Trim(0, PageSize))
	check(t, m.WriteAt([]byte{1}, 1<<25))
	if err := m.Zero(0, 1<<30, true, false); !errors.Is(err, wire.ENOSPC) {
		t.Errorf("allocating everything: %v", err)
	}
	check(t, m.Zero(0, 1<<30, false, false))
	if m.used.Load() != 0 {
		t.Errorf("%d pages are used of nothing", m.used.Load())
	}
}

func TestSegmentsDoNotTear(t *testing.T) {
	m := New(1 << 20)
	const n = 64 << 10
	var wg sync.WaitGroup
	for i := range byte(4) {
		wg.Go(func() {
			p := bytes.Repeat([]byte{i + 1}, n)
			for range 200 {
				check(t, m.WriteAt(p, 1000))
			}
		})
	}
	wg.Go(func() {
		for range 100 {
			check(t, m.Zero(0, 1<<20, false, true))
		}
	})
	got := make([]byte, n)
	for range 200 {
		check(t, m.ReadAt(got, 1000))
		if !bytes.Equal(got, bytes.Repeat(got[:1], n)) {
			t.Fatal("a write is seen half done")
		}
	}
	wg.Wait()
}
