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

var _ = Describe("NBD_INFO_BLOCK_SIZE", func() {
	// "The server MUST NOT send this error if size constraints were requested with NBD_INFO_BLOCK_SIZE with
	// the NBD_OPT_INFO or NBD_OPT_GO request."
	It("is not demanded of a client that requests it", ID("block-size.requested"),
		MUST("opt.info.block-size-reqd.requested"),
		TrippedBy(quirk.BlockSizeReqdThoughRequested, "opt.info.block-size-reqd.requested"),
		func(ctx context.Context) {
			for _, infos := range [][]wire.InfoType{{wire.InfoBlockSize}, {0x7777, wire.InfoName, wire.InfoBlockSize}} {
				for _, o := range []wire.Option{wire.OptInfo, wire.OptGo} {
					a := Haggle(ctx).Option(o, about(ctx, infos...))

					Expect(a.Type()).NotTo(Equal(wire.RepErrBlockSizeReqd), "requesting", infos, a)
				}
			}
		})

	// "The server SHOULD NOT send this error if it is using default size constraints or size constraints
	// negotiated out of band."
	It("is not demanded where the constraints are the default ones", ID("block-size.default"),
		SHOULD("opt.info.block-size-reqd.default", "size.refuse.default"),
		TrippedBy(quirk.BlockSizeReqdByDefault, "NBD_REP_ERR_BLOCK_SIZE_REQD"),
		func(ctx context.Context) {
			if FactsOf(ctx).Constraints != wire.DefaultSizeConstraints {
				verdict.Unsupported("constraints-own", FactsOf(ctx).Constraints)
			}
			for _, o := range []wire.Option{wire.OptInfo, wire.OptGo} {
				a := Haggle(ctx).Option(o, about(ctx))

				Expect(a.Type()).NotTo(Equal(wire.RepErrBlockSizeReqd), "shown", a)
			}
		})

	// "A server sending an NBD_REP_ERR_BLOCK_SIZE_REQD error SHOULD ensure it first sends an
	// NBD_INFO_BLOCK_SIZE information reply"
	It("comes ahead of NBD_REP_ERR_BLOCK_SIZE_REQD", ID("block-size.told"),
		SHOULD("opt.info.block-size-reqd.info-first"),
		TrippedBy(quirk.BlockSizeReqdUntold, "opt.info.block-size-reqd.info-first"),
		func(ctx context.Context) {
			a := Haggle(ctx).Option(wire.OptGo, about(ctx))

			Observe(ctx, "NBD_OPT_GO without NBD_INFO_BLOCK_SIZE", "%s", a.Summary())
			if a.Type() != wire.RepErrBlockSizeReqd {
				verdict.Unsupported("constraints-not-demanded", a)
			}
			Expect(a.Infos()).To(ContainElement(HaveField("Type", wire.InfoBlockSize)), "block-size-first")
		})

	// "If advertised, this value MUST be a power of 2, MUST NOT be larger than 2^16"; "this MUST be a power of
	// 2 at least as large as the maximum of the minimum block size and 2^9"; "MUST be at least as large as the
	// preferred block size"; "The length MUST be 14"
	It("has constraints that fit each other", ID("block-size.values"),
		MUST("rep.info-block-size.length", "size.minimum.power-of-2", "size.minimum.max", "size.preferred.power-of-2",
			"size.preferred.min", "size.max-payload.preferred"),
		Needs(feature.BlockSize),
		TrippedBy(quirk.InfoBlockSizeShort, "rep.info-block-size.length"),
		TrippedBy(quirk.BlockSizeMinimumOdd, "1000 is no power of 2"),
		TrippedBy(quirk.BlockSizeMinimumLarge, "131072 is larger than 65536"),
		TrippedBy(quirk.BlockSizePreferredOdd, "5000 is no power of 2"),
		TrippedBy(quirk.BlockSizePreferredSmall, "256 is smaller than 512"),
		TrippedBy(quirk.BlockSizeMaximumTiny, "is smaller than the preferred block size"),
		func(ctx context.Context) {
			a := Haggle(ctx).Option(wire.OptInfo, about(ctx, wire.InfoBlockSize))

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck)...))
		})

	// "the advertised export size SHOULD be an integer multiple of that block size"; the maximum payload
	// "SHOULD be at least 2^20 (1,048,576) if the export is that large"
	It("has constraints that fit the export", ID("block-size.export"),
		SHOULD("size.minimum.export-size", "size.max-payload.min"),
		Needs(feature.BlockSize),
		TrippedBy(quirk.BlockSizeNotAFactor, "is no multiple of the minimum block size"),
		TrippedBy(quirk.BlockSizeMaximumSmall, "the maximum payload size is 65536"),
		func(ctx context.Context) {
			a := Haggle(ctx).Option(wire.OptInfo, about(ctx, wire.InfoBlockSize))

			Expect(a).To(BeAnswered(FactsOf(ctx).OrRefusal(wire.RepAck)...))
		})

	// "The server MUST send this info if it is requested and it intends to enforce size constraints other than
	// the defaults."
	It("is sent by a server that refuses unaligned reads", ID("block-size.enforced"),
		MUST("rep.info-block-size.enforced", "size.server.advertise.required"),
		AtLeast(3),
		TrippedBy(quirk.BlockSizeUntold, "want success"),
		func(ctx context.Context) {
			s := Enter(ctx)
			for _, i := range s.Infos {
				if i.Type == wire.InfoBlockSize {
					verdict.Unsupported("block-size-sent")
				}
			}

			r := s.Do(wire.Request{Type: wire.CmdRead, Offset: 1, Length: 1})

			Expect(r).To(BeReply(WithError(wire.OK)), "success-without-block-size")
		})
})
