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
	"nbdconform/reference/export"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

// A bitmap may be frozen at what changed before: then it records nothing, and
// that is fine. One that records records everything.

var _ = Describe("Metadata context qemu:dirty-bitmap", func() {
	// "NBD_STATE_DIRTY, set when the extent is "dirty""
	It("shows changes by every command, if it shows any", ID("dirty-bitmap.records"),
		MUST("meta.qemu.dirty-bitmap.dirty"),
		Needs(feature.DirtyBitmap), Writes(), AtLeast(8<<20),
		TrippedBy(quirk.BitmapMissesWrites, "NBD_CMD_WRITE is not recorded"),
		TrippedBy(quirk.BitmapMissesZeroes, "NBD_CMD_WRITE_ZEROES is not recorded"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			for _, name := range FactsOf(ctx).Bitmaps() {
				s := Enter(ctx, Contexts(name))
				places := s.Clean(name, 3)
				if len(places) < 3 {
					verdict.Unsupported("needs-clean-places", name, len(places))
				}
				dirty := map[wire.Command]bool{}

				s.Write(places[0], Pattern(1, b))
				dirty[wire.CmdWrite] = s.At(name, places[0])&export.Dirty != 0
				if s.Flags&wire.FlagSendWriteZeroes != 0 {
					s.Write(places[1], Pattern(2, b)) // so that there is something to zero
					s.Zero(places[1], b)
					s.Zero(places[2], b)
					dirty[wire.CmdWriteZeroes] = s.At(name, places[2])&export.Dirty != 0
				}

				Observe(ctx, name, "%v", dirty)
				if recording := dirty[wire.CmdWrite] || dirty[wire.CmdWriteZeroes]; recording {
					for c, shows := range dirty {
						Expect(shows).To(BeTrue(), "change-not-recorded", c, name)
					}
				}
			}
		})

	// A change makes an extent dirty, and no change makes it clean.
	It("keeps what is dirty dirty, whatever is done to it", ID("dirty-bitmap.stays"),
		MUST("meta.qemu.dirty-bitmap.dirty"),
		Needs(feature.DirtyBitmap, feature.WriteZeroes), Writes(), AtLeast(8<<20),
		TrippedBy(quirk.BitmapCleanedByZeroes, "was dirty before"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			for _, name := range FactsOf(ctx).Bitmaps() {
				s := Enter(ctx, Contexts(name))
				s.Write(b, Pattern(3, b))
				if s.At(name, b)&export.Dirty == 0 {
					Observe(ctx, name, "records nothing")
					continue
				}
				still := func(done string) {
					Expect(s.At(name, b)&export.Dirty).NotTo(BeZero(), "after-dirty-before", done, b, name)
				}

				s.Zero(b, b)
				still("zeroes")
				s.Write(b, make([]byte, b))
				still("a write of zeroes")
				if s.Flags&wire.FlagSendTrim != 0 {
					Expect(s.Do(wire.Request{Type: wire.CmdTrim, Offset: b, Length: b})).To(BeReply())
					still("a trim")
				}
				Expect(Enter(ctx, Contexts(name)).At(name, b)&export.Dirty).NotTo(BeZero(), "case.another-connection")
			}
		})

	// "NBD_STATE_ZERO [...] the block contents read as all zeroes": a bitmap beside it changes nothing.
	It("agrees with base:allocation on what was just written", ID("dirty-bitmap.allocation"),
		MUST("layout.allocation.zero", "chunk.block-status.per-context"),
		Needs(feature.DirtyBitmap, feature.BaseAllocation), Writes(), AtLeast(1<<20),
		TrippedBy(quirk.StatusDataAsZero, "NBD_STATE_ZERO"),
		func(ctx context.Context) {
			b := FactsOf(ctx).Block()
			names := FactsOf(ctx).Bitmaps()
			s := Enter(ctx, Contexts(append(names, "base:allocation")...))
			data := s.Write(2*b, Pattern(4, b))

			r := s.Do(wire.Request{Type: wire.CmdBlockStatus, Flags: wire.CmdFlagReqOne, Offset: 2 * b, Length: b})

			Expect(r).To(BeReply(WithError(wire.OK)))
			for _, e := range s.In("base:allocation", r) {
				Expect(wire.StateFlags(e.Status)&wire.StateZero).To(BeZero(), "no-state-zero-where-written")
			}
			Expect(s.Do(ReadOf(2*b, b))).To(BeReply(WithData(data)))
		})
})
