package clients

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/encounter"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/subject"
	quirk "nbdconform/reference/quirk/client"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// An inconsistency is a chunk whose contents contradict each other or the request.
type inconsistency struct {
	id, what string
	asks     []subject.Operation
	breaks   string // what the spec's server breaks
	to       wire.Command
	change   func(*server.Exchange)
}

var inconsistencies = []inconsistency{
	{
		"data.before", "content that begins before the read", transfers, "chunk.offset-data.bounds", wire.CmdRead,
		func(x *server.Exchange) {
			x.Chunks(x.DataChunk(x.Request.Offset-4096, make([]byte, 4096)), x.HoleChunk(x.Request.Offset, uint32(x.Request.Length)))
		},
	},
	{
		"data.behind", "content that ends behind the read", transfers, "chunk.offset-data.bounds", wire.CmdRead,
		func(x *server.Exchange) {
			x.Chunks(x.DataChunk(x.Request.Offset, make([]byte, x.Request.Length+4096)))
		},
	},
	{
		"hole.behind", "a hole that ends behind the read", transfers, "chunk.offset-hole.bounds", wire.CmdRead,
		func(x *server.Exchange) { x.Chunks(x.HoleChunk(x.Request.Offset, uint32(x.Request.Length)+4096)) },
	},
	{
		"hole.length", "a hole with a chunk that is too long", transfers, "chunk.offset-hole.length", wire.CmdRead,
		func(x *server.Exchange) {
			m := x.HoleChunk(x.Request.Offset, uint32(x.Request.Length))
			m.Chunk.Payload = append(m.Chunk.Payload, 0, 0, 0, 0)
			x.Chunks(m)
		},
	},
	{
		"data.short", "content without room for its offset", transfers, "chunk.offset-data.length", wire.CmdRead,
		func(x *server.Exchange) {
			x.Chunks(x.Chunk(wire.ChunkOffsetData, []byte{0, 0, 0, 0}), x.HoleChunk(x.Request.Offset, uint32(x.Request.Length)))
		},
	},
	{
		"none.length", "NBD_REPLY_TYPE_NONE with a payload",
		[]subject.Operation{subject.CopyIn},
		"chunk.none.length", wire.CmdWrite,
		func(x *server.Exchange) { x.Chunks(x.Chunk(wire.ChunkNone, []byte("something"))) },
	},
	{
		"status.length", "block status that is cut",
		[]subject.Operation{subject.Map, subject.CopyOut},
		"chunk.block-status.length", wire.CmdBlockStatus,
		func(x *server.Exchange) {
			for i := range x.Replies {
				c := &x.Replies[i].Chunk
				c.Payload = c.Payload[:len(c.Payload)-3]
			}
		},
	},
	{
		"error.message", "an error whose message is longer than its chunk",
		[]subject.Operation{subject.CopyOut, subject.CopyIn, subject.Visit},
		"chunk.error.message-length", wire.CmdRead,
		func(x *server.Exchange) {
			x.Chunks(x.Chunk(wire.ChunkError, []byte{0, 0, 0, 5, 0xff, 0xff, 'n', 'o'}))
		},
	},
}

var _ = Describe("A chunk that contradicts itself", func() {
	// "If ... the client receives a structured reply chunk with inconsistent
	// contents, the client MUST initiate a hard disconnect."
	for _, i := range inconsistencies {
		It("ends the session: "+i.what, ID("client.inconsistent."+i.id),
			MUST("chunk.inconsistent"),
			Asks(i.asks[0], i.asks[1:]...),
			Provokes(clauseID(i.breaks), "chunk.error.length", "chunk.block-status.per-context", "chunk.block-status-ext.count", "cmd.read.cover", "cmdflag.df.one-content", "layout.chunk.type", "chunk.block-status.length", "chunk.block-status-ext.length"),
			TrippedBy(quirk.ChunkLenient, "want a hard disconnect"),
			func(ctx context.Context) {
				v := Ask(ctx, Hooked(server.Hooks{Reply: func(x *server.Exchange) {
					if x.Is(i.to) && x.Session.Structured && x.Err() == wire.OK {
						i.change(x)
					}
				}}))

				v.Provoked("no-structured-replies-or-never-sends", i.to)
				Expect(v).To(EndHard())
			})
	}
})
