package client

import (
	"context"
	"fmt"
	"io"

	"nbdconform/reference/wire"
)

// AllocationContext is the metadata context that tells where an export is
// sparse. CopyOut and Copy use it if src negotiated it.
const AllocationContext = "base:allocation"

// CopyOptions say how to copy. The zero value is a good choice.
type CopyOptions struct {
	Requests    int    // in flight at once; 0 is 16
	RequestSize uint32 // bytes of one read or write; 0 is 256 KiB. Size constraints hold in any case
	// Explicit writes zeroes where the source is a hole. Without it CopyOut
	// leaves holes alone: dst has to read as zeroes there, as a new file does.
	Explicit bool
	// Progress is told how many bytes of the image are done with, holes
	// included. It is called by one goroutine at a time and holds up the copying.
	Progress func(done, total uint64)
}

// CopyOut copies the whole of an export to dst, which is not closed. It reads
// nothing that the server says is zero, and writes no blocks of zeroes. If dst has a method Truncate(int64)
// error, like *os.File, that sets the size at the end. WriteAt of dst is called
// by several goroutines at once.
func CopyOut(ctx context.Context, dst io.WriterAt, src *Client, o CopyOptions) error {
	o = o.withDefaults()
	k := copier{
		o: o, size: src.Size(), align: copyAlign(src), least: least(src), find: !o.Explicit,
		extents: src.zeroes,
		read:    func(ctx context.Context, p []byte, offset uint64) error { return src.ReadAt(ctx, p, offset, 0) },
		write:   func(_ context.Context, p []byte, offset uint64) error { return writeTo(dst, p, offset) },
	}
	if o.Explicit {
		k.zero = inSteps(o.RequestSize, k.write)
	}
	if err := src.Reaches(k.size); err != nil {
		return err
	}
	if err := k.copy(ctx); err != nil {
		return err
	}
	if f, ok := dst.(interface{ Truncate(size int64) error }); ok {
		return wrap("setting the size of the image", f.Truncate(int64(src.Size())))
	}
	return nil
}

// CopyIn copies size bytes of src to the start of an export and flushes, if the
// server lets it. Where size is no multiple of the minimum block size, the last
// block is read first, so that what is behind the image stays as it is. Runs of
// zeroes are written with NBD_CMD_WRITE_ZEROES where that is offered. ReadAt of
// src is called by several goroutines at once. If src is a [Sparse], its holes
// are not read.
func CopyIn(ctx context.Context, dst *Client, src io.ReaderAt, size uint64, o CopyOptions) error {
	k := copier{o: o.withDefaults(), size: size, align: copyAlign(dst), least: least(dst), find: true}
	if s, ok := src.(Sparse); ok {
		k.extents = func(_ context.Context, offset, length uint64) ([]wire.Extent, bool, error) {
			start, end := s.NextData(offset, offset+length)
			return []wire.Extent{
				{Length: start - offset, Status: uint64(wire.StateHole | wire.StateZero)}, {Length: end - start},
			}, true, nil
		}
	}
	k.read = func(_ context.Context, p []byte, offset uint64) error {
		n, err := src.ReadAt(p, int64(offset))
		if n == len(p) {
			return nil
		}
		return fmt.Errorf("reading %d bytes of the image at %d: %w", len(p), offset, unexpected(err))
	}
	return k.into(ctx, dst)
}

// A Sparse is a source that knows where its data is. NextData finds the first
// run of data within offset and end, offset < end: what is before start reads as
// zeroes. Without data, start is end. It is called by one goroutine at a time.
type Sparse interface {
	NextData(offset, end uint64) (start, stop uint64)
}

// Copy copies the whole of one export to the start of another and flushes, with
// the last block of dst as in CopyIn. It leaves out of the reading what src says
// is zero, and writes zeroes as CopyIn does.
func Copy(ctx context.Context, dst, src *Client, o CopyOptions) error {
	k := copier{
		o: o.withDefaults(), size: src.Size(), align: max(copyAlign(dst), copyAlign(src)), least: max(least(dst), least(src)),
		find: true, extents: src.zeroes,
	}
	if err := src.Reaches(k.size); err != nil {
		return err
	}
	k.read = func(ctx context.Context, p []byte, offset uint64) error { return src.ReadAt(ctx, p, offset, 0) }
	return k.into(ctx, dst)
}

// into fills in the half of a copier that writes to an export, and runs it.
func (k *copier) into(ctx context.Context, dst *Client) error {
	if k.size > dst.Size() {
		return usage("size.bounds.client", "copying an image of %d bytes: the size of the export is %d", k.size, dst.Size())
	}
	if rest := k.size % least(dst); rest != 0 && dst.Size()-k.size < least(dst)-rest {
		return usage("size.align.client.other", "copying an image of %d bytes: the last %d are out of reach, as the export ends at %d within a block, and the minimum block size is %d",
			k.size, rest, dst.Size(), least(dst))
	}
	k.write = func(ctx context.Context, p []byte, offset uint64) error {
		whole := len(p) - len(p)%int(least(dst))
		if whole > 0 {
			if err := dst.WriteAt(ctx, p[:whole], offset, 0); err != nil {
				return err
			}
		}
		return dst.begin(ctx, p[whole:], offset+uint64(whole))
	}
	if dst.Flags()&wire.FlagSendWriteZeroes != 0 {
		k.zero = func(ctx context.Context, offset, length uint64) error {
			rest := length % least(dst)
			if length > rest {
				if err := dst.WriteZeroes(ctx, offset, length-rest, 0); err != nil {
					return err
				}
			}
			return dst.begin(ctx, make([]byte, rest), offset+length-rest)
		}
	} else {
		k.zero = inSteps(k.o.RequestSize, k.write)
	}
	if err := k.copy(ctx); err != nil {
		return err
	}
	if dst.Flags()&wire.FlagSendFlush == 0 {
		return nil
	}
	return dst.Flush(ctx)
}

// begin writes the beginning of the block at offset, less than all of it, and
// leaves the rest as it is.
func (c *Client) begin(ctx context.Context, p []byte, offset uint64) error {
	if len(p) == 0 {
		return nil
	}
	block := make([]byte, least(c))
	if err := c.ReadAt(ctx, block, offset, 0); err != nil {
		return err
	}
	copy(block, p)
	return c.WriteAt(ctx, block, offset, 0)
}

// inSteps writes zeroes with write, at most step bytes at once.
func inSteps(step uint32, write func(context.Context, []byte, uint64) error) func(ctx context.Context, offset, length uint64) error {
	zeroes := make([]byte, step)
	return func(ctx context.Context, offset, length uint64) error {
		for length > 0 {
			n := min(length, uint64(step))
			if err := write(ctx, zeroes[:n], offset); err != nil {
				return err
			}
			offset, length = offset+n, length-n
		}
		return nil
	}
}

// zeroes asks for the extents at offset in the context base:allocation. ok is
// false if there is no such context.
func (c *Client) zeroes(ctx context.Context, offset, length uint64) (extents []wire.Extent, ok bool, err error) {
	if !c.HasContext(AllocationContext) {
		return nil, false, nil
	}
	status, err := c.BlockStatus(ctx, offset, length, 0)
	return status[AllocationContext], err == nil, err
}

// copyAlign is the alignment of copying from or to c, in bytes.
func copyAlign(c *Client) uint64 {
	return uint64(max(c.Constraints().Minimum, min(c.Constraints().Preferred, 1<<20)))
}

// least is the minimum block size of c, which no request is out of line with.
func least(c *Client) uint64 { return uint64(c.Constraints().Minimum) }

// Reaches says whether all of an image of size bytes can be read from the
// export. That is not so if size is no multiple of the minimum block size.
func (c *Client) Reaches(size uint64) error {
	if rest := size % least(c); rest != 0 {
		return usage("size.align.client.other", "copying an image of %d bytes: the last %d are out of reach, as the minimum block size is %d",
			size, rest, least(c))
	}
	return nil
}

func writeTo(dst io.WriterAt, p []byte, offset uint64) error {
	_, err := dst.WriteAt(p, int64(offset))
	return wrap(fmt.Sprintf("writing %d bytes of the image at %d", len(p), offset), err)
}

func (o CopyOptions) withDefaults() CopyOptions {
	if o.Requests <= 0 {
		o.Requests = 16
	}
	if o.RequestSize == 0 {
		o.RequestSize = 256 << 10
	}
	return o
}
