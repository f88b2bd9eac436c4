package servers

import (
	"context"
	"slices"

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

// "NBD_STATE_ZERO (bit 1): if set, the block contents read as all zeroes; if clear, the block
// contents are not known." A server may always say less. It may not say NBD_STATE_ZERO of what
// reads otherwise, whatever it is asked and however.
var _ = Describe("The context base:allocation", func() {
	It("tells zeroes only of what reads as zeroes", ID("allocation.zero.read"),
		MUST("layout.allocation.zero"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.HolesReadGarbage, "want no NBD_STATE_ZERO"),
		func(ctx context.Context) {
			block := Room(ctx, 1)
			s := Enter(ctx, BaseAllocation)

			zero := zeroes(s.Blocks(0, FactsOf(ctx).Last()+block, 0))

			for _, b := range zero[:min(40, len(zero))] {
				for _, at := range []uint64{b.Offset / block * block, (b.End() - 1) / block * block} {
					Expect(b).To(ReadAsTold(at, s.Read(at, block)))
				}
			}
		})

	It("tells no zeroes of data", ID("allocation.zero.data"),
		MUST("layout.allocation.zero"), Needs(feature.BaseAllocation), Writes(), AtLeast(8*grain),
		TrippedBy(quirk.StatusDataAsZero, "want no NBD_STATE_ZERO"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)

			data := s.Write(4*grain, Pattern(1, 2*grain))

			for _, flags := range []wire.CommandFlags{0, wire.CmdFlagReqOne} {
				for _, b := range s.Blocks(4*grain, 6*grain, flags) {
					Expect(b).To(ReadAsTold(4*grain, data), "case.flags", flags)
				}
			}
		})

	It("agrees with what reads, wherever a query starts and ends", ID("allocation.zero.offsets"),
		MUST("layout.allocation.zero"), Needs(feature.BaseAllocation), Writes(), AtLeast(12*grain),
		TrippedBy(quirk.StatusFromStart, "want no NBD_STATE_ZERO"),
		TrippedBy(quirk.StatusCoarse, "want no NBD_STATE_ZERO"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			s.Zero(0, 4*grain)
			stripes(s, 4*grain)
			contents := s.Read(0, 12*grain)

			for _, flags := range []wire.CommandFlags{0, wire.CmdFlagReqOne} {
				for first := uint64(0); first < 12; first++ {
					for _, n := range []uint64{1, 2, 12 - first} {
						end := min(first+n, 12) * grain
						for _, b := range s.Blocks(first*grain, end, flags) {
							Expect(b).To(ReadAsTold(0, contents), "case.asked-range", first*grain, end, flags)
						}
					}
				}
			}
		})

	It("tells no zeroes of a range with a little data in it", ID("allocation.zero.speck"),
		MUST("layout.allocation.zero"), Needs(feature.BaseAllocation), Writes(),
		TrippedBy(quirk.StatusCoarse, "want no NBD_STATE_ZERO"),
		func(ctx context.Context) {
			block := Room(ctx, 64)
			s := Enter(ctx, BaseAllocation)
			s.Zero(0, 64*block)

			speck := s.Write(37*block, Pattern(2, uint64(s.Constraints.Minimum)))

			for _, flags := range []wire.CommandFlags{0, wire.CmdFlagReqOne} {
				for _, b := range s.Blocks(0, 64*block, flags) {
					Expect(b).To(ReadAsTold(37*block, speck), "case.flags", flags)
				}
			}
		})

	It("tells of what is beyond the reach of 32 bits", ID("allocation.zero.beyond-4gib"),
		MUST("layout.allocation.zero"), Needs(feature.BaseAllocation), Writes(), AtLeast(1<<32+8*grain),
		TrippedBy(quirk.StatusOffset32, "want no NBD_STATE_ZERO"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			s.Zero(0, 8*grain)

			data := s.Write(1<<32, Pattern(9, 8*grain))

			for _, b := range s.Blocks(1<<32, 1<<32+8*grain, 0) {
				Expect(b).To(ReadAsTold(1<<32, data))
			}
		})

	It("forgets zeroes that are overwritten", ID("allocation.zero.overwritten"),
		MUST("layout.allocation.zero"), Needs(feature.BaseAllocation), Writes(), AtLeast(8*grain),
		TrippedBy(quirk.StatusStale, "want no NBD_STATE_ZERO"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			s.Zero(0, 8*grain)
			s.Blocks(0, 8*grain, 0)

			data := s.Write(0, Pattern(3, 8*grain))

			for _, b := range s.Blocks(0, 8*grain, 0) {
				Expect(b).To(ReadAsTold(0, data))
			}
		})

	// "the final descriptor MAY extend beyond the original requested size if the server can determine a
	// larger length", and what it tells of that is to be true as well.
	It("is true of what it tells beyond the request", ID("allocation.zero.beyond"),
		MUST("layout.allocation.zero"), Needs(feature.BaseAllocation), Writes(), AtLeast(8*grain),
		TrippedBy(quirk.StatusZeroBeyond, "want no NBD_STATE_ZERO"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			contents := append(s.Zero(0, grain), s.Write(grain, Pattern(10, 7*grain))...)

			for _, b := range s.BlocksBeyond(0, grain, 8*grain) {
				Expect(b).To(ReadAsTold(0, contents))
			}
		})

	// "the effects of NBD_CMD_FLUSH and NBD_CMD_FLAG_FUA MUST be visible across all connections
	// when the server sends its reply"
	It("forgets zeroes that are overwritten on another connection", ID("allocation.zero.multi-conn"),
		MUST("layout.allocation.zero"), Needs(feature.BaseAllocation, feature.MultiConn, feature.Flush), Writes(), AtLeast(8*grain),
		TrippedBy(quirk.StatusStale, "want no NBD_STATE_ZERO"),
		func(ctx context.Context) {
			s, other := Enter(ctx, BaseAllocation), Enter(ctx)
			s.Zero(0, 8*grain)
			s.Blocks(0, 8*grain, 0)

			data := other.Write(0, Pattern(4, 8*grain))
			if reply := other.Do(wire.Request{Type: wire.CmdFlush}); !reply.OK() {
				verdict.Blocked("interop.server.flush", "flushing", reply)
			}

			for _, b := range s.Blocks(0, 8*grain, 0) {
				Expect(b).To(ReadAsTold(0, data))
			}
		})

	// "a server MAY report that the block is allocated even where NBD_CMD_TRIM has been
	// requested", and what was trimmed reads as anything.
	It("tells zeroes of what was trimmed only if it reads as zeroes", ID("allocation.zero.trimmed"),
		MUST("layout.allocation.zero"), Needs(feature.BaseAllocation, feature.Trim), Writes(), AtLeast(16*grain),
		TrippedBy(quirk.TrimmedAsZero, "want no NBD_STATE_ZERO"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			s.Write(0, Pattern(5, 16*grain))

			s.Do(wire.Request{Type: wire.CmdTrim, Offset: 4 * grain, Length: 8 * grain})

			list := s.Blocks(0, 16*grain, 0)
			contents := s.Read(0, 16*grain)
			for _, b := range list {
				Expect(b).To(ReadAsTold(0, contents))
			}
			Observe(ctx, "status of what was trimmed", "%v", statusesOf(s.Blocks(4*grain, 12*grain, 0)))
		})

	// "the server MAY report zeroes even where NBD_CMD_WRITE_ZEROES has not been requested, and
	// also that a server MAY report unknown content even where NBD_CMD_WRITE_ZEROES has been
	// requested"
	It("tells of written zeroes what it likes", ID("allocation.zero.zeroed"),
		MAY("meta.allocation.zero.zeroed"), Needs(feature.BaseAllocation, feature.WriteZeroes), Writes(), AtLeast(32*grain),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			for _, flags := range []wire.CommandFlags{0, wire.CmdFlagNoHole} {
				s.Write(0, Pattern(6, 16*grain))

				s.Do(wire.Request{Type: wire.CmdWriteZeroes, Flags: flags, Length: 32 * grain})

				contents := s.Read(0, 16*grain)
				for _, b := range s.Blocks(0, 16*grain, 0) {
					Expect(b).To(ReadAsTold(0, contents))
				}
				Observe(ctx, "status of written zeroes", "flags %v: %v", flags, statusesOf(s.Blocks(0, 16*grain, 0)))
			}
		})

	// "If a server supports the base:allocation metadata context, then writing to an extent
	// which has NBD_STATE_HOLE clear MUST NOT fail with NBD_ENOSPC"
	It("has room for what is no hole", ID("allocation.enospc"),
		MUST("meta.allocation.allocated.enospc"), Needs(feature.BaseAllocation), Writes(), AtLeast(8*grain),
		TrippedBy(quirk.WriteAllocatedENOSPC, "want a reply without NBD_ENOSPC"),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			s.Do(wire.Request{Type: wire.CmdWrite, Length: 4 * grain}, Pattern(7, 4*grain)...) // a full disk may have no room

			for _, b := range s.Blocks(0, 8*grain, 0) {
				if b.Status&wire.StateHole == 0 {
					data := Pattern(8, b.Length)
					reply := s.Do(wire.Request{Type: wire.CmdWrite, Offset: b.Offset, Length: b.Length}, data...)
					Expect(reply).To(BeReply(WithoutError(wire.ENOSPC)), "case.for", b)
				}
			}
		})

	// "the server SHOULD return additional status values when they can be easily detected"
	It("tells what it can detect", ID("allocation.report"),
		MAY("cmd.block-status.zero-status"), Needs(feature.BaseAllocation), Writes(), AtLeast(8*grain),
		func(ctx context.Context) {
			s := Enter(ctx, BaseAllocation)
			stripes(s, 0)

			list := s.Blocks(0, 8*grain, 0)

			Expect(list).NotTo(BeEmpty())
			Observe(ctx, "status of data and zeroes in turn", "%v", list)
		})
})

// zeroes keeps the ranges that are said to read as zeroes.
func zeroes(list []Block) []Block {
	return slices.DeleteFunc(list, func(b Block) bool { return b.Status&wire.StateZero == 0 })
}

// statusesOf lists the statuses of ranges in turn.
func statusesOf(list []Block) []wire.StateFlags {
	var all []wire.StateFlags
	for _, b := range list {
		all = append(all, b.Status)
	}
	return all
}
