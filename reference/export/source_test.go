package export

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/wire"
)

func TestSourcesReadAsTheyShould(t *testing.T) {
	at := func(e Export, off uint64, n int) []byte {
		t.Helper()
		p := make([]byte, n)
		check(t, e.ReadAt(p, off))
		return p
	}
	want := []byte{0, 0x10, 0, 0, 0, 0, 0, 0, 0, 0x10, 0x08} // the end of the word at 0x1000, and the next one
	if d := cmp.Diff(want, at(NewOffsets(1<<20), 0x1005, 11)); d != "" {
		t.Error(d)
	}
	if got := at(NewRepeat("abc", 10), 4, 8); string(got) != "bcabca\x00\x00" {
		t.Errorf("%q", got)
	}
	for _, e := range []error{
		NewOffsets(1).WriteAt([]byte{1}, 0), NewOffsets(1).Zero(0, 1, false, false), NewOffsets(1).Trim(0, 1),
	} {
		if !errors.Is(e, wire.EPERM) {
			t.Error(e)
		}
	}
}

func TestFileWithHoles(t *testing.T) {
	f, err := os.Create(filepath.Join(t.TempDir(), "f"))
	check(t, err)
	defer func() { _ = f.Close() }()
	const piece = 1 << 20
	check(t, f.Truncate(3*piece))
	_, err = f.WriteAt(bytes.Repeat([]byte{7}, piece), piece)
	check(t, err)
	s, err := NewFile(f, 4*piece)
	check(t, err)
	l := NewLayered(s)
	p := make([]byte, 4*piece)
	check(t, l.ReadAt(p, 0))
	if !bytes.Equal(p[piece:2*piece], bytes.Repeat([]byte{7}, piece)) || !zero(p[:piece]) || !zero(p[2*piece:]) {
		t.Error("it reads as something else")
	}
	check(t, l.WriteAt([]byte{8}, 3*piece))
	got, err := l.Extents(nil, AllocationDepth, 0, 4*piece, 99)
	check(t, err)
	want := []wire.Extent{
		{Length: piece, Status: 0},
		{Length: piece, Status: 2},
		{Length: piece, Status: 0},
		{Length: PageSize, Status: 1},
		{Length: piece - PageSize, Status: 0},
	}
	if d := cmp.Diff(want, got); d != "" && !wholeFile(got) {
		t.Error(d)
	}
	if info, err := f.Stat(); err != nil || info.Size() != 3*piece {
		t.Errorf("the file has changed: %v", err)
	}
}

// wholeFile reports the extents of a file system that knows no holes.
func wholeFile(list []wire.Extent) bool {
	return len(list) > 0 && list[0] == wire.Extent{Length: 3 << 20, Status: 2}
}
