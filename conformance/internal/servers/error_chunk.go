package servers

import (
	"context"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("An error chunk", func() {
	// "if structured replies are negotiated, the server [...] MUST NOT use a simple reply
	// for NBD_CMD_READ (even for the case of an early NBD_EINVAL due to bad flags)"
	It("reports that a read has bad flags", ID("error-chunk.bad-flags"),
		MUST("cmd.read.structured"),
		Needs(feature.StructuredReply),
		Provokes("cmdflag.documented"),
		TrippedBy(quirk.ReadErrorSimple, "cmd.read.structured"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, bad := range []wire.CommandFlags{1 << 15, wire.CmdFlagNoHole} {
				s := Enter(ctx, StructuredReplies)
				q := ReadOf(0, b)
				q.Flags = bad

				Expect(s.Do(q)).To(BeReplyOrEnd(AsChunks()), "case.flags", bad)
			}
		})

	// "if structured replies are negotiated, the server [...] MUST NOT use a simple reply
	// for NBD_CMD_READ"
	It("reports that a read reaches beyond the end of the export", ID("error-chunk.beyond"),
		MUST("cmd.read.structured"),
		Needs(feature.StructuredReply),
		Provokes("size.bounds.client"),
		TrippedBy(quirk.ReadErrorSimple, "cmd.read.structured"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, StructuredReplies)

			Expect(s.Do(ReadOf(s.Size, b))).To(BeReplyOrEnd(AsChunks()))
			Expect(s.Probe()).To(BeReplyOrEnd(AsChunks()))
		})

	// NBD_REPLY_TYPE_ERROR: "length MUST be at least 6", "32 bits: error (MUST be
	// nonzero)", "16 bits: message length (no more than header length - 6)".
	// NBD_REPLY_TYPE_ERROR_OFFSET: "length MUST be at least 14", and the offset "MUST lie
	// within the original offset and length of the request".
	It("has an error, room for its message, and an offset within the request", ID("error-chunk.shape"),
		MUST("chunk.error.length", "chunk.error.nonzero",
			"chunk.error-offset.length", "chunk.error-offset.nonzero", "chunk.error-offset.bounds"),
		Needs(feature.StructuredReply),
		Provokes("size.bounds.client", "cmdflag.documented", "baseline.client.negotiate"),
		TrippedBy(quirk.ErrorZero, "chunk.error.nonzero"),
		TrippedBy(quirk.ErrorShort, "chunk.error.length"),
		TrippedBy(quirk.ErrorMessageOverrun, "chunk.error.length"),
		TrippedBy(quirk.ErrorOffsetShort, "chunk.error-offset.length"),
		TrippedBy(quirk.ErrorOffsetOutOfBounds, "chunk.error-offset.bounds"),
		func(ctx context.Context) {
			for r := range failures(ctx) {
				Expect(r).To(BeReplyOrEnd(WithAnyError()))
			}
		})

	// "message length MUST NOT exceed the 4096 bytes string length limit", and a string "is
	// a sequence of UTF-8 code points, which is not NUL terminated, MUST NOT contain NUL
	// characters".
	It("has a message of at most 4096 bytes of UTF-8 without a NUL", ID("error-chunk.message"),
		MUST("chunk.error.message-length", "string.utf8.server", "string.no-nul.server"),
		Needs(feature.StructuredReply),
		Provokes("size.bounds.client", "cmdflag.documented", "baseline.client.negotiate"),
		TrippedBy(quirk.ErrorMessageEndless, "chunk.error.message-length"),
		TrippedBy(quirk.ErrorMessageLatin1, "string.utf8.server"),
		TrippedBy(quirk.ErrorMessageNUL, "string.no-nul.server"),
		func(ctx context.Context) {
			for r := range failures(ctx) {
				Expect(r).To(BeReplyOrEnd(WithAnyError()))
			}
		})

	// A string "SHOULD be no longer than 256 bytes".
	It("has a message of at most 256 bytes", ID("error-chunk.message-short"),
		SHOULD("string.short.server"),
		Needs(feature.StructuredReply),
		Provokes("size.bounds.client", "cmdflag.documented", "baseline.client.negotiate"),
		TrippedBy(quirk.ErrorMessageWordy, "string.short.server"),
		func(ctx context.Context) {
			for r := range failures(ctx) {
				Expect(r).To(BeReplyOrEnd(WithAnyError()))
			}
		})

	// "This type SHOULD NOT be used more than once in a structured reply", "the same offset
	// SHOULD NOT be repeated", and "a server SHOULD NOT mix errors with offsets with a
	// generic error".
	It("comes once, or once for an offset", ID("error-chunk.once"),
		SHOULD("chunk.error.once", "chunk.error.mixed", "chunk.error-offset.same-offset"),
		Needs(feature.StructuredReply),
		Provokes("size.bounds.client", "cmdflag.documented", "baseline.client.negotiate"),
		TrippedBy(quirk.ErrorTwice, "chunk.error.once"),
		TrippedBy(quirk.ErrorMixed, "chunk.error.mixed"),
		TrippedBy(quirk.ErrorOffsetTwice, "chunk.error-offset.same-offset"),
		func(ctx context.Context) {
			for r := range failures(ctx) {
				Expect(r).To(BeReplyOrEnd(WithAnyError()))
			}
		})

	// "The server SHOULD prefer sending errors via a structured reply, as the error can then
	// be accompanied by a string payload to present to a human user."
	It("reports the failure of commands other than reads as well", ID("error-chunk.preferred"),
		SHOULD("trans.structured.errors"),
		Needs(feature.StructuredReply),
		Provokes("baseline.client.negotiate"),
		TrippedBy(quirk.ErrorsSimple, "as structured reply chunks"),
		func(ctx context.Context) {
			s := Enter(ctx, StructuredReplies)

			Expect(s.Do(wire.Request{Type: 255})).To(BeReplyOrEnd(AsChunks()))
		})
})

// failures yields structured replies to requests that a server should refuse,
// or the ends of the sessions.
func failures(ctx context.Context) func(yield func(Reply) bool) {
	b := Room(ctx, 1)
	size := FactsOf(ctx).Size
	return func(yield func(Reply) bool) {
		for _, q := range []wire.Request{
			ReadOf(size, b),
			{Type: wire.CmdRead, Flags: 1 << 15, Length: b},
			{Type: 255, Length: b},
		} {
			r := Enter(ctx, StructuredReplies).Do(q)
			if !yield(r) {
				return
			}
		}
	}
}
