package servers

import (
	"context"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	"nbdconform/reference/export"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("Metadata namespace qemu", func() {
	// "``qemu:`` returns list of all available metadata contexts in the namespace"
	It("is listed as a whole by its name and a colon", ID("meta-qemu.list.namespace"),
		MUST("meta.qemu.list.namespace"),
		Needs(feature.DirtyBitmap),
		TrippedBy(quirk.QEMUWildcardForgets, "among them"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			all, namespace := s.ListContexts(), s.ListContexts("qemu:")

			Expect(namespace).To(BeAnswered(wire.RepAck))
			for _, name := range append(all.Names(), s.ListContexts(BitmapPrefix).Names()...) {
				if strings.HasPrefix(name, "qemu:") {
					Expect(namespace.Names()).To(ContainElement(name))
				}
			}
		})

	// "``qemu:dirty-bitmap:`` returns list of all available dirty-bitmap metadata contexts"
	It("has its dirty bitmaps listed by their common prefix", ID("meta-qemu.list.bitmaps"),
		MUST("meta.qemu.list.dirty-bitmap"),
		Needs(feature.DirtyBitmap),
		TrippedBy(quirk.BitmapWildcardIgnored, "to consist of"),
		TrippedBy(quirk.BitmapWildcardWide, "to consist of"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.ListContexts(BitmapPrefix)

			Expect(a).To(BeAnswered(wire.RepAck))
			Expect(a.Names()).To(ConsistOf(FactsOf(ctx).Bitmaps()))
		})

	// "a server SHOULD NOT select any contexts for a query with an empty leaf-name"; what
	// "qemu:dirty-bitmap:" selects nobody says.
	It("has nothing selected by its name and a colon", ID("meta-qemu.set.namespace"),
		SHOULD("meta.query.empty-leaf"),
		Needs(feature.AllocationDepth),
		TrippedBy(quirk.QEMUWildcardSelects, "meta.query.empty-leaf"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			s.Select("qemu:")

			Expect(s.Contexts).To(BeEmpty())
			s.Select(BitmapPrefix)
			Observe(ctx, "selected by the query "+BitmapPrefix, "%v", s.Contexts)
		})

	// "That metadata context is named with the following form", and what is listed can be selected by
	// the same name, alone and together.
	It("has every listed context selected by its name", ID("meta-qemu.set.each"),
		MUST("meta.qemu.dirty-bitmap.name", "opt.set-meta.reply"),
		Needs(feature.DirtyBitmap),
		TrippedBy(quirk.BitmapListedOnly, "to consist of"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			all := FactsOf(ctx).QEMUContexts

			for _, name := range all {
				s.Select(name)
				Expect(s.Selected()).To(ConsistOf(name))
			}
			s.Select(append([]string{"base:allocation"}, all...)...)
			Expect(s.Selected()).To(ContainElements(all))
		})

	// "The server MUST use one reply chunk for each negotiated metadata context", and each is about
	// the range that was asked for.
	It("is told in one reply with base:allocation", ID("meta-qemu.together"),
		MUST("chunk.block-status.per-context", "chunk.block-status.sum"),
		Needs(feature.DirtyBitmap, feature.BaseAllocation),
		AtLeast(1<<20),
		TrippedBy(quirk.StatusMissingContext, "contexts"),
		func(ctx context.Context) {
			names := append([]string{"base:allocation"}, FactsOf(ctx).QEMUContexts...)
			s := Enter(ctx, Contexts(names...))

			for _, flags := range []wire.CommandFlags{0, wire.CmdFlagReqOne} {
				r := s.Do(wire.Request{Type: wire.CmdBlockStatus, Flags: flags, Length: 1 << 20})

				Expect(r).To(BeReply(WithError(wire.OK)))
				for _, name := range names {
					Expect(s.In(name, r)).NotTo(BeEmpty(), name)
				}
			}
		})

	// "Each dirty-bitmap metadata context defines only one flag for extents"
	It("has dirty bitmaps with no flag but NBD_STATE_DIRTY", ID("meta-qemu.bitmap.flag"),
		MUST("meta.qemu.dirty-bitmap.flag"),
		Needs(feature.DirtyBitmap),
		TrippedBy(quirk.BitmapOtherFlag, "or bit 0 alone"),
		func(ctx context.Context) {
			names := FactsOf(ctx).Bitmaps()
			s := Enter(ctx, Contexts(names...))

			for _, name := range names {
				for _, e := range s.Map(name, 0, min(s.Size, MostMapped)) {
					Expect(e.Status).To(BeElementOf(uint64(0), export.Dirty), "bitmap-status", name)
				}
			}
		})

	// "the entire 32-bit value represents a depth of which layer in a thin-provisioned backing chain
	// provided the data (0 for unallocated, 1 for the active layer, 2 for the first backing layer, and
	// so forth)"
	It("has the active layer as the one that was written to", ID("meta-qemu.depth.written"),
		MUST("meta.qemu.allocation-depth"),
		Needs(feature.AllocationDepth), Writes(),
		TrippedBy(quirk.DepthFromTwo, "want depth 1"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			for _, at := range []uint64{0, FactsOf(ctx).Last()} {
				s := Enter(ctx, Contexts(DepthContext))
				Observe(ctx, "depths before the first write", "%v", s.Map(DepthContext, 0, min(s.Size, MostMapped)))

				s.Write(at, Pattern(7, b))

				Expect(s.At(DepthContext, at)).To(Equal(uint64(1)), "depth-1-where-written", at)
			}
		})
})
