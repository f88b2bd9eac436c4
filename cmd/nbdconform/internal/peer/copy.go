package peer

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// IsURI tells an NBD URI, whose scheme is in any case, from the name of a file.
func IsURI(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	return ok && strings.HasPrefix(strings.ToLower(scheme), "nbd")
}

// CopyBetween copies from one export to another.
func (p *Peer) CopyBetween(ctx context.Context, from, to string, o client.CopyOptions) error {
	src, err := p.Connect(ctx, from)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	defer func() { _ = src.Close() }()
	dst, err := p.Connect(ctx, to)
	if err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	defer func() { _ = dst.Close() }()
	if err := refuse(dst, to, from, src.Size()); err != nil {
		return err
	}
	if err := client.Copy(ctx, dst, src, o); err != nil {
		return incomplete(err, to)
	}
	return errors.Join(dst.Disconnect(ctx), src.Disconnect(ctx))
}

// CopyOut copies an export to a file; - is standard output.
func (p *Peer) CopyOut(ctx context.Context, from, name string, o client.CopyOptions) (err error) {
	src, err := p.Connect(ctx, from)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	defer func() { _ = src.Close() }()
	if err := src.Reaches(src.Size()); err != nil {
		return err // before a file is touched
	}
	if name == "-" {
		return stream(ctx, os.Stdout, src, "standard output", o)
	}
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE, 0o666)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if info.Mode()&(os.ModeNamedPipe|os.ModeCharDevice) != 0 {
		return stream(ctx, f, src, name, o)
	}
	var dst io.WriterAt = f
	if info.Mode().IsRegular() {
		if src.Size() > math.MaxInt64 {
			return fmt.Errorf("the export has %d bytes, and no file has more than 2^63-1: %s is as it was", src.Size(), name)
		}
		// What was there before must not show through the holes.
		if err := errors.Join(f.Truncate(0), f.Truncate(int64(src.Size()))); err != nil {
			return err
		}
	} else {
		o.Explicit, dst = true, struct{ io.WriterAt }{f} // which can't be cut to size
	}
	if err := client.CopyOut(ctx, dst, src, o); err != nil {
		return incomplete(err, name)
	}
	return errors.Join(f.Sync(), src.Disconnect(ctx))
}

// refuse refuses a destination before anything is written to it.
func refuse(dst *client.Client, to, from string, size uint64) error {
	switch {
	case dst.Flags()&wire.FlagReadOnly != 0:
		return fmt.Errorf("%s is read-only: nothing was copied", to)
	case size > dst.Size():
		return fmt.Errorf("%s has %d bytes, the export only %d: nothing was copied", from, size, dst.Size())
	}
	return nil
}

// incomplete is why a copy ended early, and what it leaves. A copier's own
// refusal leaves all as it was.
func incomplete(err error, to string) error {
	if isUsage(err) {
		return err
	}
	if errors.Is(err, context.Canceled) {
		err = errors.New("interrupted")
	}
	return fmt.Errorf("%w; %s is incomplete", err, to)
}

// stream writes an export to a pipe and the like, one piece after the other.
func stream(ctx context.Context, w io.Writer, src *client.Client, name string, o client.CopyOptions) error {
	o.Explicit, o.Requests = true, 1
	if err := client.CopyOut(ctx, &inOrder{w: w}, src, o); err != nil {
		return incomplete(err, name)
	}
	return src.Disconnect(ctx)
}

// inOrder takes writes that follow each other.
type inOrder struct {
	w  io.Writer
	at int64
}

// WriteAt implements io.WriterAt.
func (s *inOrder) WriteAt(b []byte, offset int64) (int, error) {
	if offset != s.at {
		return 0, fmt.Errorf("writing at %d of a stream that is at %d", offset, s.at)
	}
	n, err := s.w.Write(b)
	s.at += int64(n)
	return n, err
}

// CopyIn copies a file to an export.
func (p *Peer) CopyIn(ctx context.Context, name, to string, o client.CopyOptions) error {
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	if info, err := f.Stat(); err == nil && info.IsDir() {
		return fmt.Errorf("%s is a directory", name)
	}
	size, err := f.Seek(0, io.SeekEnd) // of a device too
	if err != nil {
		return fmt.Errorf("finding the size of %s, which a pipe has not: %w", name, err)
	}
	dst, err := p.Connect(ctx, to)
	if err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	defer func() { _ = dst.Close() }()
	if err := refuse(dst, to, name, uint64(size)); err != nil {
		return err
	}
	if err := client.CopyIn(ctx, dst, client.SparseFile{File: f}, uint64(size), o); err != nil {
		return incomplete(err, to)
	}
	return dst.Disconnect(ctx)
}
