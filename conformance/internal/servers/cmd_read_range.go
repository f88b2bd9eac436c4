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

var _ = Describe("The range of NBD_CMD_READ", func() {
	// "A read request. Length and offset define the data to be read."
	It("may begin and end where the export does", ID("read.ends"),
		MUST("baseline.server.read"),
		TrippedBy(quirk.ReadEndRefused, "NBD_EINVAL"),
		TrippedBy(quirk.ReadCutShort, "the server ended the connection"), TrippedBy(quirk.ReadHighEIO, "got NBD_EIO"),
		func(ctx context.Context) {
			b := Room(ctx, 2)
			f := FactsOf(ctx)
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)

				Expect(s.Do(ReadOf(0, b))).To(BeReply(WithLength(b)))
				Expect(s.Do(ReadOf(f.Last(), b))).To(BeReply(WithLength(b)))
				Expect(s.Do(ReadOf(f.Last()-b, 2*b))).To(BeReply(WithLength(2 * b)))
			}
		})

	// "If size constraints have not been advertised or agreed on externally, then a server
	// SHOULD support a default minimum block size of 1"
	It("may be a single byte, wherever it stands", ID("read.single-byte"),
		SHOULD("size.default.minimum"),
		TrippedBy(quirk.ReadOddRefused, "NBD_EINVAL"),
		func(ctx context.Context) {
			Room(ctx, 1)
			if m := FactsOf(ctx).Constraints.Minimum; m != 1 {
				verdict.Unsupported("minimum-block-advertised", m)
			}
			for _, mode := range forms(ctx) {
				s := Enter(ctx, mode...)

				for _, at := range []uint64{0, 1, 300, 511, s.Size - 1} {
					Expect(s.Do(ReadOf(at, 1))).To(BeReply(WithLength(1)), "case.at", at)
				}
				Expect(s.Do(ReadOf(s.Size-3, 3))).To(BeReply(WithLength(3)))
			}
		})

	// "For those requests, the client MUST NOT use a length which, when added to offset,
	// would exceed the export size. The server SHOULD report an NBD_EINVAL error if the
	// client's request [...] would exceed the export size."
	It("may not reach beyond the end of the export", ID("read.beyond"),
		SHOULD("err.read.bounds", "cmd.read.simple.error"),
		Provokes("size.bounds.client"),
		TrippedBy(quirk.ReadBeyondAccepted, "want a reply with NBD_EINVAL"),
		TrippedBy(quirk.ReadBeyondENOSPC, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			f := FactsOf(ctx)
			for _, q := range f.Behind(
				ReadOf(f.Last(), 2*b),               // across the end
				ReadOf(f.Last()+b, b),               // just behind
				ReadOf(Sum(f.Last(), 1<<32)/b*b, b), // 32 bits are not enough
				ReadOf(1<<62, b),                    // far away
				ReadOf(1<<63, b),                    // where a sign would be
			) {
				for _, mode := range forms(ctx) {
					s := Enter(ctx, mode...)

					Expect(s.Do(q)).To(BeReplyOrEnd(WithError(wire.EINVAL)))
					Expect(s.InStepOrGone()).To(BeInStep())
				}
			}
		})

	// Such a request breaks two rules: "the server is also permitted to reject large read
	// requests up front with NBD_EOVERFLOW".
	It("may not reach beyond the end of the export by its length", ID("read.beyond-long"),
		SHOULD("err.read.bounds"),
		Needs(feature.StructuredReply),
		Provokes("size.bounds.client"),
		TrippedBy(quirk.ReadBeyondENOSPC, "want a reply with NBD_EINVAL or NBD_EOVERFLOW"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			f := FactsOf(ctx)
			if f.Size > 1<<30 {
				verdict.Unsupported("needs-export-below-2-30", f.Size)
			}
			for _, q := range []wire.Request{
				ReadOf(0, f.Last()+2*b),        // all, and more
				ReadOf(0, (1<<32-1)/b*b),       // as long as a request can be
				ReadOf(f.Last(), 1<<31),        // where a sign would be
				ReadOf(1<<63-b, (1<<31)/b*b+b), // and both
			} {
				s := Enter(ctx, StructuredReplies)

				Expect(s.Do(q)).To(BeReplyOrEnd(WithError(wire.EINVAL, wire.EOVERFLOW)))
				Expect(s.InStepOrGone()).To(BeInStep())
			}
		})

	// "the client MUST NOT use a length which, when added to offset, would exceed the
	// export size": the sum has more than 64 bits.
	It("may not wrap round at 2^64", ID("read.wrap"),
		SHOULD("err.read.bounds"),
		Provokes("size.bounds.client"),
		TrippedBy(quirk.ReadWrapAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			Enter(ctx).Beyond() // which leaves out exports that go that far
			for _, q := range []wire.Request{
				ReadOf(-b, b),       // to 0
				ReadOf(-b, 2*b),     // to the first block
				ReadOf(-(2 * b), b), // almost
			} {
				for _, mode := range forms(ctx) {
					s := Enter(ctx, mode...)

					Expect(s.Do(q)).To(BeReplyOrEnd(WithError(wire.EINVAL)))
					Expect(s.InStepOrGone()).To(BeInStep())
				}
			}
		})
})
