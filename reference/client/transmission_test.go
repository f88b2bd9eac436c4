package client

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/wire"
)

func TestRequestsOnTheWire(t *testing.T) {
	var got []wire.Request
	c := enter(t, structured(), withContexts, func(f *fake) {
		for range 9 {
			q, _ := f.request()
			switch q.Type {
			case wire.CmdRead:
				f.data(q, 0, q.Offset, pattern(int(q.Length)))
			case wire.CmdBlockStatus:
				f.chunk(q, 0, wire.ChunkBlockStatus, wire.BlockStatus{ContextID: 9, Extents: []wire.Extent{{Length: 1, Status: 1 << 31}}}.Append(nil))
				f.chunk(q, 0x40, wire.ChunkBlockStatus, wire.BlockStatus{ContextID: 7, Extents: []wire.Extent{{Length: 512, Status: 3}}}.Append(nil))
			}
			if q.Type == wire.CmdFlush {
				f.simple(q, wire.OK)
			} else {
				f.chunk(q, wire.ReplyFlagDone, wire.ChunkNone, nil)
			}
			q.Cookie = 0
			got = append(got, q)
		}
		f.disc()
	})
	ctx, buf := within10s(t), make([]byte, 10)
	var status map[string][]wire.Extent
	for i, err := range []error{
		c.ReadAt(ctx, buf, 1, wire.CmdFlagDF),
		c.WriteAt(ctx, buf, 2, wire.CmdFlagFUA),
		c.Flush(ctx),
		c.Trim(ctx, 3, 4, wire.CmdFlagFUA),
		c.Cache(ctx, 5, 6),
		c.WriteZeroes(ctx, 7, 8, wire.CmdFlagNoHole|wire.CmdFlagFastZero|wire.CmdFlagFUA),
		func() (err error) { status, err = c.BlockStatus(ctx, 9, 1<<20, wire.CmdFlagReqOne); return }(),
		c.ReadAt(ctx, buf, 1<<30-10, 0),
		c.WriteAt(ctx, make([]byte, 100<<10), 0, 0),
		c.ReadAt(ctx, nil, 5, 0),
		c.Trim(ctx, 1<<30, 0, 0),
		c.Disconnect(ctx),
	} {
		if err != nil {
			t.Errorf("request %d: %v", i, err)
		}
	}
	want := []wire.Request{
		{Type: wire.CmdRead, Flags: wire.CmdFlagDF, Offset: 1, Length: 10},
		{Type: wire.CmdWrite, Flags: wire.CmdFlagFUA, Offset: 2, Length: 10},
		{Type: wire.CmdFlush},
		{Type: wire.CmdTrim, Flags: wire.CmdFlagFUA, Offset: 3, Length: 4},
		{Type: wire.CmdCache, Offset: 5, Length: 6},
		{Type: wire.CmdWriteZeroes, Flags: wire.CmdFlagNoHole | wire.CmdFlagFastZero | wire.CmdFlagFUA, Offset: 7, Length: 8},
		{Type: wire.CmdBlockStatus, Flags: wire.CmdFlagReqOne, Offset: 9, Length: 1 << 20},
		{Type: wire.CmdRead, Offset: 1<<30 - 10, Length: 10},
		{Type: wire.CmdWrite, Length: 100 << 10},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]wire.Extent{"x-a:b": {{Length: 1, Status: 1 << 31}}, "base:allocation": {{Length: 512, Status: 3}}}, status); diff != "" {
		t.Errorf("status (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(pattern(10), buf); diff != "" {
		t.Errorf("data (-want +got):\n%s", diff)
	}
}

// The reads of many goroutines are answered from the last to the first, each in
// chunks from the last to the first, those of all replies mixed.
func TestRepliesInAnyOrder(t *testing.T) {
	const readers, size = 8, 4096
	image := pattern(readers * size)
	image = append(image[:5*512], append(make([]byte, 512), image[6*512:]...)...)
	c := enter(t, structured(), Config{}, func(f *fake) {
		var requests []wire.Request
		cookies := map[uint64]bool{}
		for range readers {
			q, _ := f.request()
			requests = append(requests, q)
			if cookies[q.Cookie] {
				t.Errorf("cookie %#x is used twice", q.Cookie)
			}
			cookies[q.Cookie] = true
		}
		slices.Reverse(requests)
		for i := size/512 - 1; i >= 0; i-- {
			for _, q := range requests {
				at := q.Offset + uint64(i)*512
				if part := image[at : at+512]; bytes.Equal(part, make([]byte, 512)) {
					f.hole(q, 0x8000, at, 512)
				} else {
					f.data(q, 0, at, part)
				}
			}
		}
		for _, q := range requests {
			f.chunk(q, wire.ReplyFlagDone, wire.ChunkNone, nil)
		}
		f.disc()
	})
	var group sync.WaitGroup
	for i := range readers {
		group.Go(func() {
			buf := bytes.Repeat([]byte{0xee}, size)
			ctx := context.Background()
			if i%2 == 0 {
				ctx = within10s(t)
			}
			if err := c.ReadAt(ctx, buf, uint64(i*size), 0); err != nil {
				t.Error(err)
			}
			if !bytes.Equal(buf, image[i*size:(i+1)*size]) {
				t.Errorf("reader %d got wrong data", i)
			}
		})
	}
	group.Wait()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestRequestErrors(t *testing.T) {
	for _, tt := range []struct {
		name string
		h    hello
		do   func(context.Context, *Client) error
		say  func(f *fake, q wire.Request)
		want RequestError // without the request
		is   wire.Errno
	}{
		{"simple", simple(), read4k, func(f *fake, q wire.Request) { f.simple(q, wire.EIO) }, RequestError{Errno: wire.EIO, General: true}, wire.EIO},
		{
			"simple to a write, structured negotiated", structured(), write4k, func(f *fake, q wire.Request) { f.simple(q, wire.ENOSPC) },
			RequestError{Errno: wire.ENOSPC, General: true},
			wire.ENOSPC,
		},
		{
			"simple to block status", structured(), status4k, func(f *fake, q wire.Request) { f.simple(q, wire.EINVAL) },
			RequestError{Errno: wire.EINVAL, General: true},
			wire.EINVAL,
		},
		{"unknown value counts as EINVAL", simple(), read4k, func(f *fake, q wire.Request) { f.simple(q, 71) }, RequestError{Errno: 71, General: true}, wire.EINVAL},
		{"chunk with text", structured(), read4k, func(f *fake, q wire.Request) {
			f.chunk(q, wire.ReplyFlagDone, wire.ChunkError, wire.ErrorChunk{Error: wire.EPERM, Message: "no"}.Append(nil))
		}, RequestError{Errno: wire.EPERM, Message: "no", General: true}, wire.EPERM},
		{"data, error offset, data, the other end first", structured(), read4k, func(f *fake, q wire.Request) {
			f.data(q, 0, 2048, pattern(2048))
			f.chunk(q, 0, wire.ChunkErrorOffset, wire.ErrorOffset(wire.EIO, "bad", 3000).Append(nil))
			f.chunk(q, 0, wire.ChunkErrorOffset, wire.ErrorOffset(wire.ENOMEM, "", 512).Append(nil))
			f.hole(q, wire.ReplyFlagDone, 0, 512)
		}, RequestError{Errno: wire.EIO, Message: "bad", Offsets: []OffsetError{{wire.EIO, "bad", 3000}, {wire.ENOMEM, "", 512}}}, wire.EIO},
		{"unknown error type", structured(), write4k, func(f *fake, q wire.Request) {
			f.chunk(q, wire.ReplyFlagDone, 1<<15+99, wire.ErrorChunk{Error: wire.EIO, Message: "new", Rest: []byte("something else")}.Append(nil))
		}, RequestError{Errno: wire.EIO, Message: "new", General: true}, wire.EIO},
		{"unknown error type that looks like an offset", structured(), write4k, func(f *fake, q wire.Request) {
			f.chunk(q, wire.ReplyFlagDone, 1<<15+99, wire.ErrorChunk{Error: wire.EIO, Rest: bytes.Repeat([]byte{255}, 8)}.Append(nil))
		}, RequestError{Errno: wire.EIO, General: true}, wire.EIO},
		{"error offset to a flush", structured(), flush, func(f *fake, q wire.Request) {
			f.chunk(q, wire.ReplyFlagDone, wire.ChunkErrorOffset, wire.ErrorOffset(wire.EIO, "", 1<<40).Append(nil))
		}, RequestError{Errno: wire.EIO, General: true}, wire.EIO},
		{"EOVERFLOW to an unfragmented read", structured(), readDF, func(f *fake, q wire.Request) {
			f.chunk(q, wire.ReplyFlagDone, wire.ChunkError, wire.ErrorChunk{Error: wire.EOVERFLOW}.Append(nil))
		}, RequestError{Errno: wire.EOVERFLOW, General: true}, wire.EOVERFLOW},
		{"status, then an error", structured(), status4k, func(f *fake, q wire.Request) {
			f.chunk(q, 0, wire.ChunkBlockStatus, wire.BlockStatus{ContextID: 7, Extents: []wire.Extent{{Length: 1}}}.Append(nil))
			f.chunk(q, wire.ReplyFlagDone, wire.ChunkError, wire.ErrorChunk{Error: wire.EIO}.Append(nil))
		}, RequestError{Errno: wire.EIO, General: true}, wire.EIO},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := enter(t, tt.h, withContexts, func(f *fake) {
				q, _ := f.request()
				tt.say(f, q)
				q, _ = f.request() // the session goes on
				f.simple(q, wire.OK)
				f.disc()
			})
			err := tt.do(within10s(t), c)
			var got *RequestError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want a request error", err)
			}
			if !errors.Is(err, tt.is) {
				t.Errorf("%v is not %v", err, tt.is)
			}
			got.Request = wire.Request{}
			if diff := cmp.Diff(&tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if err := c.Flush(within10s(t)); err != nil {
				t.Error(err)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

func read4k(ctx context.Context, c *Client) error { return c.ReadAt(ctx, make([]byte, 4096), 0, 0) }
func readDF(ctx context.Context, c *Client) error {
	return c.ReadAt(ctx, make([]byte, 4096), 0, wire.CmdFlagDF)
}

func write4k(ctx context.Context, c *Client) error { return c.WriteAt(ctx, make([]byte, 4096), 0, 0) }
func flush(ctx context.Context, c *Client) error   { return c.Flush(ctx) }
func status4k(ctx context.Context, c *Client) error {
	_, err := c.BlockStatus(ctx, 0, 4096, 0)
	return err
}

func statusOne(ctx context.Context, c *Client) error {
	_, err := c.BlockStatus(ctx, 0, 4096, wire.CmdFlagReqOne)
	return err
}

func TestUsageErrors(t *testing.T) {
	readOnly := hello{simple: true, size: 1 << 20, flags: wire.FlagHasFlags | wire.FlagReadOnly | wire.FlagSendTrim | wire.FlagSendWriteZeroes}
	plain := hello{size: 1 << 20, flags: wire.FlagHasFlags}
	aligned := hello{simple: true, size: 1<<20 + 100, flags: allFlags, constraints: wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: 1 << 20}}
	buf := make([]byte, 512)
	for _, tt := range []struct {
		name   string
		h      hello
		do     func(context.Context, *Client) error
		clause string
	}{
		{"write to a read-only export", readOnly, write4k, ""},
		{"trim of a read-only export", readOnly, func(ctx context.Context, c *Client) error { return c.Trim(ctx, 0, 1, 0) }, ""},
		{"flush unadvertised", plain, flush, "cmd.flush.needs-flag"},
		{"trim unadvertised", plain, func(ctx context.Context, c *Client) error { return c.Trim(ctx, 0, 1, 0) }, "cmd.trim.needs-flag"},
		{"cache unadvertised", plain, func(ctx context.Context, c *Client) error { return c.Cache(ctx, 0, 1) }, ""},
		{"zeroes unadvertised", plain, func(ctx context.Context, c *Client) error { return c.WriteZeroes(ctx, 0, 1, 0) }, "cmd.write-zeroes.needs-flag"},
		{"FUA unadvertised", plain, func(ctx context.Context, c *Client) error { return c.WriteAt(ctx, buf, 0, wire.CmdFlagFUA) }, "flag.transmission.client-use"},
		{"DF unadvertised", plain, readDF, "cmdflag.df.needs-flag"},
		{
			"FAST_ZERO unadvertised",
			hello{flags: wire.FlagHasFlags | wire.FlagSendWriteZeroes, size: 1},
			func(ctx context.Context, c *Client) error { return c.WriteZeroes(ctx, 0, 1, wire.CmdFlagFastZero) }, "cmdflag.fast-zero.needs-flag",
		},
		{"block status without a context", plain, status4k, "cmd.block-status.needs-context"},
		{"FUA on a read", simple(), func(ctx context.Context, c *Client) error { return c.ReadAt(ctx, buf, 0, wire.CmdFlagFUA) }, "cmdflag.fua.only-writes"},
		{"NO_HOLE on a write", simple(), func(ctx context.Context, c *Client) error { return c.WriteAt(ctx, buf, 0, wire.CmdFlagNoHole) }, "cmdflag.documented"},
		{"unknown flag", simple(), func(ctx context.Context, c *Client) error { return c.Trim(ctx, 0, 1, 0x800) }, "cmdflag.documented"},
		{"PAYLOAD_LEN", simple(), func(ctx context.Context, c *Client) error { return c.WriteAt(ctx, buf, 0, wire.CmdFlagPayloadLen) }, "cmdflag.documented"},
		{"beyond the end", aligned, func(ctx context.Context, c *Client) error { return c.ReadAt(ctx, buf, 1<<20, 0) }, "size.bounds.client"},
		{"far beyond the end", aligned, func(ctx context.Context, c *Client) error { return c.ReadAt(ctx, buf, 1<<64-512, 0) }, "size.bounds.client"},
		{"trim without end", aligned, func(ctx context.Context, c *Client) error { return c.Trim(ctx, 512, 1<<64-512, 0) }, "size.bounds.client"},
		{"offset not aligned", aligned, func(ctx context.Context, c *Client) error { return c.ReadAt(ctx, buf, 1, 0) }, "size.align.client"},
		{"length not aligned", aligned, func(ctx context.Context, c *Client) error { return c.WriteAt(ctx, buf[:511], 0, 0) }, "size.align.client"},
		{"cache not aligned", aligned, func(ctx context.Context, c *Client) error { return c.Cache(ctx, 0, 100) }, "size.align.client.other"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := enter(t, tt.h, Config{}, func(f *fake) { f.disc() })
			err := tt.do(within10s(t), c)
			var misuse *UsageError
			if !errors.As(err, &misuse) || misuse.Clause != tt.clause {
				t.Errorf("got %v, want a usage error about %q", err, tt.clause)
			}
			if err := c.Close(); err != nil {
				t.Error(err)
			}
		})
	}
}

// memory answers requests out of b until NBD_CMD_DISC, and returns them.
func (f *fake) memory(b []byte) (all []wire.Request) {
	for {
		q, p := f.request()
		switch q.Type {
		case wire.CmdDisc:
			return all
		case wire.CmdRead:
			f.simple(q, wire.OK, b[q.Offset:q.Offset+q.Length]...)
		case wire.CmdWrite:
			copy(b[q.Offset:], p)
			f.simple(q, wire.OK)
		case wire.CmdWriteZeroes:
			clear(b[q.Offset : q.Offset+q.Length])
			f.simple(q, wire.OK)
		default:
			f.simple(q, wire.OK)
		}
		all = append(all, q)
	}
}

func TestLargeRequestsAreSplit(t *testing.T) {
	h := simple()
	h.constraints = wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: 10_000}
	var all []wire.Request
	image := make([]byte, 1<<20)
	c := enter(t, h, Config{}, func(f *fake) { all = f.memory(image) })
	want := pattern(300 * 512)
	if err := c.WriteAt(within10s(t), want, 512, 0); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, len(want))
	if err := c.ReadAt(context.Background(), got, 512, 0); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("what was written is not what is read")
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	for i, q := range all {
		if q.Length > 8192 || q.Offset%4096 != 0 && q.Offset != 512 {
			t.Errorf("request %d: %v", i, q)
		}
	}
}

func TestSplitRequestFails(t *testing.T) {
	h := simple()
	h.constraints = wire.SizeConstraints{Minimum: 1, Preferred: 512, MaxPayload: 512}
	c := enter(t, h, Config{}, func(f *fake) {
		for {
			q, _ := f.request()
			switch {
			case q.Type == wire.CmdDisc:
				return
			case q.Offset == 1024:
				f.simple(q, wire.EIO)
			default:
				f.simple(q, wire.OK, make([]byte, q.Length)...)
			}
		}
	})
	err := c.ReadAt(within10s(t), make([]byte, 1<<20), 0, 0)
	var r *RequestError
	if !errors.As(err, &r) || r.Request.Offset != 1024 || !errors.Is(err, wire.EIO) {
		t.Errorf("got %v, want EIO at 1024", err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}

func TestEffectsBeyond32Bits(t *testing.T) {
	h := structured()
	h.size = 1 << 40
	var got []wire.Request
	c := enter(t, h, withContexts, func(f *fake) {
		for {
			q, _ := f.request()
			switch q.Type {
			case wire.CmdDisc:
				return
			case wire.CmdBlockStatus:
				for i, id := range []uint32{7, 9} {
					f.chunk(q, wire.ReplyFlags(i), wire.ChunkBlockStatus, wire.BlockStatus{ContextID: id, Extents: []wire.Extent{{Length: 1<<32 - 1}}}.Append(nil))
				}
			default:
				f.simple(q, wire.OK)
			}
			got = append(got, wire.Request{Type: q.Type, Offset: q.Offset, Length: q.Length})
		}
	})
	if err := c.WriteZeroes(within10s(t), 0, 1<<33, 0); err != nil {
		t.Error(err)
	}
	if _, err := c.BlockStatus(within10s(t), 0, 1<<40, 0); err != nil {
		t.Error(err)
	}
	if err := c.Close(); err != nil {
		t.Error(err)
	}
	const most = 1<<32 - 4096
	want := []wire.Request{
		{Type: wire.CmdWriteZeroes, Length: most},
		{Type: wire.CmdWriteZeroes, Offset: most, Length: most},
		{Type: wire.CmdWriteZeroes, Offset: 2 * most, Length: 8192},
		{Type: wire.CmdBlockStatus, Length: most},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestMaxInFlight(t *testing.T) {
	c := enter(t, simple(), Config{MaxInFlight: 2}, func(f *fake) {
		first, _ := f.request()
		second, _ := f.request()
		_ = f.conn.SetReadDeadline(time.Now().Add(100 * time.Millisecond))
		if b, err := f.r.ReadByte(); err == nil {
			t.Errorf("a third request comes: %#x", b)
		}
		_ = f.conn.SetReadDeadline(time.Time{})
		f.simple(second, wire.OK)
		third, _ := f.request()
		f.simple(first, wire.OK)
		f.simple(third, wire.OK)
		f.disc()
	})
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if err := c.Flush(within10s(t)); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if err := c.Close(); err != nil {
		t.Error(err)
	}
}
