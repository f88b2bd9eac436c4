package client

import (
	"bytes"
	"context"
	"math"
	"sync"

	"golang.org/x/sync/errgroup"

	"nbdconform/reference/wire"
)

// maxZeroes is the longest run of zeroes that is written with one call, in
// bytes: a server may refuse effects longer than its maximum payload size.
const maxZeroes = 32 << 20

// A copier moves an image of size bytes from read to write, several pieces at a time.
type copier struct {
	o     CopyOptions
	size  uint64
	align uint64 // of pieces, bytes
	least uint64 // what no piece is out of line with, bytes

	read, write func(ctx context.Context, p []byte, offset uint64) error
	zero        func(ctx context.Context, offset, length uint64) error // nil: leave zeroes out
	extents     func(ctx context.Context, offset, length uint64) (extents []wire.Extent, ok bool, err error)
	find        bool // look for zeroes in the data, and treat them as such

	mu   sync.Mutex
	done uint64
}

// A piece of an image is copied as one.
type piece struct {
	offset, length uint64
	zero           bool
}

func (k *copier) copy(ctx context.Context) error {
	if k.size > math.MaxInt64 {
		return usage("", "copying an image of %d bytes: at most %d are possible", k.size, int64(math.MaxInt64))
	}
	pieces := make(chan piece)
	group, working := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(pieces)
		return k.plan(working, pieces)
	})
	for range k.o.Requests {
		group.Go(func() error { return k.work(working, pieces) })
	}
	err := group.Wait()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// plan cuts the image into pieces, along its extents where they are known. A
// block that is zero in part only is data.
func (k *copier) plan(ctx context.Context, pieces chan<- piece) error {
	planned := uint64(0) // what is before it was cut
	for offset := uint64(0); offset < k.size && ctx.Err() == nil; {
		extents := []wire.Extent{{Length: k.size - offset}}
		if k.extents != nil {
			known, ok, err := k.extents(ctx, offset, k.size-offset)
			if err != nil {
				return err
			}
			if ok {
				extents = known
			}
		}
		for _, e := range extents {
			start := offset
			offset += min(e.Length, k.size-offset) // the last extent may reach further than the export
			zero := wire.StateFlags(e.Status)&wire.StateZero != 0
			if zero {
				start = (start + k.least - 1) / k.least * k.least
				k.cut(ctx, pieces, piece{offset: planned, length: max(start, planned) - planned})
				planned = max(start, planned)
			}
			if end := k.whole(offset); end > planned {
				k.cut(ctx, pieces, piece{planned, end - planned, zero})
				planned = end
			}
		}
	}
	return nil
}

// whole is the end of the last block that is over at offset.
func (k *copier) whole(offset uint64) uint64 {
	if offset == k.size {
		return offset
	}
	return offset / k.least * k.least
}

// cut sends p in pieces of the right size.
func (k *copier) cut(ctx context.Context, pieces chan<- piece, p piece) {
	most := max(uint64(k.o.RequestSize)/k.align*k.align, k.align)
	if p.zero {
		most = max(maxZeroes/k.align*k.align, k.align)
	}
	for p.length > 0 {
		next := p
		next.length = min(p.length, most-p.offset%most)
		select {
		case pieces <- next:
		case <-ctx.Done():
			return // copy tells why
		}
		p.offset, p.length = p.offset+next.length, p.length-next.length
	}
}

func (k *copier) work(ctx context.Context, pieces <-chan piece) error {
	var buf []byte
	for p := range pieces {
		if !p.zero {
			if uint64(cap(buf)) < p.length {
				buf = make([]byte, p.length)
			}
			if err := k.move(ctx, buf[:p.length], p.offset); err != nil {
				return err
			}
		} else if k.zero != nil {
			if err := k.zero(ctx, p.offset, p.length); err != nil {
				return err
			}
		}
		k.progress(p.length)
	}
	return nil
}

// move copies what fits into buf from offset on, runs of zeroes apart from the
// rest if they are to be found.
func (k *copier) move(ctx context.Context, buf []byte, offset uint64) error {
	if err := k.read(ctx, buf, offset); err != nil {
		return err
	}
	if !k.find {
		return k.write(ctx, buf, offset)
	}
	for len(buf) > 0 {
		n, zero := k.run(buf, offset)
		var err error
		switch {
		case !zero:
			err = k.write(ctx, buf[:n], offset)
		case k.zero != nil:
			err = k.zero(ctx, offset, n)
		}
		if err != nil {
			return err
		}
		buf, offset = buf[n:], offset+n
	}
	return nil
}

// run is the length of the blocks at the start of buf that are all zero or all not.
func (k *copier) run(buf []byte, offset uint64) (n uint64, zero bool) {
	for n < uint64(len(buf)) {
		end := min(n+k.align-(offset+n)%k.align, uint64(len(buf)))
		z := allZero(buf[n:end])
		if n > 0 && z != zero {
			break
		}
		n, zero = end, z
	}
	return n, zero
}

// allZero compares b with itself, one byte on.
func allZero(b []byte) bool {
	return len(b) == 0 || b[0] == 0 && bytes.Equal(b[1:], b[:len(b)-1])
}

func (k *copier) progress(n uint64) {
	if k.o.Progress == nil {
		return
	}
	k.mu.Lock()
	defer k.mu.Unlock()
	k.done += n
	k.o.Progress(k.done, k.size)
}
