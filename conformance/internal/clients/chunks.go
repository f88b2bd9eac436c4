package clients

import (
	"context"
	"slices"

	. "github.com/onsi/ginkgo/v2"

	. "nbdconform/conformance/internal/encounter"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/subject"
	quirk "nbdconform/reference/quirk/client"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

var _ = Describe("A structured reply", func() {
	// "clients MUST NOT rely on chunks being sent in any particular order"
	for _, a := range []subject.Operation{subject.CopyOut, subject.Compare} {
		It("may come from the end in "+string(a), ID("client.read.descending."+string(a)),
			MUST("cmd.read.reassemble"),
			Asks(a),
			TrippedBy(quirk.ReadInOrder, "want success"),
			func(ctx context.Context) {
				v := Ask(ctx, Hooked(server.Hooks{Reply: func(x *server.Exchange) {
					if data := x.Content(); x.Session.Structured && data != nil && x.Request.Flags&wire.CmdFlagDF == 0 {
						x.Chunks(descending(x, data)...)
					}
				}}))

				v.Provoked("reads-nothing-structured-replies")
				Expect(v).To(GoWell())
			})
	}

	// "clients MUST ignore unrecognized flags"
	It("may have chunk flags that nobody knows", ID("client.chunk.flag"),
		MUST("chunk.flag.ignore-unknown"),
		Asks(subject.CopyOut, subject.Compare, subject.Visit, subject.Map, subject.CopyIn),
		Provokes("chunk.flag.unknown"),
		TrippedBy(quirk.ChunkFlagFatal, "want success"),
		func(ctx context.Context) {
			v := Ask(ctx, Hooked(server.Hooks{Reply: func(x *server.Exchange) {
				for i := range x.Replies {
					if x.Replies[i].Structured {
						x.Replies[i].Chunk.Flags |= 1 << 9
					}
				}
			}}))

			v.Provoked("asks-no-structured-replies")
			Expect(v).To(GoWell())
		})

	// "If a client receives an unexpected type of chunk ... it MUST initiate a
	// hard disconnect", unless the type has bit 15 set.
	It("with a chunk of an unknown type in a read ends the session", ID("client.chunk.unknown.read"),
		MUST("chunk.unknown-type"),
		Asks(subject.CopyOut, subject.Compare, subject.Visit),
		Provokes("layout.chunk.type"),
		TrippedBy(quirk.ChunkUnknownSkipped, "want a hard disconnect"),
		unknownChunk(0x7a31, []byte("what is that"), wire.CmdRead))

	It("with a chunk of an unknown type in a block status ends the session", ID("client.chunk.unknown.status"),
		MUST("chunk.unknown-type"),
		Asks(subject.Map, subject.CopyOut),
		Provokes("layout.chunk.type"),
		TrippedBy(quirk.ChunkUnknownSkipped, "want a hard disconnect"),
		unknownChunk(0x7a31, []byte("what is that"), wire.CmdBlockStatus))

	It("with content in a write ends the session", ID("client.chunk.unknown.write"),
		MUST("chunk.unknown-type"),
		Asks(subject.CopyIn),
		Provokes("layout.chunk.type"),
		TrippedBy(quirk.ChunkLenient, "want a hard disconnect"),
		unknownChunk(wire.ChunkOffsetHole, wire.OffsetHole{Size: 512}.Append(nil), wire.CmdWrite))

	It("with block status in a read ends the session", ID("client.chunk.unknown.unexpected"),
		MUST("chunk.unknown-type"),
		Asks(subject.CopyOut, subject.Compare, subject.Visit),
		Provokes("layout.chunk.type"),
		TrippedBy(quirk.ChunkLenient, "want a hard disconnect"),
		unknownChunk(wire.ChunkBlockStatus, wire.BlockStatus{ContextID: 1, Extents: []wire.Extent{{Length: 512}}}.Append(nil), wire.CmdRead))

	// "If the type has bit 15 set, the client MUST treat the reply as failed"
	for name, t := range map[string]wire.Command{"read": wire.CmdRead, "write": wire.CmdWrite} {
		a := map[string]subject.Operation{"read": subject.CopyOut, "write": subject.CopyIn}[name]
		It("with an error chunk of an unknown type is a failure of a "+name, ID("client.error.unknown."+name),
			MUST("chunk.error.unknown-type"),
			Asks(a),
			Provokes("layout.chunk.type"),
			TrippedBy(quirk.ErrorUnknownSkipped, "it reports success"),
			func(ctx context.Context) {
				v := Ask(ctx, Hooked(server.Hooks{Reply: func(x *server.Exchange) {
					if x.Is(t) && x.Session.Structured {
						e := wire.ErrorChunk{Error: wire.EIO, Message: "something new"}
						x.Chunks(x.Chunk(0xfa31, e.Append(nil)))
					}
				}}))

				v.Provoked("asks-no-structured-replies")
				Expect(v).To(GoWrong())
			})
	}
})

// descending has the data of a read in chunks of 4096 bytes, the last one first.
func descending(x *server.Exchange, data []byte) []server.Message {
	var chunks []server.Message
	const step = 4096
	for off := 0; off < len(data); off += step {
		part := data[off:min(off+step, len(data))]
		chunks = append(chunks, x.DataChunk(x.Request.Offset+uint64(off), part))
	}
	slices.Reverse(chunks)
	return chunks
}

// unknownChunk puts a chunk before the others of a reply.
func unknownChunk(t wire.ChunkType, payload []byte, to wire.Command) func(context.Context) {
	return func(ctx context.Context) {
		v := Ask(ctx, Hooked(server.Hooks{Reply: func(x *server.Exchange) {
			if x.Is(to) && x.Session.Structured {
				x.Replies = append([]server.Message{x.Chunk(t, payload)}, x.Replies...)
			}
		}}))

		v.Provoked("no-structured-replies-or-never-sends", to)
		Expect(v).To(EndHard())
	}
}
