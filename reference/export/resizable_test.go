package export

import (
	"bytes"
	"errors"
	"sync"
	"testing"

	"nbdconform/reference/wire"
)

func TestResize(t *testing.T) {
	r := NewResizable(3*PageSize, 4*PageSize)
	whole := bytes.Repeat([]byte{7}, 3*PageSize)
	check(t, r.WriteAt(whole, 0))
	if err := r.Resize(4*PageSize + 1); !errors.Is(err, wire.ENOSPC) || r.Size() != 3*PageSize {
		t.Errorf("growing beyond the limit: %v, size %d", err, r.Size())
	}
	check(t, r.Resize(PageSize+1))
	check(t, r.WriteAt(whole, 0)) // what is beyond the end is lost
	if list, err := r.Extents(nil, BaseAllocation, 0, 4*PageSize, 9); err != nil || len(list) != 1 || list[0].Length != PageSize+1 {
		t.Errorf("the extents are %v, %v", list, err)
	}
	check(t, r.Resize(4*PageSize))
	got := make([]byte, 4*PageSize)
	check(t, r.ReadAt(got, 0))
	if want := append(bytes.Clone(whole[:PageSize+1]), make([]byte, 3*PageSize-1)...); !bytes.Equal(got, want) {
		t.Error("what came into being is not zero, or what was there is gone")
	}
}

func TestResizeWhileOthersWrite(t *testing.T) {
	r := NewResizable(8*PageSize, 8*PageSize)
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for range 200 {
				_ = r.WriteAt(bytes.Repeat([]byte{1}, 8*PageSize), 0)
			}
		})
	}
	for range 200 {
		check(t, r.Resize(PageSize))
		check(t, r.Resize(8*PageSize))
	}
	check(t, r.Resize(PageSize))
	wg.Wait()
	check(t, r.Resize(8*PageSize))
	got := make([]byte, 7*PageSize)
	check(t, r.ReadAt(got, PageSize))
	if !zero(got) {
		t.Error("a write reached beyond the end of the disk")
	}
}
