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

var _ = Describe("NBD_CMD_BLOCK_STATUS that can't be served", func() {
	// "The server SHOULD return NBD_EINVAL if it receives a NBD_CMD_BLOCK_STATUS request
	// including one or more sectors beyond the size of the device."
	It("is answered with NBD_EINVAL beyond the end of the export", ID("block-status.bounds"),
		SHOULD("cmd.block-status.bounds"), Needs(feature.BaseAllocation),
		Provokes("size.bounds.client"),
		TrippedBy(quirk.StatusBeyondAccepted, "want a reply with NBD_EINVAL"),
		TrippedBy(quirk.StatusBeyondEIO, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			block := Room(ctx, 1)
			f := FactsOf(ctx)
			ranges := []wire.Request{statusOf(f.Last(), 2*block)}
			if end, ok := f.End(); ok {
				ranges = []wire.Request{statusOf(end, block), statusOf(end-block, 2*block), statusOf(0, Sum(end, block))}
			}
			ranges = append(ranges,
				statusOf(1<<63, block),
				statusOf(-block, block),   // ends at 2^64
				statusOf(-block, 2*block), // and beyond
				statusOf(0, 1<<32-block),
				statusOf(0, 1<<32-1),
			)
			for _, q := range f.Behind(ranges...) {
				if q.Length >= 1<<32 {
					continue
				}
				s := Enter(ctx, BaseAllocation)

				reply := s.Do(q)

				Expect(reply).To(BeReplyOrEnd(WithError(wire.EINVAL)), "case.type-and-length", q, f.Size)
				if reply.End == Complete {
					Expect(s.InStep()).To(BeInStep())
				}
			}
		})

	// "If an error occurs, the server SHOULD set the appropriate error code in the error field
	// of an error chunk."
	It("is answered by an error chunk", ID("block-status.error-chunk"),
		SHOULD("cmd.block-status.error"), Needs(feature.BaseAllocation),
		Provokes("size.bounds.client"),
		TrippedBy(quirk.StatusErrorSimple, "got a simple reply"),
		func(ctx context.Context) {
			block := Room(ctx, 1)
			s := Enter(ctx, BaseAllocation)

			reply := s.Do(statusOf(FactsOf(ctx).Last(), 2*block))

			Expect(reply).To(BeReplyOrEnd(WithAnyError(), AsChunks()))
		})

	// "It also SHOULD return NBD_EINVAL if it receives a request with a flag not explicitly
	// documented as applicable to the given request."
	It("is answered with NBD_EINVAL for a flag of another command", ID("block-status.inapplicable-flag"),
		SHOULD("err.inapplicable-flag"), Needs(feature.BaseAllocation),
		Provokes("cmdflag.documented"),
		TrippedBy(quirk.InapplicableFlagAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			for _, flag := range []wire.CommandFlags{
				wire.CmdFlagNoHole, wire.CmdFlagDF, wire.CmdFlagFastZero, wire.CmdFlagDF | wire.CmdFlagReqOne,
			} {
				s := Enter(ctx, BaseAllocation)
				q := firstBlock(ctx)
				q.Flags = flag

				reply := s.Do(q)

				Expect(reply).To(BeReplyOrEnd(WithError(wire.EINVAL)), "case.flags", flag)
				if reply.End == Complete {
					Expect(s.InStep()).To(BeInStep())
				}
			}
		})

	// "The server SHOULD return NBD_EINVAL if it receives an unknown command flag."
	It("is answered with NBD_EINVAL for an unknown flag", ID("block-status.unknown-flag"),
		SHOULD("err.unknown-flag"), Needs(feature.BaseAllocation),
		Provokes("cmdflag.documented"),
		TrippedBy(quirk.UnknownFlagAccepted, "want a reply with NBD_EINVAL"),
		func(ctx context.Context) {
			for _, flag := range []wire.CommandFlags{wire.CmdFlagPayloadLen, 1 << 6, 1 << 7, 1 << 8, 1 << 15} {
				s := Enter(ctx, BaseAllocation)
				q := firstBlock(ctx)
				q.Flags = flag

				reply := s.Do(q)

				Expect(reply).To(BeReplyOrEnd(WithError(wire.EINVAL)), "case.flags", flag)
				if reply.End == Complete {
					Expect(s.InStep()).To(BeInStep())
				}
			}
		})

	// "the client MUST ensure that offset and length are integer multiples of any advertised
	// minimum block size" and "The server SHOULD report an NBD_EINVAL error", yet "the first and
	// last descriptor of an unaligned query" may be odd: whether block status has to be aligned
	// is open.
	It("may be one that is not aligned", ID("block-status.unaligned"),
		MAY("size.align.server.other"), Needs(feature.BaseAllocation), AtLeast(4096),
		func(ctx context.Context) {
			for _, q := range []wire.Request{statusOf(1, 1), statusOf(0, 511), statusOf(511, 2), statusOf(513, 1024)} {
				s := Enter(ctx, BaseAllocation)

				reply := s.Do(q)

				Expect(reply).To(BeReplyOrEnd(WithError(wire.OK, wire.EINVAL)))
				if reply.End == Complete {
					Expect(s.InStep()).To(BeInStep())
				}
				Observe(ctx, "unaligned block status", "%d bytes at %d: %v %v", q.Length, q.Offset, reply.Error, reply.Extents)
			}
		})

	// "Valid as a reply to [...] NBD_CMD_BLOCK_STATUS", one for each request in flight.
	It("leaves other requests in flight alone", ID("block-status.in-flight"),
		MUST("chunk.block-status.per-context", "trans.cookie.echo"), Needs(feature.BaseAllocation),
		Provokes("size.bounds.client"),
		TrippedBy(quirk.StatusErrorSticks, "got NBD_EINVAL"),
		func(ctx context.Context) {
			block := Room(ctx, 1)
			s := Enter(ctx, BaseAllocation)

			batch := s.Batch()
			first := batch.Add(statusOf(0, block))
			bad := batch.Add(statusOf(FactsOf(ctx).Last(), 2*block))
			last := batch.Add(statusOf(FactsOf(ctx).Last(), block))
			batch.Send()

			if reply := s.Await(bad); reply.End == HungUp {
				verdict.Unsupported("session-ends-over-bounds")
			}
			Expect(s.Await(first)).To(BeReply(WithStatusOf(s.Contexts)))
			Expect(s.Await(last)).To(BeReply(WithStatusOf(s.Contexts)))
		})
})
