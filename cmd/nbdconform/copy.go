package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

func copyCommand() *cobra.Command {
	p := peer{contexts: []string{client.AllocationContext}}
	var o client.CopyOptions
	var quiet bool
	c := &cobra.Command{
		Use:   "copy SOURCE DESTINATION",
		Short: "Copy between exports and files",
		Long: `Copy copies a whole export or file: from a server, to a server, or both. What is
no NBD URI is a file; - is standard output. Zeroes are not read where the source
says where they are, and not sent where the destination can zero.

A file that exists is written over from its beginning, and cut to size. An
export keeps what is behind the copy: where the image ends within a block of the
destination's minimum block size, the rest of that block is read and written
back, so nobody else should write there meanwhile. Nothing is copied to an
export that is smaller than the source, or read-only.`,
		Example: `  nbdconform copy nbd://localhost:10809/disk disk.img
  nbdconform copy disk.img 'nbd+unix:///?socket=/tmp/nbd.sock'
  nbdconform copy nbd://old/disk nbd://new/disk`,
		Args: arguments(2, 2),
		RunE: func(c *cobra.Command, args []string) error {
			from, to := isURI(args[0]), isURI(args[1])
			switch {
			case args[0] == "":
				return errors.New("the source is empty: want a file or an NBD URI")
			case args[1] == "":
				return errors.New("the destination is empty: want a file or an NBD URI")
			case !from && !to:
				return fmt.Errorf("neither %q nor %q is an NBD URI, such as nbd://localhost:10809/disk: use cp", args[0], args[1])
			case o.Requests < 1:
				return fmt.Errorf("--requests %d is less than 1", o.Requests)
			case args[0] == "-":
				return errors.New("the source can't be standard input: its size has to be known")
			}
			m := &meter{}
			o.Progress = func(done, total uint64) {
				if m.total == 0 && !quiet {
					*m = *newMeter(os.Stderr, "copy", total)
				}
				m.set(done)
			}
			defer func() { m.close() }()
			switch {
			case from && to:
				return p.between(c.Context(), args[0], args[1], o)
			case from:
				return p.copyOut(c.Context(), args[0], args[1], o)
			}
			return p.copyIn(c.Context(), args[0], args[1], o)
		},
	}
	p.flags(c.Flags())
	c.Flags().IntVar(&o.Requests, "requests", 16, "requests in flight")
	c.Flags().BoolVar(&o.Explicit, "explicit-zeroes", false, "write zeroes where the source has a hole")
	c.Flags().BoolVar(&quiet, "quiet", false, "no progress bar")
	return c
}

// isURI tells an NBD URI, whose scheme is in any case, from the name of a file.
func isURI(s string) bool {
	scheme, _, ok := strings.Cut(s, "://")
	return ok && strings.HasPrefix(strings.ToLower(scheme), "nbd")
}

func (p *peer) between(ctx context.Context, from, to string, o client.CopyOptions) error {
	src, err := p.connect(ctx, from)
	if err != nil {
		return fmt.Errorf("%s: %w", from, err)
	}
	defer func() { _ = src.Close() }()
	dst, err := p.connect(ctx, to)
	if err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	defer func() { _ = dst.Close() }()
	if err := takes(dst, to, from, src.Size()); err != nil {
		return err
	}
	if err := client.Copy(ctx, dst, src, o); err != nil {
		return incomplete(err, to)
	}
	return errors.Join(dst.Disconnect(ctx), src.Disconnect(ctx))
}

func (p *peer) copyOut(ctx context.Context, from, name string, o client.CopyOptions) (err error) {
	src, err := p.connect(ctx, from)
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

// takes refuses a destination before anything is written to it.
func takes(dst *client.Client, to, from string, size uint64) error {
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

func (p *peer) copyIn(ctx context.Context, name, to string, o client.CopyOptions) error {
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
	dst, err := p.connect(ctx, to)
	if err != nil {
		return fmt.Errorf("%s: %w", to, err)
	}
	defer func() { _ = dst.Close() }()
	if err := takes(dst, to, name, uint64(size)); err != nil {
		return err
	}
	if err := client.CopyIn(ctx, dst, holed{f}, uint64(size), o); err != nil {
		return incomplete(err, to)
	}
	return dst.Disconnect(ctx)
}
