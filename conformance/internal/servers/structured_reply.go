package servers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/conformance/internal/verdict"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("A structured reply", func() {
	// "If structured replies are negotiated, then a read request MUST result in a
	// structured reply with one or more chunks (each using magic 0x668e33ef
	// NBD_STRUCTURED_REPLY_MAGIC)"
	It("answers a read", ID("structured.read"),
		MUST("cmd.read.structured", "trans.structured.payload", "layout.reply.magic"),
		Needs(feature.StructuredReply),
		TrippedBy(quirk.ReadSimple, "cmd.read.structured"),
		TrippedBy(quirk.ReplyWrongMagic, "layout.reply.magic"), TrippedBy(quirk.ReadStructuredEIO, "got NBD_EIO"),
		func(ctx context.Context) {
			b := Room(ctx, 4)
			s := Enter(ctx, StructuredReplies)

			for _, n := range []uint64{b, 2 * b, 4 * b} {
				Expect(s.Do(ReadOf(0, n))).To(BeReply(AsChunks(), WithLength(n)))
			}
		})

	// "When no error is detected, the server MUST send enough data chunks to cover the
	// entire region described by the offset and length of the client's request", and
	// "MUST NOT send content chunks that overlap with any earlier content or error chunk,
	// and MUST NOT send chunks that describe data outside the offset and length of the
	// request".
	It("describes each byte of a read once, and no others", ID("structured.cover"),
		MUST("cmd.read.cover", "chunk.offset-data.bounds", "chunk.offset-data.overlap", "chunk.offset-data.length",
			"chunk.offset-hole.bounds", "chunk.offset-hole.overlap"),
		Needs(feature.StructuredReply), Writes(),
		TrippedBy(quirk.ReadIncomplete, "cmd.read.cover"),
		TrippedBy(quirk.DataChunkOutOfBounds, "chunk.offset-data.bounds"),
		TrippedBy(quirk.DataChunkOverlap, "chunk.offset-data.overlap"),
		TrippedBy(quirk.DataChunkEmpty, "chunk.offset-data.length"),
		TrippedBy(quirk.HoleChunkOutOfBounds, "chunk.offset-hole.bounds"),
		TrippedBy(quirk.HoleChunkOverlap, "chunk.offset-hole.overlap"),
		func(ctx context.Context) {
			b := Room(ctx, 8)
			s := Enter(ctx, StructuredReplies)
			s.Zero(0, 8*b)
			s.Write(2*b, Pattern(1, 2*b))
			s.Write(6*b, Pattern(2, b))

			for _, q := range []wire.Request{ReadOf(0, 8*b), ReadOf(b, 6*b), ReadOf(3*b, 2*b), ReadOf(5*b, b)} {
				Expect(s.Do(q)).To(BeReply(AsChunks(), WithLength(q.Length)))
			}
		})

	// "This reply represents that the contents of hole size bytes, starting at the absolute
	// offset from the start of the export, read as all zeroes": its length is exactly 12,
	// and the hole size is nonzero.
	It("tells holes in chunks of 12 bytes that are about something", ID("structured.hole"),
		MUST("chunk.offset-hole.length", "chunk.offset-hole.nonzero"),
		Needs(feature.StructuredReply), Writes(),
		TrippedBy(quirk.HoleChunkLong, "chunk.offset-hole.length"),
		TrippedBy(quirk.HoleChunkEmpty, "chunk.offset-hole.nonzero"),
		func(ctx context.Context) {
			b := max(4096, Room(ctx, 16)) // what storage can punch holes for
			if FactsOf(ctx).Size < 16*b {
				verdict.Unsupported("needs-export-of-bytes", 16*b)
			}
			s := Enter(ctx, StructuredReplies)
			zeroes := s.Zero(0, 16*b)

			Expect(s.Do(ReadOf(0, 16*b))).To(BeReply(AsChunks(), WithData(zeroes)))
		})

	// "the NBD_REPLY_FLAG_DONE reply flag is used to identify the final chunk", which the
	// server "MUST clear [...] if more structured reply chunks will be sent for the same
	// client request, and MUST set [...] if this is the final reply".
	It("marks its last chunk as the final one, and no other", ID("structured.done"),
		MUST("chunk.flag.done-last", "chunk.flag.done-clear", "chunk.none.done"),
		Needs(feature.StructuredReply),
		TrippedBy(quirk.ReadNeverDone, "no answer within"),
		TrippedBy(quirk.ReadDoneTwice, "chunk.flag.done-clear"),
		TrippedBy(quirk.ReadChunkAfterDone, "chunk.flag.done-clear"),
		TrippedBy(quirk.NoneWithoutDone, "chunk.none.done"),
		func(ctx context.Context) {
			b := Room(ctx, 8)
			s := Enter(ctx, StructuredReplies)

			Expect(s.Do(ReadOf(0, 8*b))).To(BeReply(WithLength(8 * b)))
			Expect(s.InStep()).To(BeInStep())
		})

	// "The server MUST NOT set any other flags without first negotiating the extension
	// with the client", and chunks have types that the document lists as valid for the
	// request. An NBD_REPLY_TYPE_NONE has no payload.
	It("has no flags, types and payloads but those of the document", ID("structured.defined"),
		MUST("layout.chunk.type", "chunk.flag.unknown", "chunk.none.length"),
		Needs(feature.StructuredReply),
		TrippedBy(quirk.ChunkTypeUnknown, "layout.chunk.type"),
		TrippedBy(quirk.ChunkFlagUnknown, "chunk.flag.unknown"),
		TrippedBy(quirk.NoneWithPayload, "chunk.none.length"),
		TrippedBy(quirk.CacheAnsweredWithData, "layout.chunk.type"),
		func(ctx context.Context) {
			b := Room(ctx, 8)
			s := Enter(ctx, StructuredReplies)

			Expect(s.Do(ReadOf(0, 8*b))).To(BeReply(WithLength(8 * b)))
			if s.Flags&wire.FlagSendCache != 0 {
				Expect(s.Do(wire.Request{Type: wire.CmdCache, Length: b})).To(BeReply(WithoutContent()))
			}
		})

	// "the server SHOULD use chunks with lengths and offsets as an integer multiple of 512
	// bytes, where possible"
	It("splits an aligned read at multiples of 512 bytes", ID("structured.alignment"),
		SHOULD("cmd.read.chunk-alignment"),
		Needs(feature.StructuredReply), AtLeast(64<<10),
		TrippedBy(quirk.ReadChunksUnaligned, "multiples of 512 bytes"),
		func(ctx context.Context) {
			s := Enter(ctx, StructuredReplies)

			r := s.Do(ReadOf(0, 64<<10))

			Expect(r).To(BeReply(WithLength(64<<10), OnMultiplesOf(512)))
		})
})
