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

var _ = Describe("The length of NBD_CMD_READ", func() {
	// "If advertised", the maximum payload size "represents the maximum payload length that
	// the server is willing to handle in one request from the client".
	It("may be the maximum payload size", ID("read.maximum"),
		MUST("baseline.server.read"),
		Needs(feature.BlockSize),
		TrippedBy(quirk.ReadSmallMaximum, "NBD_EINVAL"),
		TrippedBy(quirk.ReadENOMEM, "NBD_ENOMEM"),
		func(ctx context.Context) {
			Room(ctx, 1)
			n := FactsOf(ctx).Largest()
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)

				Expect(s.Do(ReadOf(0, n))).To(BeReply(WithLength(n)))
			}
		})

	// "If size constraints have not been advertised or agreed on externally, then a server
	// SHOULD support [...] a maximum payload size that is at least 2^25 (33,554,432)"
	It("may be 2^25 bytes where nothing else was said", ID("read.default-maximum"),
		SHOULD("size.default.max-payload", "err.enomem"),
		AtLeast(wire.DefaultMaxPayload),
		TrippedBy(quirk.ReadSmallMaximum, "NBD_EINVAL"),
		TrippedBy(quirk.ReadENOMEM, "NBD_ENOMEM"),
		func(ctx context.Context) {
			s := EnterUnsized(ctx)
			if s.Constraints != wire.DefaultSizeConstraints || FactsOf(ctx).Constraints.MaxPayload < wire.DefaultMaxPayload {
				verdict.Unsupported("constraints-advertised")
			}

			r := s.Do(ReadOf(0, wire.DefaultMaxPayload))

			Expect(r).To(BeReply(WithLength(wire.DefaultMaxPayload)))
		})

	// "A server MAY support read requests larger than the maximum payload size by splitting
	// the response across multiple chunks [...]; however, the server is also permitted to
	// reject large read requests up front", but "MUST NOT send a chunk where any
	// variable-length portion of the chunk is larger than any advertised maximum payload
	// size".
	It("may be refused beyond the maximum payload size, or served in several chunks", ID("read.over-maximum"),
		MUST("chunk.max-payload", "cmd.read.cover"),
		Needs(feature.StructuredReply, feature.BlockSize), Writes(),
		TrippedBy(quirk.ChunkOverMaximum, "chunk.max-payload"),
		TrippedBy(quirk.ReadLongWhole, "chunk.max-payload"),
		func(ctx context.Context) {
			n := overMaximum(ctx)
			s := Enter(ctx, StructuredReplies)
			s.Take(uint32(n + 1<<12))
			data := Pattern(9, n) // since a hole may be of any size
			for at, most := uint64(0), FactsOf(ctx).Largest(); at < n; at += most {
				s.Write(at, data[at:min(at+most, n)])
			}

			r := s.Do(ReadOf(0, n))

			Observe(ctx, "read beyond the maximum payload size, structured", "%v", outcome(r))
			if r.OK() {
				Expect(r).To(BeReply(WithData(data)))
			} else {
				Expect(r).To(BeReplyOrEnd(WithAnyError()))
			}
		})

	// "any payload not exceeding 2^25 (33,554,432) bytes SHOULD NOT be considered a denial of
	// service attack, even if that length is larger than the advertised maximum payload size"
	It("is no reason to hang up below 2^25 bytes", ID("read.no-attack"),
		SHOULD("size.dos.limit.server"),
		Needs(feature.StructuredReply, feature.BlockSize),
		TrippedBy(quirk.ReadLongHangup, "the server ended the connection"),
		func(ctx context.Context) {
			n := overMaximum(ctx)
			if n > wire.DefaultMaxPayload {
				verdict.Unsupported("maximum-payload-not-below-2-25")
			}
			s := Enter(ctx, StructuredReplies)

			Expect(s.Do(ReadOf(0, n))).To(BeReply())
			Expect(s.InStep()).To(BeInStep())
		})

	// "any client request with a length larger than the maximum payload size will fail",
	// where the reply can only be a simple one.
	It("beyond the maximum payload size leaves a session with simple replies in step", ID("read.over-maximum-simple"),
		MAY("size.dos.server"),
		Needs(feature.BlockSize),
		Provokes("size.client.max-payload"),
		func(ctx context.Context) {
			n := overMaximum(ctx)
			s := Enter(ctx)
			s.Take(uint32(n))

			r := s.Do(ReadOf(0, n))

			Observe(ctx, "read beyond the maximum payload size, simple", "%v", outcome(r))
			Expect(r).To(BeReplyOrEnd(AsSimpleReply()))
			Expect(s.InStepOrGone()).To(BeInStep())
		})
})

// overMaximum is a length that the export has, and that is beyond the maximum
// payload size.
func overMaximum(ctx context.Context) uint64 {
	b := Room(ctx, 1)
	f := FactsOf(ctx)
	n := uint64(f.Constraints.MaxPayload)/b*b + b
	if n > min(f.Size, 1<<26) {
		verdict.Unsupported("needs-export-above", n)
	}
	return n
}

// outcome says what became of a request.
func outcome(r Reply) string {
	if r.End != Complete {
		return r.End.String()
	}
	return r.Error.String()
}
