package export

import (
	"bytes"
	"errors"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"

	"nbdconform/reference/wire"
)

// store writes b without a copy.
func store(p *Pages, m *Memory, b []byte, off uint64) error {
	all := b
	p.Start(off, uint64(len(b)))
	for parts := p.Next(64 << 10); len(parts) > 0; parts = p.Next(64 << 10) {
		for _, part := range parts {
			b = b[copy(part, b):]
		}
	}
	if len(b) > 0 {
		return fmt.Errorf("there is no room for %d of %d bytes", len(b), len(all))
	}
	return p.Store(m)
}

// TestDirectAgainstAFlatModel mixes operations with and without copies. What
// was borrowed stays as it was, whatever happens until it is returned.
func TestDirectAgainstAFlatModel(t *testing.T) {
	type lent struct {
		Loan
		want []byte
	}
	for _, size := range []int{1, 4096, 4097, 300<<10 + 17, 600 << 10} {
		rng := rand.New(rand.NewPCG(2, uint64(size)))
		m, model := New(uint64(size)), make([]byte, size)
		var pages [2]Pages
		var loans []*lent
		for step := range 1000 {
			off := rng.IntN(size)
			n := 1 + rng.IntN(min(size-off, 1+rng.IntN(size)))
			b := bytes.Repeat([]byte{byte(step), byte(step >> 8)}, n)[:n]
			switch rng.IntN(6) {
			case 0, 1:
				check(t, store(&pages[step%2], m, b, uint64(off)))
				copy(model[off:], b)
			case 2:
				check(t, m.WriteAt(b, uint64(off)))
				copy(model[off:], b)
			case 3:
				check(t, m.Zero(uint64(off), uint64(n), step%2 == 0, false))
				clear(model[off : off+n])
			case 4:
				l := &lent{want: slices.Clone(model[off : off+n])}
				l.Borrow(m, uint64(off), uint64(n))
				loans = append(loans, l)
			case 5:
				if len(loans) > 0 {
					loans[0].Return()
					loans = loans[1:]
				}
			}
			for _, l := range loans {
				if !bytes.Equal(slices.Concat(l.Parts...), l.want) {
					t.Fatalf("size %d, step %d: what was borrowed has changed", size, step)
				}
			}
			if loans = loans[max(0, len(loans)-4):]; step%8 == 0 { // some are never returned
				got := make([]byte, size)
				check(t, m.ReadAt(got, 0))
				if !bytes.Equal(got, model) {
					t.Fatalf("size %d, step %d: the disk differs", size, step)
				}
			}
		}
	}
}

func TestWhatIsNotStoredChangesNothing(t *testing.T) {
	m := FromBytes(bytes.Repeat([]byte{1}, 3*PageSize))
	var p Pages
	check(t, store(&p, m, bytes.Repeat([]byte{2}, 2*PageSize), 0)) // and p has pages of the disk
	p.Start(100, 2*PageSize)
	for _, part := range p.Next(2 * PageSize) {
		part[0] = 9
	}
	p.Drop()
	got := make([]byte, 3*PageSize)
	check(t, m.ReadAt(got, 0))
	if want := slices.Concat(bytes.Repeat([]byte{2}, 2*PageSize), bytes.Repeat([]byte{1}, PageSize)); !bytes.Equal(got, want) {
		t.Error("the disk has changed")
	}
}

func TestDirectStaysWithin(t *testing.T) {
	m := NewWithOptions(1<<20, Options{Capacity: 4 * PageSize})
	var p Pages
	if err := store(&p, m, make([]byte, 5*PageSize), 0); !errors.Is(err, wire.ENOSPC) {
		t.Errorf("five pages of four: %v", err)
	}
	check(t, store(&p, New(10), bytes.Repeat([]byte{1}, 20), 5)) // what is beyond is lost
	var l Loan
	l.Borrow(FromBytes([]byte{1, 2, 3}), 1, 4)
	if got := slices.Concat(l.Parts...); !bytes.Equal(got, []byte{2, 3, 0, 0}) {
		t.Errorf("borrowed % x", got)
	}
}

// A large write does not leave its pages to small ones.
func TestPagesKeepLittle(t *testing.T) {
	var p Pages
	p.Start(0, 16<<20)
	p.Next(16 << 20)
	p.Drop()
	before := heap()
	p.Start(0, PageSize)
	if freed := before - heap(); freed < 15<<20 {
		t.Errorf("%d bytes are free", freed)
	}
	runtime.KeepAlive(&p)
}

func TestDirectDoesNotTear(t *testing.T) {
	m := New(1 << 20)
	const n = 64 << 10
	var wg sync.WaitGroup
	for i := range byte(4) {
		wg.Go(func() {
			var p Pages
			b := bytes.Repeat([]byte{i + 1}, n)
			for k := range 200 {
				if k%2 == 0 {
					check(t, store(&p, m, b, 1000))
				} else {
					check(t, m.WriteAt(b, 1000))
				}
			}
		})
	}
	var l Loan
	for range 400 {
		l.Borrow(m, 1000, n)
		got := slices.Concat(l.Parts...)
		l.Return()
		if !bytes.Equal(got, bytes.Repeat(got[:1], n)) {
			t.Fatal("a write is seen half done")
		}
	}
	wg.Wait()
}
