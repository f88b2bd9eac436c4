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

var _ = Describe("NBD_CMD_BLOCK_STATUS", func() {
	// "However the server MUST return at least one status descriptor, and since each status
	// descriptor has a non-zero length, a client can always make progress on a successful
	// return."
	It("leads from the start of the export to its end", ID("block-status.walk"),
		MUST("chunk.block-status.at-least-one", "chunk.block-status.extent-nonzero", "chunk.block-status.length"),
		Needs(feature.BaseAllocation),
		TrippedBy(quirk.StatusNothing, "has no extent"),
		TrippedBy(quirk.StatusEmptyExtent, "has length 0"),
		TrippedBy(quirk.StatusOddLength, "and a multiple of 8 is due"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			Room(ctx, 1)

			end := FactsOf(ctx).Last() + FactsOf(ctx).Block()
			for offset, steps := uint64(0), 0; offset < end && steps < 1000 && !Late(ctx); steps++ {
				for _, e := range s.Status(offset, min(end-offset, longestStatus), 0) {
					Expect(e.Length).NotTo(BeZero(), "progress", offset)
					offset = Sum(offset, e.Length)
				}
				if offset > s.Size {
					Observe(ctx, "status beyond the end", "extents reach to %d, the export has %d bytes", offset, s.Size)
				}
			}
		})

	// "If the client did not use the flag, and the server replies with N extents, then the sum
	// of the length fields of the first N-1 extents (if any) MUST be less than the requested
	// length".
	It("ends its list with the extent that completes the range", ID("block-status.sum"),
		MUST("chunk.block-status.sum"), Needs(feature.BaseAllocation), Writes(), AtLeast(8*grain),
		TrippedBy(quirk.StatusGoesOn, "of extents, the request is about"),
		TrippedBy(quirk.StatusWholeExport, "of extents, the request is about"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			stripes(s, 0)

			for _, n := range []uint64{1, 2, 3, 5, 8} {
				s.Status(0, n*grain, 0)
				s.Status((8-n)*grain, n*grain, 0)
			}
		})

	// "If this flag is present, the server MUST NOT send metadata on more than one extent in
	// the reply"
	It("tells one extent with NBD_CMD_FLAG_REQ_ONE", ID("block-status.req-one"),
		MUST("cmdflag.req-one.one-extent"), Needs(feature.BaseAllocation), Writes(), AtLeast(8*grain),
		TrippedBy(quirk.ReqOneTwo, "the request has NBD_CMD_FLAG_REQ_ONE"),
		TrippedBy(quirk.ReqOneIgnored, "the request has NBD_CMD_FLAG_REQ_ONE"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			stripes(s, 0)

			for _, n := range []uint64{1, 2, 8} {
				extents := s.Status(0, n*grain, wire.CmdFlagReqOne)

				Expect(extents).To(HaveLen(1), "one-extent", n*grain, extents)
			}
		})

	// "and that descriptor MUST NOT exceed the length of the original request"
	It("tells no more than was asked for with NBD_CMD_FLAG_REQ_ONE", ID("block-status.req-one.length"),
		MUST("cmdflag.req-one.length"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.ReqOneLong, "and NBD_CMD_FLAG_REQ_ONE"),
		func(ctx context.Context) {
			block := Room(ctx, 1)
			s := Enter(ctx, BaseAllocation)

			for _, at := range []uint64{0, FactsOf(ctx).Last()} {
				e := s.Status(at, block, wire.CmdFlagReqOne)[0]

				Expect(e.Length).To(BeNumerically("<=", block), "at-most-bytes", block, at, e)
			}
		})

	// "exactly one chunk of type NBD_REPLY_TYPE_BLOCK_STATUS per selected context id", and with
	// the flag "every reply chunk MUST contain exactly one descriptor".
	It("tells one extent for each of several contexts", ID("block-status.req-one.contexts"),
		MUST("chunk.block-status.per-context", "cmdflag.req-one.one-extent", "cmdflag.req-one.length"), Needs(feature.MetaContext),
		TrippedBy(quirk.StatusMissingContext, "the reply has chunks for"),
		TrippedBy(quirk.ReqOneTwo, "the request has NBD_CMD_FLAG_REQ_ONE"),
		func(ctx context.Context) {
			block := Room(ctx, 1)
			s := Haggle(ctx)
			s.Structured()
			expectSelected(s, s.SetContexts(s.SeveralOffers()...))
			s.Proceed()

			q := statusOf(0, block)
			q.Flags = wire.CmdFlagReqOne
			reply := s.Do(q)

			Expect(reply).To(BeReply(WithStatusOf(s.Contexts)))
		})

	// A request about the last block is within "the size of the device".
	It("reaches to the end of the export", ID("block-status.last-block"),
		MUST("chunk.block-status.per-context"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.StatusEndRefused, "got NBD_EINVAL"),
		func(ctx context.Context) {
			block := Room(ctx, 1)
			s := Enter(ctx, BaseAllocation)

			for _, flags := range []wire.CommandFlags{0, wire.CmdFlagReqOne} {
				q := statusOf(FactsOf(ctx).Last(), block)
				q.Flags = flags
				Expect(s.Do(q)).To(BeReply(WithStatusOf(s.Contexts)), "case.flags", flags)
			}
		})

	// "The server SHOULD use different status values between consecutive descriptors where
	// feasible". A descriptor holds no more than 32 bits of length.
	It("tells neighbours apart by their status", ID("block-status.distinct"),
		SHOULD("cmd.block-status.distinct"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.StatusUncoalesced, "want neighbours of different status"),
		func(ctx context.Context) {
			block := Room(ctx, 1)
			s := Enter(ctx, BaseAllocation)

			extents := s.Status(0, min(s.Size/block*block, longestStatus), 0)

			for i, e := range extents[1:] {
				if before := extents[i]; before.Length+e.Length < longestStatus {
					Expect(e.Status).NotTo(Equal(before.Status), "neighbours-differ", before, e)
				}
			}
		})

	// "The server SHOULD use descriptor lengths that are an integer multiple of 512 bytes where
	// possible (the first and last descriptor of an unaligned query being the most obvious
	// places for an exception)".
	It("tells extents of whole sectors", ID("block-status.sectors"),
		SHOULD("cmd.block-status.multiple-of-512"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.StatusUnaligned, "want multiples of 512 bytes"),
		func(ctx context.Context) {
			block := Room(ctx, 1)
			s := Enter(ctx, BaseAllocation)

			offset := uint64(0)
			for _, e := range s.Status(0, min(s.Size/block*block, longestStatus), 0) {
				if offset = Sum(offset, e.Length); offset < s.Size {
					Expect(e.Length%512).To(BeZero(), "multiples-of-512", e, offset)
				}
			}
		})

	// "The server SHOULD use descriptor lengths that are an integer multiple of any advertised
	// minimum block size, with an obvious exception at the end of the image".
	It("tells extents of whole blocks", ID("block-status.blocks"),
		SHOULD("cmd.block-status.multiple-of-minimum"), Needs(feature.BaseAllocation, feature.BlockSize),
		TrippedBy(quirk.StatusBelowMinimum, "the minimum block size is"),
		func(ctx context.Context) {
			block := Room(ctx, 2)
			s := Enter(ctx, BaseAllocation)
			if s.Constraints.Minimum <= 512 {
				verdict.Unsupported("needs-minimum-block-above-sector")
			}

			s.Status(0, min(s.Size/block*block, longestStatus), 0)
			s.Status(block, block, 0)
			s.Status(FactsOf(ctx).Last(), block, 0)
		})

	// "Servers SHOULD NOT send more than 2^20 extents in a single reply chunk".
	It("tells at most 2^20 extents at a time", ID("block-status.max-extents"),
		SHOULD("chunk.block-status.max-extents"), Needs(feature.BaseAllocation), AtLeast((wire.MaxExtents+1)*512),
		TrippedBy(quirk.StatusMillions, "it should have no more than 1048576"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			s.Take(64 << 20)

			s.Status(0, min(s.Size/FactsOf(ctx).Block()*FactsOf(ctx).Block(), longestStatus), 0)
		})

	// "Servers SHOULD set it to all-zero".
	It("leaves the reserved flags of base:allocation clear", ID("block-status.reserved"),
		SHOULD("meta.allocation.reserved"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.StatusReservedFlag, "of which HOLE|ZERO is defined"),
		func(ctx context.Context) {
			block := Room(ctx, 1)
			s := Enter(ctx, BaseAllocation)

			s.Status(0, min(s.Size/block*block, longestStatus), 0)
		})

	// "provided NBD_FLAG_SEND_FUA has been negotiated, in which case the server MUST accept all
	// commands with this bit set (even by ignoring the bit)"
	It("accepts NBD_CMD_FLAG_FUA", ID("block-status.fua"),
		MUST("cmdflag.fua.accept"), Needs(feature.BaseAllocation, feature.FUA),
		Provokes("cmdflag.fua.only-writes"),
		TrippedBy(quirk.FUARejected, "got NBD_EINVAL"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)

			for _, flags := range []wire.CommandFlags{wire.CmdFlagFUA, wire.CmdFlagFUA | wire.CmdFlagReqOne} {
				q := firstBlock(ctx)
				q.Flags = flags
				Expect(s.Do(q)).To(BeReply(WithStatusOf(s.Contexts)), "case.flags", flags)
			}
		})

	// "the client MAY request an effect length larger than the maximum payload size; the server
	// SHOULD NOT disconnect, but MAY reply with an NBD_EOVERFLOW or NBD_EINVAL error"
	It("stays for a range longer than the maximum payload", ID("block-status.long"),
		SHOULD("size.effect.disconnect"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.StatusLongHangup, "the server ended the connection"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			n := min(s.Size/FactsOf(ctx).Block()*FactsOf(ctx).Block(), longestStatus)
			if n <= uint64(s.Constraints.MaxPayload) {
				verdict.Unsupported("needs-export-above-maximum-payload", s.Constraints.MaxPayload)
			}

			reply := s.Do(statusOf(0, n))

			Expect(reply).To(BeReply(WithError(wire.OK, wire.EOVERFLOW, wire.EINVAL)))
			Expect(s.InStep()).To(BeInStep())
		})

	// The same, up to the longest range that a request can have, which is no multiple of anything.
	It("stays for a range of nearly 4 GiB", ID("block-status.longest"),
		SHOULD("size.effect.disconnect"), Needs(feature.BaseAllocation), AtLeast(1<<32),
		TrippedBy(quirk.StatusLongHangup, "the server ended the connection"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			s.Fine()

			for _, n := range []uint64{1<<32 - 1, 1<<32 - 2, 1<<32 - 512, 1<<32 - 65536, 1<<32 - 65537} {
				for _, q := range []wire.Request{statusOf(0, n), statusOf(s.Size-n, n)} {
					Expect(s.Do(q)).To(BeReply(WithError(wire.OK, wire.EOVERFLOW, wire.EINVAL)), "case.for", q)
					q.Flags = wire.CmdFlagReqOne
					Expect(s.Do(q)).To(BeReply(WithError(wire.OK, wire.EOVERFLOW, wire.EINVAL)), "case.for", q)
				}
			}
			Expect(s.InStep()).To(BeInStep())
		})

	// "The client SHOULD NOT request a status length of 0; the behavior of a server on such a
	// request is unspecified although the server SHOULD NOT disconnect."
	It("stays for a length of 0", ID("block-status.zero-length"),
		SHOULD("cmd.block-status.zero-length.stay"), Needs(feature.BaseAllocation),
		Provokes("cmd.block-status.zero-length"),
		TrippedBy(quirk.StatusZeroLengthHangup, "the server hangs up on"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)

			reply := s.Do(statusOf(0, 0))

			Expect(reply.End).To(Equal(Complete), "any-reply", reply)
			Expect(s.InStep()).To(BeInStep())
			Observe(ctx, "status of 0 bytes", "%v", reply.Error)
		})
})

// longestStatus is a length that a descriptor can hold, and a multiple of any block size.
const longestStatus = 1 << 31

// grain is a size at which storage commonly tells data from zeroes, in bytes,
// and a multiple of any block size.
const grain = 64 << 10

// stripes makes eight grains alternate between data and zeroes.
func stripes(s *Session, offset uint64) {
	s.Zero(offset, 8*grain)
	for i := uint64(0); i < 8; i += 2 {
		s.Write(offset+i*grain, Pattern(byte(i), grain))
	}
}
