package wire_test

import (
	"bufio"
	"bytes"
	"io"
	"testing"

	"nbdconform/reference/wire"
)

// A hot path is what happens for every request and every reply.
type hotPath struct {
	name string
	do   func()
}

func hotPaths() []hotPath {
	q := wire.Request{Flags: wire.CmdFlagFUA, Type: wire.CmdWrite, Cookie: 42, Offset: 4096, Length: 512}
	p := wire.SimpleReply{Cookie: 42}
	h := wire.ChunkHeader{Flags: wire.ReplyFlagDone, Type: wire.ChunkOffsetData, Cookie: 42, Offset: 4096, Length: 520}
	return []hotPath{
		{"append/request", appending(q.Append)},
		{"append/extended request", appending(q.AppendExtended)},
		{"append/simple reply", appending(p.Append)},
		{"append/chunk header", appending(h.Append)},
		{"append/extended chunk header", appending(h.AppendExtended)},
		{"parse/request", parsing(q.Append, wire.ParseRequest)},
		{"parse/extended request", parsing(q.AppendExtended, wire.ParseExtendedRequest)},
		{"parse/simple reply", parsing(p.Append, wire.ParseSimpleReply)},
		{"parse/chunk header", parsing(h.Append, wire.ParseChunkHeader)},
		{"parse/extended chunk header", parsing(h.AppendExtended, wire.ParseExtendedChunkHeader)},
		{"parse/any reply", parsing(h.Append, wire.ParseReply)},
		{"read/request", reading(q.Append, wire.ReadRequest)},
		{"read/extended request", reading(q.AppendExtended, wire.ReadExtendedRequest)},
		{"read/simple reply", reading(p.Append, wire.ReadSimpleReply)},
		{"read/any reply, simple", reading(p.Append, wire.ReadReply)},
		{"read/any reply, structured", reading(h.Append, wire.ReadReply)},
		{"read/any reply, extended", reading(h.AppendExtended, wire.ReadReply)},
		{"validate/request", func() { must(q.Validate()) }},
	}
}

func appending(app func([]byte) []byte) func() {
	buf := make([]byte, 0, 64)
	return func() { buf = app(buf[:0]) }
}

func parsing[T any](app func([]byte) []byte, parse func([]byte) (T, int, error)) func() {
	b := app(nil)
	var v T
	return func() {
		var err error
		v, _, err = parse(b)
		must(err)
		_ = v
	}
}

func reading[T any](app func([]byte) []byte, read func(*bufio.Reader) (T, error)) func() {
	b := app(nil)
	stream := bytes.NewReader(b)
	r := bufio.NewReader(stream)
	return func() {
		_, _ = stream.Seek(0, io.SeekStart)
		_, err := read(r)
		must(err)
	}
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}

func BenchmarkHotPaths(b *testing.B) {
	for _, p := range hotPaths() {
		b.Run(p.name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				p.do()
			}
		})
	}
}

func TestHotPathsDoNotAllocate(t *testing.T) {
	for _, p := range hotPaths() {
		if n := testing.AllocsPerRun(100, p.do); n != 0 {
			t.Errorf("%s: %v allocations", p.name, n)
		}
	}
}
