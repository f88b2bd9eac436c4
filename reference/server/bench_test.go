package server

import (
	"bufio"
	"io"
	"net"
	"path/filepath"
	"testing"

	"nbdconform/reference/wire"
)

// benchPeer enters the transmission phase over a Unix socket.
func benchPeer(b *testing.B, structured bool) (net.Conn, *bufio.Reader) {
	b.Helper()
	s, err := New(oneExport(64 << 20))
	if err != nil {
		b.Fatal(err)
	}
	ln, err := net.Listen("unix", filepath.Join(b.TempDir(), "s"))
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = s.Serve(b.Context(), ln) }()
	b.Cleanup(func() { _ = s.Close() })
	nc, err := net.Dial("unix", ln.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { _ = nc.Close() })
	br := bufio.NewReaderSize(nc, 256<<10)
	msg := (wire.FlagCFixedNewstyle | wire.FlagCNoZeroes).Append(nil)
	want := wire.GreetingSize + wire.OptionReplyHeaderSize // and the answers to NBD_OPT_GO:
	want += 20 + 2 + 4 + 20 + 12
	if structured {
		msg = wire.OptionRequest{Option: wire.OptStructuredReply}.Append(msg)
		want += wire.OptionReplyHeaderSize
	}
	msg = wire.OptionRequest{Option: wire.OptGo, Data: wire.InfoRequest{}.Append(nil)}.Append(msg)
	if _, err := nc.Write(msg); err != nil {
		b.Fatal(err)
	}
	if _, err := io.ReadFull(br, make([]byte, want)); err != nil {
		b.Fatal(err)
	}
	data := pattern(1 << 20)
	for off := uint64(0); off < 64<<20; off += 1 << 20 {
		q := wire.Request{Type: wire.CmdWrite, Offset: off, Length: 1 << 20}
		if _, err := nc.Write(append(q.Append(nil), data...)); err != nil {
			b.Fatal(err)
		}
		size := wire.SimpleReplySize
		if structured {
			size = wire.ChunkSize
		}
		if _, err := br.Discard(size); err != nil {
			b.Fatal(err)
		}
	}
	return nc, br
}

// run keeps depth requests of n bytes in flight.
func run(b *testing.B, c wire.Command, n uint64, depth int, structured bool) {
	nc, br := benchPeer(b, structured)
	request := wire.Request{Type: c, Length: n}
	answer := wire.SimpleReplySize
	switch {
	case structured && c == wire.CmdRead:
		answer = wire.ChunkSize + 8 + int(n)
	case c == wire.CmdRead:
		answer += int(n)
	case structured:
		answer = wire.ChunkSize
	}
	payload := make([]byte, request.PayloadLength(false))
	var msg []byte
	b.SetBytes(int64(n))
	b.ReportAllocs()
	b.ResetTimer()
	for left := b.N; left > 0; {
		batch := min(depth, left)
		msg = msg[:0]
		for i := range uint64(batch) {
			request.Offset = i * n % (63 << 20)
			msg = append(request.Append(msg), payload...)
		}
		if _, err := nc.Write(msg); err != nil {
			b.Fatal(err)
		}
		if _, err := br.Discard(batch * answer); err != nil {
			b.Fatal(err)
		}
		left -= batch
	}
}

func BenchmarkRead4K(b *testing.B)           { run(b, wire.CmdRead, 4<<10, 1, true) }
func BenchmarkRead4KSimple(b *testing.B)     { run(b, wire.CmdRead, 4<<10, 1, false) }
func BenchmarkRead4KPipelined(b *testing.B)  { run(b, wire.CmdRead, 4<<10, 32, true) }
func BenchmarkRead1M(b *testing.B)           { run(b, wire.CmdRead, 1<<20, 1, true) }
func BenchmarkRead1MPipelined(b *testing.B)  { run(b, wire.CmdRead, 1<<20, 8, true) }
func BenchmarkWrite4K(b *testing.B)          { run(b, wire.CmdWrite, 4<<10, 1, true) }
func BenchmarkWrite4KPipelined(b *testing.B) { run(b, wire.CmdWrite, 4<<10, 16, true) }
func BenchmarkWrite1M(b *testing.B)          { run(b, wire.CmdWrite, 1<<20, 1, true) }
func BenchmarkFlushPipelined(b *testing.B)   { run(b, wire.CmdFlush, 0, 64, true) }
