package client

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"nbdconform/reference/wire"
)

// sparse is an image with runs of zeroes in it.
func sparse(size int) []byte {
	b := pattern(size)
	for i := 0; i < size; i += 64 << 10 {
		clear(b[i:min(i+24<<10, size)])
	}
	clear(b[size/2 : size/2+200<<10])
	return b
}

// image answers out of b, with structured replies and block status of 4096 byte blocks.
func (f *fake) image(b []byte) (all []wire.Request) {
	for {
		q, p := f.request()
		at := b[min(q.Offset, uint64(len(b))):]
		at = at[:min(uint64(len(at)), q.Length)]
		switch q.Type {
		case wire.CmdDisc:
			return all
		case wire.CmdRead:
			f.data(q, wire.ReplyFlagDone, q.Offset, at)
		case wire.CmdBlockStatus:
			f.chunk(q, 0, wire.ChunkBlockStatus, wire.BlockStatus{ContextID: 9, Extents: []wire.Extent{{Length: 1}}}.Append(nil))
			f.chunk(q, wire.ReplyFlagDone, wire.ChunkBlockStatus, wire.BlockStatus{ContextID: 7, Extents: extentsOf(at)}.Append(nil))
		default:
			copy(at, p)
			if q.Type == wire.CmdWriteZeroes {
				clear(at)
			}
			f.chunk(q, wire.ReplyFlagDone, wire.ChunkNone, nil)
		}
		all = append(all, q)
	}
}

func extentsOf(b []byte) (extents []wire.Extent) {
	for ; len(b) > 0 && len(extents) < 5; b = b[min(4096, len(b)):] {
		n, status := uint64(min(4096, len(b))), uint64(0)
		if allZero(b[:n]) {
			status = 3
		}
		if last := len(extents) - 1; last >= 0 && extents[last].Status == status {
			extents[last].Length += n
		} else {
			extents = append(extents, wire.Extent{Length: n, Status: status})
		}
	}
	return extents
}

func imageClient(t *testing.T, b []byte, flags wire.TransmissionFlags, cfg Config) (*Client, func() []wire.Request) {
	h := structured()
	h.size, h.flags = uint64(len(b)), flags
	requests := make(chan []wire.Request, 1)
	c := enter(t, h, cfg, func(f *fake) { requests <- f.image(b) })
	return c, func() []wire.Request {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		return <-requests
	}
}

func count(all []wire.Request, t wire.Command) (n int, bytes uint64) {
	for _, q := range all {
		if q.Type == t {
			n, bytes = n+1, bytes+q.Length
		}
	}
	return n, bytes
}

func TestCopyOut(t *testing.T) {
	want := sparse(1<<20 + 100)
	for _, contexts := range [][]string{nil, withContexts.MetaContexts} {
		c, end := imageClient(t, want, allFlags, Config{MetaContexts: contexts})
		path := filepath.Join(t.TempDir(), "image")
		file, err := os.Create(path)
		if err != nil {
			t.Fatal(err)
		}
		var reports []uint64
		err = CopyOut(within10s(t), file, c, CopyOptions{Progress: func(done, total uint64) {
			if total != uint64(len(want)) {
				t.Errorf("total %d", total)
			}
			reports = append(reports, done)
		}})
		if err != nil {
			t.Fatal(err)
		}
		if err := file.Close(); err != nil {
			t.Fatal(err)
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("the copy differs (%v)", err)
		}
		if !slices.IsSorted(reports) || reports[len(reports)-1] != uint64(len(want)) {
			t.Errorf("progress %v", reports)
		}
		_, read := count(end(), wire.CmdRead)
		if sparse := contexts != nil; sparse == (read == uint64(len(want))) {
			t.Errorf("%d bytes of %d were read, contexts %v", read, len(want), contexts)
		}
	}
}

func TestCopyIn(t *testing.T) {
	for _, flags := range []wire.TransmissionFlags{allFlags, wire.FlagHasFlags} {
		image, want := pattern(2<<20), sparse(1<<20+100)
		c, end := imageClient(t, image, flags, Config{})
		if err := CopyIn(within10s(t), c, bytes.NewReader(want), uint64(len(want)), CopyOptions{Requests: 4, RequestSize: 100_000}); err != nil {
			t.Fatal(err)
		}
		all := end()
		if !bytes.Equal(image[:len(want)], want) || !bytes.Equal(image[len(want):], pattern(2 << 20)[len(want):]) {
			t.Error("the copy differs")
		}
		_, zeroes := count(all, wire.CmdWriteZeroes)
		flushes, _ := count(all, wire.CmdFlush)
		if offered := flags == allFlags; offered != (zeroes > 300<<10) || offered != (flushes == 1) {
			t.Errorf("flags %v: %d bytes zeroed, %d flushes", flags, zeroes, flushes)
		}
	}
}

func TestCopyBetweenExports(t *testing.T) {
	from, to := sparse(1<<20), pattern(1<<20)
	src, endSrc := imageClient(t, from, wire.FlagHasFlags|wire.FlagReadOnly, withContexts)
	dst, endDst := imageClient(t, to, allFlags, Config{})
	if err := Copy(within10s(t), dst, src, CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	endSrc()
	endDst()
	if !bytes.Equal(from, to) {
		t.Error("the copy differs")
	}
}

func TestCopyOutExplicit(t *testing.T) {
	want := sparse(1 << 20)
	c, end := imageClient(t, want, allFlags, withContexts)
	got := &memoryWriter{b: pattern(1 << 20)}
	if err := CopyOut(within10s(t), got, c, CopyOptions{Explicit: true, Requests: 1}); err != nil {
		t.Fatal(err)
	}
	if end(); !bytes.Equal(got.b, want) {
		t.Error("the copy differs")
	}
}

type memoryWriter struct{ b []byte }

func (m *memoryWriter) WriteAt(p []byte, at int64) (int, error) { return copy(m.b[at:], p), nil }

func TestCopyErrors(t *testing.T) {
	c, end := imageClient(t, make([]byte, 1<<20), allFlags, Config{})
	if err := CopyIn(within10s(t), c, bytes.NewReader(make([]byte, 100)), 1<<20, CopyOptions{}); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("a source that ends early: %v", err)
	}
	var misuse *UsageError
	if err := CopyIn(within10s(t), c, bytes.NewReader(nil), 1<<20+1, CopyOptions{}); !errors.As(err, &misuse) {
		t.Errorf("a source that is too large: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if err := CopyOut(ctx, &memoryWriter{}, c, CopyOptions{}); !errors.Is(err, context.Canceled) {
		t.Errorf("a context that ended: %v", err)
	}
	end()

	broken := enter(t, simple(), Config{}, func(f *fake) {
		for {
			q, _ := f.request()
			if q.Type == wire.CmdDisc {
				return
			}
			f.simple(q, wire.EIO)
		}
	})
	if err := CopyOut(within10s(t), &memoryWriter{}, broken, CopyOptions{}); !errors.Is(err, wire.EIO) {
		t.Errorf("a server that fails: %v", err)
	}
	if err := broken.Close(); err != nil {
		t.Error(err)
	}
}

// runs is a sparse source: data at multiples of 2 * every, holes elsewhere.
type runs struct {
	*bytes.Reader
	every uint64
	read  uint64
}

func (r *runs) NextData(offset, end uint64) (start, stop uint64) {
	start = offset
	if offset/r.every%2 == 1 {
		start = min(offset/r.every*r.every+r.every, end)
	}
	return start, min(start/r.every*r.every+r.every, end)
}

func (r *runs) ReadAt(p []byte, at int64) (int, error) {
	r.read += uint64(len(p))
	return r.Reader.ReadAt(p, at)
}

// Holes and blocks need not be of the same size.
func TestCopyInDoesNotReadHoles(t *testing.T) {
	for _, every := range []uint64{512, 4096, 5000, 100_000} {
		want := pattern(1 << 20)
		for i := range want {
			if uint64(i)/every%2 == 1 {
				want[i] = 0
			}
		}
		image := pattern(1 << 20)
		h := structured()
		h.size, h.flags = uint64(len(image)), allFlags
		h.constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 65536, MaxPayload: 1 << 20}
		c := enter(t, h, Config{}, func(f *fake) { f.image(image) })
		src := &runs{Reader: bytes.NewReader(want), every: every}
		if err := CopyIn(within10s(t), c, src, uint64(len(want)), CopyOptions{Requests: 1}); err != nil {
			t.Fatal(every, err)
		}
		if err := c.Close(); err != nil {
			t.Error(err)
		}
		if !bytes.Equal(image, want) {
			t.Errorf("every %d: the copy differs", every)
		}
		if most := uint64(len(want)); every == 100_000 && src.read > most*2/3 || src.read > most {
			t.Errorf("every %d: %d bytes were read", every, src.read)
		}
	}
}

func TestCopyRefusesWhatIsOutOfReach(t *testing.T) {
	h := structured()
	h.size, h.flags = 10_000, allFlags
	h.constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 4096, MaxPayload: 1 << 20}
	c := enter(t, h, Config{}, func(f *fake) {
		if all := f.image(make([]byte, h.size)); len(all) != 0 {
			t.Errorf("requests %v", all)
		}
	})
	for what, err := range map[string]error{
		"in":  CopyIn(within10s(t), c, bytes.NewReader(make([]byte, 9000)), 9000, CopyOptions{}),
		"out": CopyOut(within10s(t), &memoryWriter{}, c, CopyOptions{}),
	} {
		if err == nil || !strings.Contains(err.Error(), "out of reach") {
			t.Errorf("copying %s: %v", what, err)
		}
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

// Of the block that the image fills in part, the rest stays as it is.
func TestCopyIntoPartOfABlock(t *testing.T) {
	zeroes := make([]byte, 9000)
	tail := append(make([]byte, 8999), 1)
	for name, want := range map[string][]byte{
		"data": pattern(9000), "less than a block": pattern(100), "zeroes": zeroes, "zeroes and a byte": tail, "one byte": {1}, "nothing": {},
	} {
		for _, flags := range []wire.TransmissionFlags{allFlags, wire.FlagHasFlags} {
			image := pattern(64 << 10)
			h := structured()
			h.size, h.flags = uint64(len(image)), flags
			h.constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 4096, MaxPayload: 1 << 20}
			var all []wire.Request
			c := enter(t, h, Config{}, func(f *fake) { all = f.image(image) })
			if err := CopyIn(within10s(t), c, bytes.NewReader(want), uint64(len(want)), CopyOptions{}); err != nil {
				t.Fatal(name, err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
			if !bytes.Equal(image[:len(want)], want) || !bytes.Equal(image[len(want):], pattern(64 << 10)[len(want):]) {
				t.Errorf("%s: the copy differs", name)
			}
			if n, read := count(all, wire.CmdRead); len(want) > 0 && (n != 1 || read != 4096) {
				t.Errorf("%s: %d reads of %d bytes, want one of the last block", name, n, read)
			}
		}
	}
}

func TestCopyBetweenBlockSizes(t *testing.T) {
	from, to := sparse(1<<20+512), pattern(2<<20)
	src, endSrc := imageClient(t, from, wire.FlagHasFlags|wire.FlagReadOnly, withContexts)
	h := structured()
	h.size, h.flags = uint64(len(to)), allFlags
	h.constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 65536, MaxPayload: 1 << 20}
	dst := enter(t, h, Config{}, func(f *fake) { f.image(to) })
	if err := Copy(within10s(t), dst, src, CopyOptions{}); err != nil {
		t.Fatal(err)
	}
	endSrc()
	if err := dst.Close(); err != nil {
		t.Error(err)
	}
	if !bytes.Equal(from, to[:len(from)]) || !bytes.Equal(to[len(from):], pattern(2 << 20)[len(from):]) {
		t.Error("the copy differs")
	}
}
