package server

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

const gib = 1 << 30

// enterExtended negotiates extended headers and contexts, if any, and enters
// the transmission phase of the default export, whose flags it returns.
func (p *peer) enterExtended(queries ...string) wire.TransmissionFlags {
	p.t.Helper()
	p.greet()
	p.want(p.option(wire.OptExtendedHeaders, nil), wire.RepAck)
	if len(queries) > 0 {
		p.option(wire.OptSetMetaContext, wire.MetaContextRequest{Queries: queries}.Append(nil))
	}
	list := p.option(wire.OptGo, wire.InfoRequest{}.Append(nil))
	if last := list[len(list)-1]; last.Type != wire.RepAck {
		p.t.Fatalf("NBD_OPT_GO: %v", last)
	}
	p.extended = true
	for _, r := range list {
		if i, err := wire.ParseInfo(r.Data); err == nil && i.Type == wire.InfoExport {
			e, _ := wire.ParseExportInfo(i.Payload)
			return e.Flags
		}
	}
	p.t.Fatal("no NBD_INFO_EXPORT")
	return 0
}

func TestExtendedHeadersAreNegotiated(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	p := dial(t, ln).greet()
	p.want(p.option(wire.OptExtendedHeaders, []byte("x")), wire.RepErrInvalid)
	p.want(p.option(wire.OptStructuredReply, nil), wire.RepAck)
	p.want(p.option(wire.OptExtendedHeaders, nil), wire.RepAck)
	p.want(p.option(wire.OptStructuredReply, nil), wire.RepErrExtHeaderReqd)
	p.want(p.option(wire.OptExtendedHeaders, nil), wire.RepAck)
	p.send(wire.OptionRequest{Option: wire.OptExportName}.Append(nil))
	p.closed()

	cfg := oneExport(1 << 20)
	cfg.NoExtendedHeaders = true
	_, ln = serve(t, cfg)
	p = dial(t, ln).greet()
	p.want(p.option(wire.OptExtendedHeaders, nil), wire.RepErrUnsup)
	p.want(p.option(wire.OptExtendedHeaders, []byte("x")), wire.RepErrUnsup)
}

func TestEveryExtendedCommand(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	p := dial(t, ln)
	p.enterExtended("base:allocation")
	data := pattern(8 * kib)
	write := wire.Request{Type: wire.CmdWrite, Flags: wire.CmdFlagPayloadLen, Cookie: 1, Offset: 4 * kib, Length: 8 * kib}
	if r := p.do(write, data); r.Err != wire.OK || !cmp.Equal(r.Types, []wire.ChunkType{wire.ChunkNone}) {
		t.Fatalf("write: %+v", r)
	}
	r := p.do(wire.Request{Type: wire.CmdRead, Cookie: 2, Length: 16 * kib}, nil)
	if want := append(append(make([]byte, 4*kib), data...), make([]byte, 4*kib)...); !bytes.Equal(r.Data, want) {
		t.Errorf("read: %v, data differs", r.Err)
	}
	for _, q := range []wire.Request{
		{Type: wire.CmdFlush},
		{Type: wire.CmdTrim, Offset: 4 * kib, Length: 4 * kib},
		{Type: wire.CmdWriteZeroes, Offset: 8 * kib, Length: 4 * kib, Flags: wire.CmdFlagNoHole},
		{Type: wire.CmdCache, Length: 1 << 20},
		{Type: wire.CmdRead, Length: 0},
	} {
		if r := p.do(q, nil); r.Err != wire.OK || !cmp.Equal(r.Types, []wire.ChunkType{wire.ChunkNone}) {
			t.Errorf("%v: %+v", q, r)
		}
	}
	r = p.do(wire.Request{Type: wire.CmdBlockStatus, Offset: 4 * kib, Length: 16 * kib}, nil)
	want := [][]wire.Extent{{{Length: 4 * kib, Status: 3}, {Length: 4 * kib, Status: 2}, {Length: 8 * kib, Status: 3}}}
	if d := cmp.Diff(want, r.Status); d != "" || !cmp.Equal(r.Types, []wire.ChunkType{wire.ChunkBlockStatusExt}) {
		t.Errorf("%v %s", r.Types, d)
	}
	p.send(wire.Request{Type: wire.CmdDisc}.AppendExtended(nil))
	p.closed()
}

func TestExtendedPayloads(t *testing.T) {
	cfg := oneExport(1 << 20)
	cfg.Exports[0].Constraints = wire.SizeConstraints{Minimum: 1, Preferred: 4096, MaxPayload: 64 * kib}
	_, ln := serve(t, cfg)
	p := dial(t, ln)
	p.enterExtended("base:allocation", export.Depth)
	const announced = wire.CmdFlagPayloadLen
	filter := func(n uint64, ids ...uint32) []byte { return wire.StatusFilter{Length: n, ContextIDs: ids}.Append(nil) }
	many := filter(512, make([]uint32, 2000)...)
	for _, c := range []struct {
		q       wire.Request
		payload []byte
		want    wire.Errno
	}{
		{wire.Request{Type: wire.CmdWrite, Length: 512}, nil, wire.EINVAL},
		{wire.Request{Type: wire.CmdWrite, Flags: announced, Length: 0}, nil, wire.OK},
		{wire.Request{Type: wire.CmdWrite, Flags: announced, Length: 64 * kib}, make([]byte, 64*kib), wire.OK},
		{wire.Request{Type: wire.CmdWrite, Flags: announced, Offset: 1 << 20, Length: 512}, make([]byte, 512), wire.ENOSPC},
		{wire.Request{Type: wire.CmdRead, Flags: announced, Length: 512}, make([]byte, 512), wire.EINVAL},
		{wire.Request{Type: wire.CmdFlush, Flags: announced, Length: 4}, make([]byte, 4), wire.EINVAL},
		{wire.Request{Type: wire.CmdTrim, Flags: announced, Length: 8}, make([]byte, 8), wire.EINVAL},
		{wire.Request{Type: 99, Flags: announced, Length: 8}, make([]byte, 8), wire.EINVAL},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Length: 12}, filter(512, 1), wire.OK},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Length: 8}, filter(512), wire.EINVAL},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Length: 0}, nil, wire.EINVAL},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Length: 5}, make([]byte, 5), wire.EINVAL},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Length: 16}, filter(512, 1, 1), wire.EINVAL},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Length: 16}, filter(512, 1, 77), wire.EINVAL},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Length: 12}, filter(2<<20, 1), wire.EINVAL},
		{wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Length: uint64(len(many))}, many, wire.EINVAL},
	} {
		if r := p.do(c.q, c.payload); r.Err != c.want {
			t.Errorf("%v: %v, want %v", c.q, r.Err, c.want)
		}
	}
	r := p.do(wire.Request{Type: wire.CmdBlockStatus, Flags: announced, Offset: 512, Length: 16}, filter(1024, 2, 1))
	if d := cmp.Diff([]uint32{2, 1}, r.IDs); d != "" || r.Status[0][0].Length != 1024 {
		t.Errorf("%+v", r)
	}
	p.send(wire.Request{Type: wire.CmdRead, Flags: announced, Length: 64*kib + 1}.AppendExtended(nil))
	p.closed()
}

// The data of such a write is data, and not the next request.
func TestUnannouncedWritesCanBeAllowed(t *testing.T) {
	cfg := oneExport(1 << 20)
	cfg.UnannouncedWrites = true
	cfg.Exports[0].Constraints = wire.SizeConstraints{Minimum: 1, Preferred: 4096, MaxPayload: 64 * kib}
	_, ln := serve(t, cfg)
	p := dial(t, ln)
	p.enterExtended()
	data := bytes.Repeat([]byte("unheard "), 64)
	for _, flags := range []wire.CommandFlags{0, wire.CmdFlagPayloadLen} {
		if r := p.do(wire.Request{Type: wire.CmdWrite, Flags: flags, Offset: 4096, Length: 512}, data); r.Err != wire.OK {
			t.Errorf("flags %v: %v", flags, r.Err)
		}
		if r := p.do(wire.Request{Type: wire.CmdRead, Offset: 4096, Length: 512}, nil); r.Err != wire.OK || !bytes.Equal(r.Data, data) {
			t.Errorf("flags %v: %+v", flags, r)
		}
	}
	if r := p.do(wire.Request{Type: wire.CmdWrite, Offset: 1 << 20, Length: 512}, data); r.Err != wire.ENOSPC {
		t.Errorf("beyond the end: %v", r.Err)
	}
	p.send(wire.Request{Type: wire.CmdWrite, Length: 64*kib + 1}.AppendExtended(nil))
	p.closed()
}

func TestTheFilterNeedsItsFlag(t *testing.T) {
	cfg := oneExport(1 << 20)
	_, ln := serve(t, cfg)
	if f := dial(t, ln).enterExtended(); f&wire.FlagBlockStatusPayload != 0 {
		t.Errorf("flags %v without a metadata context", f)
	}
	if f := dial(t, ln).enterExtended("base:allocation"); f&wire.FlagBlockStatusPayload == 0 {
		t.Errorf("flags %v", f)
	}
	cfg.Exports[0].Omit = wire.FlagBlockStatusPayload
	_, ln = serve(t, cfg)
	p := dial(t, ln)
	p.enterExtended("base:allocation")
	q := wire.Request{Type: wire.CmdBlockStatus, Flags: wire.CmdFlagPayloadLen, Length: 12}
	if r := p.do(q, wire.StatusFilter{Length: 512, ContextIDs: []uint32{1}}.Append(nil)); r.Err != wire.EINVAL {
		t.Errorf("got %v", r.Err)
	}
}

func TestEffectLengthsBeyond32Bits(t *testing.T) {
	const size = 40 * gib
	_, ln := serve(t, oneExport(size))
	p := dial(t, ln)
	p.enterExtended("base:allocation")
	write := wire.Request{Type: wire.CmdWrite, Flags: wire.CmdFlagPayloadLen, Offset: 20 * gib, Length: 4 * kib}
	if r := p.do(write, pattern(4*kib)); r.Err != wire.OK {
		t.Fatal(r.Err)
	}
	status := func() []wire.Extent {
		r := p.do(wire.Request{Type: wire.CmdBlockStatus, Offset: gib, Length: size - gib}, nil)
		if r.Err != wire.OK {
			t.Fatal(r.Err)
		}
		return r.Status[0]
	}
	want := []wire.Extent{{Length: 19 * gib, Status: 3}, {Length: 4 * kib}, {Length: 20*gib - 4*kib, Status: 3}}
	if d := cmp.Diff(want, status()); d != "" {
		t.Error(d)
	}
	for _, c := range []struct {
		q    wire.Request
		want wire.Errno
	}{
		{wire.Request{Type: wire.CmdCache, Length: size}, wire.OK},
		{wire.Request{Type: wire.CmdWriteZeroes, Offset: 512, Length: size - 512}, wire.OK},
		{wire.Request{Type: wire.CmdTrim, Length: size}, wire.OK},
		{wire.Request{Type: wire.CmdTrim, Offset: 1, Length: size}, wire.EINVAL},
		{wire.Request{Type: wire.CmdTrim, Offset: 1, Length: math.MaxUint64}, wire.EINVAL},
		{wire.Request{Type: wire.CmdRead, Length: 5 * gib}, wire.EOVERFLOW},
		{wire.Request{Type: wire.CmdRead, Length: math.MaxUint64}, wire.EINVAL},
		{wire.Request{Type: wire.CmdWriteZeroes, Offset: gib, Length: size}, wire.ENOSPC},
	} {
		if r := p.do(c.q, nil); r.Err != c.want {
			t.Errorf("%v: %v, want %v", c.q, r.Err, c.want)
		}
	}
	if d := cmp.Diff([]wire.Extent{{Length: 39 * gib, Status: 3}}, status()); d != "" {
		t.Error(d)
	}
}

func TestHooksSeeExtendedMessages(t *testing.T) {
	cfg := hooked(Hooks{Reply: func(x *Exchange) {
		switch {
		case x.Is(wire.CmdRead):
			x.Chunks(x.DataChunk(8192, x.Content()[4096:]), x.HoleChunk(4096, 4096))
		case x.Is(wire.CmdBlockStatus):
			x.EachStatus(func(s *wire.BlockStatus) { s.Extents = []wire.Extent{{Length: 1 << 33}} })
		case x.Is(wire.CmdFlush):
			x.Fail(wire.EIO, "no")
		case x.Is(wire.CmdWrite):
			if string(x.Payload) != "data" {
				x.Fail(wire.EIO, "the hook misses the payload")
			}
		case x.Is(wire.CmdCache):
			x.Succeed()
		}
	}})
	_, ln := serve(t, cfg)
	p := dial(t, ln)
	p.enterExtended("base:allocation")
	r := p.do(wire.Request{Type: wire.CmdRead, Offset: 4096, Length: 8192}, nil)
	if d := cmp.Diff([]wire.ChunkType{wire.ChunkOffsetData, wire.ChunkOffsetHole}, r.Types); d != "" {
		t.Error(d)
	}
	r = p.do(wire.Request{Type: wire.CmdBlockStatus, Offset: 4096, Length: 8192}, nil)
	if d := cmp.Diff([][]wire.Extent{{{Length: 1 << 33}}}, r.Status); d != "" {
		t.Error(d)
	}
	if r = p.do(wire.Request{Type: wire.CmdFlush}, nil); r.Err != wire.EIO {
		t.Errorf("got %v", r.Err)
	}
	if r = p.do(wire.Request{Type: wire.CmdWrite, Flags: wire.CmdFlagPayloadLen, Length: 4}, []byte("data")); r.Err != wire.OK {
		t.Errorf("got %v", r.Err)
	}
	if r = p.do(wire.Request{Type: wire.CmdCache, Offset: 512, Length: 512}, nil); r.Err != wire.OK {
		t.Errorf("got %v", r.Err)
	}
}
