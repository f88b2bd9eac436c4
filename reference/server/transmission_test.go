package server

import (
	"bytes"
	"math"
	"testing"

	"github.com/google/go-cmp/cmp"

	"nbdconform/reference/wire"
)

const kib = 1024

// pattern is n bytes that differ from place to place.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i>>8) ^ byte(i) | 1
	}
	return b
}

func TestEveryCommand(t *testing.T) {
	for _, structured := range []bool{false, true} {
		_, ln := serve(t, oneExport(1<<20))
		p := dial(t, ln).enter(structured)
		data := pattern(8 * kib)
		if r := p.do(wire.Request{Type: wire.CmdWrite, Cookie: 7, Offset: 4 * kib, Length: 8 * kib}, data); r.Err != wire.OK {
			t.Fatalf("write: %v", r.Err)
		}
		r := p.do(wire.Request{Type: wire.CmdRead, Cookie: 8, Offset: 0, Length: 16 * kib}, nil)
		want := append(append(make([]byte, 4*kib), data...), make([]byte, 4*kib)...)
		if r.Err != wire.OK || !bytes.Equal(r.Data, want) {
			t.Fatalf("read: %v, data differs", r.Err)
		}
		if structured {
			want := []wire.ChunkType{wire.ChunkOffsetHole, wire.ChunkOffsetData, wire.ChunkOffsetHole}
			if d := cmp.Diff(want, r.Types); d != "" {
				t.Error(d)
			}
			r = p.do(wire.Request{Type: wire.CmdRead, Cookie: 8, Length: 16 * kib, Flags: wire.CmdFlagDF}, nil)
			if d := cmp.Diff([]wire.ChunkType{wire.ChunkOffsetData}, r.Types); d != "" {
				t.Error(d)
			}
		}
		for _, q := range []wire.Request{
			{Type: wire.CmdFlush},
			{Type: wire.CmdTrim, Offset: 4 * kib, Length: 4 * kib},
			{Type: wire.CmdWriteZeroes, Offset: 8 * kib, Length: 4 * kib, Flags: wire.CmdFlagNoHole | wire.CmdFlagFUA},
			{Type: wire.CmdCache, Length: 1 << 20},
		} {
			if r := p.do(q, nil); r.Err != wire.OK {
				t.Errorf("%v: %v", q, r.Err)
			}
		}
		r = p.do(wire.Request{Type: wire.CmdBlockStatus, Length: 1 << 20}, nil)
		if !structured {
			if r.Err != wire.EINVAL {
				t.Errorf("block status without a context: %v", r.Err)
			}
		} else if d := cmp.Diff([][]wire.Extent{{
			{Length: 8 * kib, Status: 3},
			{Length: 4 * kib, Status: 2},
			{Length: 1<<20 - 12*kib, Status: 3},
		}}, r.Status); d != "" {
			t.Error(d)
		}
		p.send(wire.Request{Type: wire.CmdDisc}.Append(nil))
		p.closed()
	}
}

func TestErrorValues(t *testing.T) {
	const size = 1 << 20
	cfg := oneExport(size)
	cfg.Exports[0].Constraints = wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: 64 * kib}
	_, ln := serve(t, cfg)
	p := dial(t, ln).enter(true)
	for _, c := range []struct {
		q    wire.Request
		want wire.Errno
	}{
		{wire.Request{Type: wire.CmdRead, Offset: size, Length: 512}, wire.EINVAL},
		{wire.Request{Type: wire.CmdRead, Offset: math.MaxUint64 - 511, Length: 1024}, wire.EINVAL},
		{wire.Request{Type: wire.CmdRead, Offset: 0, Length: 128 * kib}, wire.EOVERFLOW},
		{wire.Request{Type: wire.CmdRead, Offset: 1, Length: 512}, wire.EINVAL},
		{wire.Request{Type: wire.CmdRead, Length: 511}, wire.EINVAL},
		{wire.Request{Type: wire.CmdWrite, Offset: size - 512, Length: 1024}, wire.ENOSPC},
		{wire.Request{Type: wire.CmdWrite, Offset: 0, Length: 128 * kib}, wire.EINVAL},
		{wire.Request{Type: wire.CmdWrite, Offset: 0, Length: 100}, wire.EINVAL},
		{wire.Request{Type: wire.CmdTrim, Offset: size - 512, Length: 1024}, wire.EINVAL},
		{wire.Request{Type: wire.CmdCache, Offset: size, Length: 512}, wire.EINVAL},
		{wire.Request{Type: wire.CmdWriteZeroes, Offset: size, Length: 512}, wire.ENOSPC},
		{wire.Request{Type: wire.CmdWriteZeroes, Length: 512, Flags: wire.CmdFlagDF}, wire.EINVAL},
		{wire.Request{Type: wire.CmdRead, Length: 512, Flags: wire.CmdFlagNoHole}, wire.EINVAL},
		{wire.Request{Type: wire.CmdRead, Length: 512, Flags: 1 << 15}, wire.EINVAL},
		{wire.Request{Type: wire.CmdRead, Length: 512, Flags: wire.CmdFlagPayloadLen}, wire.EINVAL},
		{wire.Request{Type: wire.CmdBlockStatus, Offset: size, Length: 512}, wire.EINVAL},
		{wire.Request{Type: wire.CmdBlockStatus}, wire.EINVAL},
		{wire.Request{Type: wire.CmdFlush, Length: 512}, wire.EINVAL},
		{wire.Request{Type: wire.CmdResize, Length: 512}, wire.EINVAL},
		{wire.Request{Type: 0x7777, Length: 512}, wire.EINVAL},
		{wire.Request{Type: wire.CmdFlush, Flags: wire.CmdFlagFUA}, wire.OK},
		{wire.Request{Type: wire.CmdRead}, wire.OK},
		{wire.Request{Type: wire.CmdWrite}, wire.OK},
		{wire.Request{Type: wire.CmdTrim}, wire.OK},
	} {
		c.q.Cookie = 99
		payload := make([]byte, c.q.PayloadLength(false))
		if r := p.do(c.q, payload); r.Err != c.want {
			t.Errorf("%v: got %v, want %v", c.q, r.Err, c.want)
		}
	}
}

func TestReadOnlyExport(t *testing.T) {
	cfg := oneExport(1 << 20)
	cfg.Exports[0].ReadOnly = true
	_, ln := serve(t, cfg)
	p := dial(t, ln).enter(false)
	for _, c := range []wire.Command{wire.CmdWrite, wire.CmdTrim, wire.CmdWriteZeroes} {
		if r := p.do(wire.Request{Type: c, Length: 8}, make([]byte, 8)[:wire.Request{Type: c, Length: 8}.PayloadLength(false)]); r.Err != wire.EPERM {
			t.Errorf("%v: %v", c, r.Err)
		}
	}
}

func TestBadMagicEndsTheSession(t *testing.T) {
	_, ln := serve(t, oneExport(1<<20))
	p := dial(t, ln).enter(false)
	p.send(make([]byte, wire.RequestSize))
	p.closed()
}

func TestManyInFlight(t *testing.T) {
	_, ln := serve(t, oneExport(64<<20))
	p := dial(t, ln).enter(true)
	const n = 200
	for i := range uint64(n) {
		q := wire.Request{Type: wire.CmdWrite, Cookie: i, Offset: i * 200 * kib, Length: 200 * kib}
		p.send(append(q.Append(nil), bytes.Repeat([]byte{byte(i) + 1}, 200*kib)...))
	}
	seen := make(map[uint64]bool)
	for range n {
		h, err := wire.ReadReply(p.br)
		if err != nil || h.Chunk.Type != wire.ChunkNone || seen[h.Cookie()] {
			t.Fatalf("%+v: %v", h, err)
		}
		seen[h.Cookie()] = true
	}
	for i := range uint64(n) {
		r := p.do(wire.Request{Type: wire.CmdRead, Cookie: i, Offset: i * 200 * kib, Length: 200 * kib}, nil)
		if !bytes.Equal(r.Data, bytes.Repeat([]byte{byte(i) + 1}, 200*kib)) {
			t.Fatalf("piece %d differs", i)
		}
	}
}

func TestSuccessIsSimpleWhereItCanBe(t *testing.T) {
	for name, disk := range disks {
		t.Run(name, func(t *testing.T) {
			cfg := Config{Exports: []Export{{Name: "disk", Disk: disk(1 << 20)}}, SimpleSuccess: true}
			_, ln := serve(t, cfg)
			p := dial(t, ln).enter(true)
			for _, c := range []struct {
				q       wire.Request
				payload int
				chunks  []wire.ChunkType
				err     wire.Errno
			}{
				{q: wire.Request{Type: wire.CmdWrite, Length: 512}, payload: 512},
				{q: wire.Request{Type: wire.CmdFlush}},
				{q: wire.Request{Type: wire.CmdTrim, Length: 512}},
				{q: wire.Request{Type: wire.CmdWriteZeroes, Length: 512}},
				{q: wire.Request{Type: wire.CmdCache, Length: 512}},
				{q: wire.Request{Type: wire.CmdRead, Length: 512}, chunks: []wire.ChunkType{wire.ChunkOffsetData}},
				{q: wire.Request{Type: wire.CmdBlockStatus, Length: 512}, chunks: []wire.ChunkType{wire.ChunkBlockStatus}},
				{q: wire.Request{Type: wire.CmdTrim, Offset: 2 << 20, Length: 512}, chunks: []wire.ChunkType{wire.ChunkError}, err: wire.EINVAL},
			} {
				r := p.do(c.q, make([]byte, c.payload))
				if r.Err != c.err || len(r.Types) != len(c.chunks) || len(r.Types) > 0 && r.Types[0] != c.chunks[0] {
					t.Errorf("%v: %v by %v, want %v by %v", c.q, r.Err, r.Types, c.err, c.chunks)
				}
			}
			x := dial(t, ln)
			x.enterExtended()
			r := x.do(wire.Request{Type: wire.CmdFlush}, nil)
			if r.Err != wire.OK || len(r.Types) != 1 {
				t.Errorf("with extended headers: %v by %v", r.Err, r.Types)
			}
		})
	}
}
