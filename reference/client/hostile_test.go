package client

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"nbdconform/reference/wire"
)

// What a server may not say, the clause that it breaks, and that the client
// disconnects hard.
var violations = []struct {
	name   string
	h      hello
	do     func(context.Context, *Client) error
	say    func(f *fake, q wire.Request) []byte
	clause string // "" for layout, "-" if it is no violation but the end all the same
}{
	{"bad magic", simple(), read4k, func(f *fake, q wire.Request) []byte { return make([]byte, 16) }, "layout.reply.magic"},
	{"wrong cookie", simple(), read4k, func(f *fake, q wire.Request) []byte {
		return wire.SimpleReply{Cookie: q.Cookie + 1}.Append(nil)
	}, "trans.cookie.echo"},
	{"wrong cookie in a chunk", structured(), read4k, func(f *fake, q wire.Request) []byte {
		q.Cookie ^= 1 << 63
		return chunk(q, wire.ReplyFlagDone, wire.ChunkNone, nil)
	}, "trans.cookie.echo"},
	{"chunk unnegotiated", simple(), read4k, func(f *fake, q wire.Request) []byte {
		return chunk(q, wire.ReplyFlagDone, wire.ChunkNone, nil)
	}, "trans.structured.unnegotiated"},
	{"extended reply", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return wire.Chunk{Flags: wire.ReplyFlagDone, Cookie: q.Cookie}.AppendExtended(nil)
	}, ""},
	{"simple reply to a read", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return wire.SimpleReply{Cookie: q.Cookie, Error: wire.EINVAL}.Append(nil)
	}, "cmd.read.structured"},
	{"simple success to block status", structured(), status4k, func(f *fake, q wire.Request) []byte {
		return wire.SimpleReply{Cookie: q.Cookie}.Append(nil)
	}, "cmd.block-status.structured"},
	{"simple reply behind a chunk", structured(), write4k, func(f *fake, q wire.Request) []byte {
		return wire.SimpleReply{Cookie: q.Cookie}.Append(chunk(q, 0, wire.ChunkError, wire.ErrorChunk{Error: wire.EIO}.Append(nil)))
	}, "chunk.flag.done-last"},
	{"chunk behind the final one", structured(), twice(flush), func(f *fake, q wire.Request) []byte {
		b := chunk(q, wire.ReplyFlagDone, wire.ChunkNone, nil)
		return append(b, b...)
	}, "trans.cookie.echo"},
	{"NONE with a payload", structured(), flush, func(f *fake, q wire.Request) []byte {
		return chunk(q, wire.ReplyFlagDone, wire.ChunkNone, []byte{1})
	}, "chunk.none.length"},
	{"NONE without DONE", structured(), flush, func(f *fake, q wire.Request) []byte {
		return chunk(q, 0, wire.ChunkNone, nil)
	}, "chunk.none.done"},
	{"unknown type", structured(), flush, func(f *fake, q wire.Request) []byte {
		return chunk(q, wire.ReplyFlagDone, 99, nil)
	}, "chunk.unknown-type"},
	{"data for a write", structured(), write4k, func(f *fake, q wire.Request) []byte {
		return data(q, wire.ReplyFlagDone, 0, 1)
	}, "chunk.unknown-type"},
	{"status for a read", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return status(q, wire.ReplyFlagDone, 7, wire.Extent{Length: 1})
	}, "chunk.unknown-type"},
	{"extended status", structured(), status4k, func(f *fake, q wire.Request) []byte {
		return chunk(q, wire.ReplyFlagDone, wire.ChunkBlockStatusExt, nil)
	}, "chunk.block-status-ext.unnegotiated"},

	{"no data", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return chunk(q, wire.ReplyFlagDone, wire.ChunkNone, nil)
	}, "cmd.read.cover"},
	{"a byte missing at the end", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return data(q, wire.ReplyFlagDone, 0, 4095)
	}, "cmd.read.cover"},
	{"a byte missing in between", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return append(data(q, 0, 0, 100), data(q, wire.ReplyFlagDone, 101, 3995)...)
	}, "cmd.read.cover"},
	{"data before the range", structured(), readHigh, func(f *fake, q wire.Request) []byte {
		return data(q, 0, 8191, 1)
	}, "chunk.offset-data.bounds"},
	{"data across the end", structured(), readHigh, func(f *fake, q wire.Request) []byte {
		return data(q, 0, 8192+4095, 2)
	}, "chunk.offset-data.bounds"},
	{"data behind the range", structured(), readHigh, func(f *fake, q wire.Request) []byte {
		return data(q, 0, 1<<63, 1)
	}, "chunk.offset-data.bounds"},
	{"data too long", structured(), readHigh, func(f *fake, q wire.Request) []byte {
		h := wire.ChunkHeader{Type: wire.ChunkOffsetData, Cookie: q.Cookie, Length: 1<<32 - 1}
		return append(h.Append(nil), wire.OffsetData{Offset: q.Offset, Data: make([]byte, 9)}.Append(nil)...)
	}, "chunk.offset-data.bounds"},
	{"data overlapping data", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return append(data(q, 0, 0, 100), data(q, 0, 99, 10)...)
	}, "chunk.offset-data.overlap"},
	{"data overlapping from below", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return append(data(q, 0, 100, 100), data(q, 0, 0, 101)...)
	}, "chunk.offset-data.overlap"},
	{"data around data", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return append(data(q, 0, 100, 1), data(q, 0, 0, 4096)...)
	}, "chunk.offset-data.overlap"},
	{"data overlapping an error", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return append(chunk(q, 0, wire.ChunkErrorOffset, wire.ErrorOffset(wire.EIO, "", 50).Append(nil)), data(q, 0, 0, 51)...)
	}, "chunk.offset-data.overlap"},
	{"hole overlapping a hole", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return append(hole(q, 0, 100), hole(q, 0, 100)...)
	}, "chunk.offset-hole.overlap"},
	{"hole across the end", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return hole(q, 4095, 1<<32-1)
	}, "chunk.offset-hole.bounds"},
	{"hole of nothing", structured(), read4k, func(f *fake, q wire.Request) []byte { return hole(q, 0, 0) }, "chunk.offset-hole.nonzero"},
	{"hole of wrong length", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return chunk(q, 0, wire.ChunkOffsetHole, make([]byte, 13))
	}, "chunk.offset-hole.length"},
	{"data of nothing", structured(), read4k, func(f *fake, q wire.Request) []byte {
		return chunk(q, 0, wire.ChunkOffsetData, make([]byte, 8))
	}, "chunk.offset-data.length"},
	{"two pieces of an unfragmented read", structured(), readDF, func(f *fake, q wire.Request) []byte {
		return append(data(q, 0, 0, 100), data(q, wire.ReplyFlagDone, 100, 3996)...)
	}, "cmdflag.df.one-content"},
	{"EOVERFLOW with content", structured(), readDF, func(f *fake, q wire.Request) []byte {
		return append(data(q, 0, 0, 100), chunk(q, wire.ReplyFlagDone, wire.ChunkError, wire.ErrorChunk{Error: wire.EOVERFLOW}.Append(nil))...)
	}, "cmdflag.df.eoverflow.no-content"},

	{"a context missing", structured(), status4k, func(f *fake, q wire.Request) []byte {
		return status(q, wire.ReplyFlagDone, 7, wire.Extent{Length: 1})
	}, "chunk.block-status.per-context"},
	{"a context twice", structured(), status4k, func(f *fake, q wire.Request) []byte {
		return append(status(q, 0, 7, wire.Extent{Length: 1}), status(q, 0, 7, wire.Extent{Length: 1})...)
	}, "chunk.block-status.per-context"},
	{"an unknown context", structured(), status4k, func(f *fake, q wire.Request) []byte {
		return status(q, 0, 8, wire.Extent{Length: 1})
	}, "chunk.block-status.per-context"},
	{"an empty extent", structured(), status4k, func(f *fake, q wire.Request) []byte {
		return status(q, 0, 7, wire.Extent{})
	}, "chunk.block-status.extent-nonzero"},
	{"extents that go on", structured(), status4k, func(f *fake, q wire.Request) []byte {
		return status(q, 0, 7, wire.Extent{Length: 4096}, wire.Extent{Length: 1, Status: 1})
	}, "chunk.block-status.sum"},
	{"two extents where one is due", structured(), statusOne, func(f *fake, q wire.Request) []byte {
		return status(q, 0, 7, wire.Extent{Length: 1}, wire.Extent{Length: 1, Status: 1})
	}, "cmdflag.req-one.one-extent"},
	{"one extent too long", structured(), statusOne, func(f *fake, q wire.Request) []byte {
		return status(q, 0, 7, wire.Extent{Length: 4097})
	}, "cmdflag.req-one.length"},
	{"half an extent", structured(), status4k, func(f *fake, q wire.Request) []byte {
		return chunk(q, 0, wire.ChunkBlockStatus, make([]byte, 16))
	}, ""},
	{"status that is no end", structured(), status4k, func(f *fake, q wire.Request) []byte {
		return wire.ChunkHeader{Type: wire.ChunkBlockStatus, Cookie: q.Cookie, Length: 1<<32 - 4}.Append(nil)
	}, "-"},

	{"error 0", structured(), flush, func(f *fake, q wire.Request) []byte {
		return chunk(q, wire.ReplyFlagDone, wire.ChunkError, wire.ErrorChunk{}.Append(nil))
	}, "chunk.error.nonzero"},
	{"text longer than its chunk", structured(), flush, func(f *fake, q wire.Request) []byte {
		return chunk(q, wire.ReplyFlagDone, wire.ChunkError, []byte{0, 0, 0, 5, 0, 1})
	}, "chunk.error.length"},
	{"text longer than its chunk of unknown type", structured(), flush, func(f *fake, q wire.Request) []byte {
		return chunk(q, wire.ReplyFlagDone, 1<<15+5, []byte{0, 0, 0, 5, 0, 9, 'x'})
	}, ""},
	{"text of 4097 bytes", structured(), flush, func(f *fake, q wire.Request) []byte {
		return chunk(q, wire.ReplyFlagDone, wire.ChunkError, wire.ErrorChunk{Error: wire.EIO, Message: string(bytes.Repeat([]byte("x"), 4097))}.Append(nil))
	}, "chunk.error.message-length"},
	{"error too short", structured(), flush, func(f *fake, q wire.Request) []byte {
		return chunk(q, wire.ReplyFlagDone, wire.ChunkError, make([]byte, 5))
	}, "chunk.error.length"},
	{"error outside the range", structured(), write4k, func(f *fake, q wire.Request) []byte {
		return chunk(q, wire.ReplyFlagDone, wire.ChunkErrorOffset, wire.ErrorOffset(wire.EIO, "", 4096).Append(nil))
	}, "chunk.error-offset.bounds"},
	{"error chunk that is no end", structured(), flush, func(f *fake, q wire.Request) []byte {
		return wire.ChunkHeader{Type: 1<<15 + 77, Cookie: q.Cookie, Length: 1<<32 - 1}.Append(nil)
	}, "-"},
	{"errors without end", structured(), flush, func(f *fake, q wire.Request) []byte {
		return bytes.Repeat(chunk(q, 0, wire.ChunkError, wire.ErrorChunk{Error: wire.EIO}.Append(nil)), maxErrorChunks+1)
	}, "-"},
}

func chunk(q wire.Request, flags wire.ReplyFlags, t wire.ChunkType, payload []byte) []byte {
	return wire.Chunk{Flags: flags, Type: t, Cookie: q.Cookie, Payload: payload}.Append(nil)
}

func data(q wire.Request, flags wire.ReplyFlags, offset uint64, n int) []byte {
	return chunk(q, flags, wire.ChunkOffsetData, wire.OffsetData{Offset: offset, Data: make([]byte, n)}.Append(nil))
}

func hole(q wire.Request, offset uint64, n uint32) []byte {
	return chunk(q, 0, wire.ChunkOffsetHole, wire.OffsetHole{Offset: offset, Size: n}.Append(nil))
}

func status(q wire.Request, flags wire.ReplyFlags, id uint32, e ...wire.Extent) []byte {
	return chunk(q, flags, wire.ChunkBlockStatus, wire.BlockStatus{ContextID: id, Extents: e}.Append(nil))
}

func readHigh(ctx context.Context, c *Client) error {
	return c.ReadAt(ctx, make([]byte, 4096), 8192, 0)
}

// twice does the first and returns the error of the second, which meets the end of the session.
func twice(do func(context.Context, *Client) error) func(context.Context, *Client) error {
	return func(ctx context.Context, c *Client) error {
		_ = do(ctx, c)
		<-c.Done()
		return do(ctx, c)
	}
}

func TestViolationsEndTheSession(t *testing.T) {
	for _, tt := range violations {
		t.Run(tt.name, func(t *testing.T) {
			c := enter(t, tt.h, withContexts, func(f *fake) {
				q, _ := f.request()
				f.trySend(tt.say(f, q))
				f.gone()
			})
			err := tt.do(within10s(t), c)
			var s *SessionError
			if !errors.As(err, &s) || s.Violation != (tt.clause != "-") {
				t.Fatalf("got %v, want a session error", err)
			}
			if tt.clause != "-" && tt.clause != "" && s.Clause != tt.clause {
				t.Errorf("got clause %q (%v), want %q", s.Clause, err, tt.clause)
			}
			if later := c.Flush(within10s(t)); !errors.Is(later, s) {
				t.Errorf("the next request: got %v, want %v", later, s)
			}
			if err := c.Close(); !errors.Is(err, s) {
				t.Errorf("closing: got %v, want %v", err, s)
			}
		})
	}
}

// A reply that ends at any byte is an error and no data.
func TestDisconnectAtEveryPoint(t *testing.T) {
	whole := func(q wire.Request) []byte {
		b := data(q, 0, 0, 40)
		b = append(b, hole(q, 50, 14)...)
		return append(b, data(q, wire.ReplyFlagDone, 40, 10)...)
	}
	length := len(whole(wire.Request{}))
	for n := range length {
		c := enter(t, structured(), Config{}, func(f *fake) {
			q, _ := f.request()
			f.trySend(whole(q)[:n])
		})
		ctx := context.Background()
		if n%2 == 0 {
			ctx = within10s(t)
		}
		err := c.ReadAt(ctx, make([]byte, 64), 0, 0)
		if sessionOver(t, err, "-"); !Ended(err) {
			t.Errorf("after %d bytes: %v", n, err)
		}
		<-c.Done()
	}
	t.Logf("%d points", length)
}

// Chunks that leave gaps are bounded.
func TestTooManyPieces(t *testing.T) {
	c := enter(t, structured(), Config{}, func(f *fake) {
		q, _ := f.request()
		var b []byte
		for i := range uint64(maxSpans + 2) {
			b = append(b, hole(q, 2*i, 1)...)
		}
		f.trySend(b)
		f.gone()
	})
	err := c.ReadAt(within10s(t), make([]byte, 1<<20), 0, 0)
	sessionOver(t, err, "-")
}

// FuzzReplies feeds a client that waits for one reply of each kind with
// arbitrary bytes. It must come to an end, whatever they are.
func FuzzReplies(f *testing.F) {
	for _, tt := range violations {
		if !tt.h.simple {
			f.Add(tt.say(nil, wire.Request{Cookie: 1, Length: 4096}))
		}
	}
	f.Fuzz(func(t *testing.T, b []byte) {
		for i, do := range []func(context.Context, *Client) error{read4k, status4k, write4k} {
			c := enter(t, structured(), withContexts, func(f *fake) {
				f.request()
				f.trySend(b)
			})
			err := do(within10s(t), c)
			<-c.Done()
			if errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(fmt.Errorf("request %d: %w", i, err))
			}
		}
	})
}
