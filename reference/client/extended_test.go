package client

import (
	"bytes"
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/wire"
)

// extended is a hello of a server with extended headers.
func extended() hello {
	h := structured()
	h.extended, h.size = true, 1<<40
	h.flags |= wire.FlagBlockStatusPayload
	return h
}

var wantExtended = func() Config {
	c := withContexts
	c.ExtendedHeaders = true
	return c
}()

func TestExtendedHeaders(t *testing.T) {
	data := pattern(4096)
	const long = 1 << 36
	c := enter(t, extended(), wantExtended, func(f *fake) {
		expect := func(want wire.Request) wire.Request {
			t.Helper()
			q, _ := f.request()
			want.Cookie = q.Cookie
			if q != want {
				t.Errorf("fake server: %v comes where %v is due", q, want)
			}
			return q
		}
		q, p := f.request()
		if q.Flags != wire.CmdFlagPayloadLen || !bytes.Equal(p, data) {
			t.Errorf("fake server: %v with %d bytes", q, len(p))
		}
		f.chunk(q, wire.ReplyFlagDone, wire.ChunkNone, nil)
		q = expect(wire.Request{Type: wire.CmdRead, Offset: 8192, Length: 4096})
		f.data(q, 0, 8192+1024, data[1024:])
		f.data(q, wire.ReplyFlagDone, 8192, data[:1024])
		for _, cmd := range []wire.Command{wire.CmdTrim, wire.CmdWriteZeroes, wire.CmdCache} {
			f.chunk(expect(wire.Request{Type: cmd, Offset: 4096, Length: long}), wire.ReplyFlagDone, wire.ChunkNone, nil)
		}
		q = expect(wire.Request{Type: wire.CmdBlockStatus, Offset: 4096, Length: long})
		f.extents(q, 0, 7, wire.Extent{Length: 5, Status: 3}, wire.Extent{Length: long + 17})
		f.extents(q, wire.ReplyFlagDone, 9, wire.Extent{Length: 1, Status: 1 << 60})
		q, p = f.request()
		if want := (wire.StatusFilter{Length: long, ContextIDs: []uint32{9}}).Append(nil); q.Flags != wire.CmdFlagPayloadLen|wire.CmdFlagReqOne || !bytes.Equal(p, want) {
			t.Errorf("fake server: %v with % x", q, p)
		}
		f.extents(q, wire.ReplyFlagDone, 9, wire.Extent{Length: long})
		f.disc()
	})
	if !c.Extended() || !c.Structured() {
		t.Error("not negotiated")
	}
	ctx := within10s(t)
	if err := c.WriteAt(ctx, data, 4096, 0); err != nil {
		t.Fatal(err)
	}
	got := make([]byte, 4096)
	if err := c.ReadAt(ctx, got, 8192, 0); err != nil || !bytes.Equal(got, data) {
		t.Fatal(err)
	}
	if err := errors.Join(c.Trim(ctx, 4096, long, 0), c.WriteZeroes(ctx, 4096, long, 0), c.Cache(ctx, 4096, long)); err != nil {
		t.Fatal(err)
	}
	status, err := c.BlockStatus(ctx, 4096, long, 0)
	if d := cmp.Diff(map[string][]wire.Extent{"base:allocation": {{Length: 5, Status: 3}, {Length: long + 17}}, "x-a:b": {{Length: 1, Status: 1 << 60}}}, status); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
	status, err = c.BlockStatusOf(ctx, 4096, long, wire.CmdFlagReqOne, "x-a:b")
	if d := cmp.Diff(map[string][]wire.Extent{"x-a:b": {{Length: long}}}, status); d != "" || err != nil {
		t.Errorf("%v %s", err, d)
	}
	var use *UsageError
	for _, names := range [][]string{nil, {"x-a:c"}, {"x-a:b", "x-a:b"}} {
		if _, err := c.BlockStatusOf(ctx, 0, 512, 0, names...); !errors.As(err, &use) {
			t.Errorf("%q: got %v", names, err)
		}
	}
	if err := c.Disconnect(ctx); err != nil {
		t.Error(err)
	}
}

func TestExtendedHeadersFallBack(t *testing.T) {
	for _, h := range []hello{structured(), simple()} {
		c := enter(t, h, wantExtended, func(f *fake) { f.disc() })
		if c.Extended() || c.Structured() == h.simple {
			t.Errorf("extended %t, structured %t", c.Extended(), c.Structured())
		}
		var use *UsageError
		if _, err := c.BlockStatusOf(within10s(t), 0, 512, 0, "x-a:b"); !errors.As(err, &use) {
			t.Errorf("got %v", err)
		}
		if err := c.Disconnect(within10s(t)); err != nil {
			t.Error(err)
		}
	}
}

func TestExtendedHeadersRuleOutExportName(t *testing.T) {
	conn := serve(t, func(f *fake) {
		f.greet(wire.FlagFixedNewstyle | wire.FlagNoZeroes)
		f.option(wire.OptExtendedHeaders)
		f.answer(wire.OptExtendedHeaders, wire.RepAck, nil)
		f.option(wire.OptGo)
		f.answer(wire.OptGo, wire.RepErrUnsup, nil)
		f.gone()
	})
	n, err := Negotiate(within10s(t), conn, Config{ExtendedHeaders: true})
	if err != nil || !n.Extended() {
		t.Fatal(err)
	}
	var use *UsageError
	if _, err := n.ExportName(within10s(t), ""); !errors.As(err, &use) {
		t.Errorf("got %v", err)
	}
	_, err = n.Go(within10s(t), "")
	sessionOver(t, err, "opt.info.extended.unsup")
}

func TestHostileExtendedServers(t *testing.T) {
	ext := func(q wire.Request, c wire.Chunk) []byte {
		c.Cookie, c.Offset, c.Flags = q.Cookie, q.Offset, c.Flags|wire.ReplyFlagDone
		return c.AppendExtended(nil)
	}
	status := func(id uint32, status uint64) wire.Chunk {
		s := wire.BlockStatus{ContextID: id, Extents: []wire.Extent{{Length: 512, Status: status}}}
		return wire.Chunk{Type: wire.ChunkBlockStatusExt, Payload: s.AppendExtended(nil)}
	}
	only := func(ctx context.Context, c *Client) error {
		_, err := c.BlockStatusOf(ctx, 0, 4096, 0, "x-a:b")
		return err
	}
	for _, tt := range []struct {
		name   string
		do     func(ctx context.Context, c *Client) error
		answer func(q wire.Request) []byte
		clause string
	}{
		{"simple", flush, func(q wire.Request) []byte { return wire.SimpleReply{Cookie: q.Cookie}.Append(nil) }, "trans.extended.no-simple"},
		{"structured", flush, func(q wire.Request) []byte { return chunk(q, wire.ReplyFlagDone, wire.ChunkNone, nil) }, "trans.extended.reply"},
		{"offset", flush, func(q wire.Request) []byte {
			q.Offset++
			return ext(q, wire.Chunk{})
		}, "trans.extended.offset"},
		{"narrow status", status4k, func(q wire.Request) []byte {
			return ext(q, wire.Chunk{Type: wire.ChunkBlockStatus, Payload: wire.BlockStatus{ContextID: 7, Extents: []wire.Extent{{Length: 1}}}.Append(nil)})
		}, "chunk.block-status-ext.always"},
		{"miscounted status", status4k, func(q wire.Request) []byte {
			c := status(7, 0)
			c.Payload[7]++
			return ext(q, c)
		}, "chunk.block-status-ext.count"},
		{"high bits", status4k, func(q wire.Request) []byte { return ext(q, status(7, 1<<32)) }, "chunk.block-status-ext.high-bits"},
		{"beside the filter", only, func(q wire.Request) []byte { return ext(q, status(7, 0)) }, "cmd.block-status.payload.limited"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c := enter(t, extended(), wantExtended, func(f *fake) {
				q, _ := f.request()
				f.trySend(tt.answer(q))
			})
			sessionOver(t, tt.do(within10s(t), c), tt.clause)
			<-c.Done()
		})
	}
	h := structured()
	h.flags |= wire.FlagBlockStatusPayload
	conn := serve(t, func(f *fake) { f.enter(h) })
	_, err := Connect(within10s(t), conn, Config{})
	sessionOver(t, err, "flag.transmission.block-status-payload.negotiated")
}
