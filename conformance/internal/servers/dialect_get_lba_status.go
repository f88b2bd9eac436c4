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

// The draft of March 2016, for servers that were told to speak it.

var _ = Describe("NBD_CMD_GET_LBA_STATUS", func() {
	// "The server MUST reply with a reply header, followed immediately by the following data: 32 bits, length of
	// parameter data that follow (unsigned); zero or more LBA status descriptors"
	It("is answered with a length and descriptors behind a reply header", ID("lba.reply"),
		MUST("get-lba-status.reply", "get-lba-status.descriptors"),
		Needs(feature.GetLBAStatus),
		TrippedBy(quirk.LBACounted, "want descriptors"),
		TrippedBy(quirk.LBARagged, "want descriptors"),
		func(ctx context.Context) {
			n := Room(ctx, 1)
			s := Enter(ctx)
			for _, kind := range []wire.LBAType{wire.LBAAllocated, wire.LBADirty} {
				r := s.LBAStatus(kind, 0, n)

				Expect(r).To(BeReply(AsSimpleReply(), WithError(wire.OK)))
				Expect(r.LBA != nil).To(BeTrue(), "descriptors-of-14", r)
				Expect(s.InStep()).To(BeInStep())
				Observe(ctx, "descriptors for one block, "+kind.String(), "%v", r.LBA)
			}
		})

	// "Length and offset define the range of interest."
	It("tells about the range that was asked for", ID("lba.range"),
		MUST("get-lba-status.range"),
		Needs(feature.GetLBAStatus), AtLeast(64<<10),
		TrippedBy(quirk.LBAFromZero, "want a descriptor"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			s := Enter(ctx)
			for _, at := range []uint64{8 * b, FactsOf(ctx).Last()} {
				r := s.LBAStatus(wire.LBAAllocated, at, b)

				Expect(r).To(BeReply(WithError(wire.OK)))
				if _, ok := LBAState(r.LBA, at); !ok && len(r.LBA) > 0 {
					Expect(r.LBA).To(BeEmpty(), "descriptor-about-block", at)
				}
			}
		})

	// "the server MUST return the provisioning state of the device", where "NBD_STATE_ALLOCATED (0x0)" is "present
	// on the block device".
	It("with NBD_FLAG_GET_ALLOCATED says NBD_STATE_ALLOCATED of what was written", ID("lba.allocated"),
		MUST("get-lba-status.allocated"),
		Needs(feature.GetLBAStatus), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.LBAHoles, "want NBD_STATE_ALLOCATED"),
		func(ctx context.Context) {
			const n = 128 << 10
			s := Enter(ctx)
			s.Write(256<<10, Pattern(3, n))

			r := s.LBAStatus(wire.LBAAllocated, 256<<10, n)

			Expect(r).To(BeReply(WithError(wire.OK)))
			for _, d := range r.LBA {
				Expect(d.Status).To(BeEquivalentTo(wire.LBAStateAllocated), "state-allocated", r)
			}
		})

	// "NBD_STATE_ZEROED (0x1), LBA extent is present on the block device and contains zeroes"
	It("says NBD_STATE_ZEROED only of what reads as zeroes", ID("lba.zeroed"),
		MUST("get-lba-status.zeroed"),
		Needs(feature.GetLBAStatus), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.LBAZeroed, "want zeroes"),
		func(ctx context.Context) {
			const n = 64 << 10
			s := Enter(ctx)
			s.Write(0, Pattern(4, n))
			s.Zero(n, n)

			r := s.LBAStatus(wire.LBAAllocated, 0, 2*n)

			Expect(r).To(BeReply(WithError(wire.OK)))
			for _, at := range []uint64{0, n} {
				if state, ok := LBAState(r.LBA, at); ok && state == wire.LBAStateZeroed {
					Expect(Zeroes(s.Read(at, FactsOf(ctx).Block()))).To(BeTrue(), "zeroes-at", at, r)
				}
			}
			Observe(ctx, "provisioning state of data and of zeroes", "%v", r.LBA)
		})

	// "the server MUST return the dirtiness status of the device", where "NBD_STATE_DIRTY (0x0)" is "LBA extent is
	// dirty", as is what the server has no means to tell.
	It("with NBD_FLAG_GET_DIRTY says NBD_STATE_DIRTY of what was just written", ID("lba.dirty"),
		MUST("get-lba-status.dirty", "get-lba-status.unimplemented"),
		Needs(feature.GetLBAStatus), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.LBAClean, "want NBD_STATE_DIRTY"),
		TrippedBy(quirk.LBADirtyBit, "want NBD_STATE_DIRTY"),
		func(ctx context.Context) {
			const n = 128 << 10
			s := Enter(ctx)
			s.Write(256<<10, Pattern(5, n))

			r := s.LBAStatus(wire.LBADirty, 256<<10, n)

			Expect(r).To(BeReply(WithError(wire.OK)))
			for _, d := range r.LBA {
				Expect(d.Status).To(BeEquivalentTo(wire.LBAStateDirty), "state-dirty", r)
			}
		})

	// "If the server does not implement requested type or have no means to express it, it MUST NOT return an error,
	// but instead MUST return a single LBA status descriptor with offset and length equal to the offset and length
	// from request, and status set to 0."
	It("of a type that nobody knows is answered with one descriptor of status 0", ID("lba.unimplemented"),
		MUST("get-lba-status.unimplemented", "get-lba-status.type"),
		Needs(feature.GetLBAStatus), AtLeast(8<<20),
		TrippedBy(quirk.LBATypeEINVAL, "got NBD_EINVAL"),
		TrippedBy(quirk.LBATypeIgnored, "want one descriptor"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			s := Enter(ctx)
			n := 4<<20/b*b - b
			for _, kind := range []wire.LBAType{2, 3, 0x10, 0x8000, 0xffff} {
				r := s.LBAStatus(kind, b, n)

				Expect(r).To(BeReply(WithError(wire.OK)), "case.for", kind)
				Expect(r.LBA).To(Equal(wire.LBAStatus{{Offset: b, Length: uint32(n)}}), "one-descriptor-status-0", kind)
			}
		})

	// "If an error occurs, the server SHOULD set the appropriate error code in the error field."
	It("fails beyond the end of the export", ID("lba.beyond"),
		SHOULD("get-lba-status.error"),
		Needs(feature.GetLBAStatus), AtLeast(2*512), Provokes("size.bounds.client"),
		TrippedBy(quirk.LBABeyondAccepted, "got success"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			for _, q := range FactsOf(ctx).Behind(ReadOf(Enter(ctx).Beyond(), b), ReadOf(1<<62, b)) {
				s := Enter(ctx)

				r := s.LBAStatus(wire.LBAAllocated, q.Offset, b)

				Expect(r.Error).NotTo(Equal(wire.OK), "error-not-success", r)
			}
		})

	// "The server MUST then either close the connection, or send length of parameter data bytes of data (which MAY
	// be invalid)."
	It("has a length behind an error too, or the end of the connection", ID("lba.error"),
		MUST("get-lba-status.error.data"),
		Needs(feature.GetLBAStatus), AtLeast(2*512), Provokes("size.bounds.client"),
		TrippedBy(quirk.LBAErrorBare, "no answer in time"),
		func(ctx context.Context) {
			s := Enter(ctx)

			r := s.LBAStatus(wire.LBAAllocated, s.Beyond(), FactsOf(ctx).Block())

			Expect(r).To(BeReplyOrEnd())
			Expect(s.InStepOrGone()).To(BeInStep())
		})
})
