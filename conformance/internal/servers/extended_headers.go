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

var _ = Describe("NBD_OPT_EXTENDED_HEADERS", func() {
	// "a server SHOULD support this option even if structured replies are not negotiated"
	It("is not granted behind structured replies alone", ID("extended.alone"),
		SHOULD("opt.extended-headers.alone"),
		Needs(feature.StructuredReply), Without(feature.ExtendedHeaders),
		TrippedBy(quirk.ExtendedNeedsStructured, "got NBD_REP_ACK"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			Expect(s.Option(wire.OptExtendedHeaders, nil)).To(BeAnsweredWithError())
		})

	// "the server SHOULD reject a request that includes data with NBD_REP_ERR_INVALID"
	It("with data is refused with NBD_REP_ERR_INVALID", ID("extended.data"),
		SHOULD("opt.extended-headers.data-invalid"),
		Needs(feature.ExtendedHeaders), Provokes("opt.extended-headers.no-data"),
		TrippedBy(quirk.ExtendedDataAccepted, "want the final reply NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.Option(wire.OptExtendedHeaders, Bytes("please"))

			Expect(a).To(BeAnsweredOrEnd(wire.RepErrInvalid))
			if a.End == Complete {
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// "the server MUST use the 32-byte extended reply header"
	It("makes the server answer reads by extended replies", ID("extended.effect"),
		MUST("trans.extended.reply", "trans.extended.no-simple", "layout.extended-reply"),
		Needs(feature.ExtendedHeaders),
		TrippedBy(quirk.ExtendedStructured, "trans.extended.reply"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Enter(ctx, ExtendedHeaders)

			Expect(s.Do(ReadOf(0, b))).To(BeReply(AsChunks(), WithLength(b)))
		})

	// "A client MAY request structured replies first", and "this option takes precedence over
	// structured replies"
	It("takes precedence over structured replies that came before", ID("extended.after-structured"),
		MUST("trans.extended.reply", "trans.extended.no-simple"),
		Needs(feature.ExtendedHeaders, feature.StructuredReply),
		TrippedBy(quirk.ExtendedAfterStructuredIgnored, "the server ended the connection"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Haggle(ctx)
			s.Structured()
			s.Extended()
			s.EnterFrom()

			Expect(s.Do(ReadOf(0, b))).To(BeReply(AsChunks(), WithLength(b)))
		})

	// "NBD_REP_ERR_EXT_HEADER_REQD: The client has already successfully negotiated extended
	// headers, which takes precedence over this option."
	It("takes precedence over structured replies that come after it", ID("extended.before-structured"),
		MUST("trans.extended.reply", "trans.extended.no-simple", "rep.err-ext-header-reqd.use"),
		Needs(feature.ExtendedHeaders, feature.StructuredReply),
		TrippedBy(quirk.ExtendedDowngraded, "the server ended the connection"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := Haggle(ctx)
			s.Extended()

			a := s.Option(wire.OptStructuredReply, nil)

			Observe(ctx, "NBD_OPT_STRUCTURED_REPLY after NBD_OPT_EXTENDED_HEADERS", "%v", a.Type())
			Expect(s.InStep()).To(BeInStep())
			s.EnterFrom()
			Expect(s.Do(ReadOf(0, b))).To(BeReply(AsChunks(), WithLength(b)))
		})

	// "if the server has acknowledged a client's request for NBD_OPT_EXTENDED_HEADERS, the
	// server MUST NOT fail NBD_OPT_GO with NBD_REP_ERR_UNSUP"
	It("comes with NBD_OPT_GO", ID("extended.go"),
		MUST("opt.info.extended.unsup"),
		Needs(feature.ExtendedHeaders),
		TrippedBy(quirk.ExtendedGoUnsupported, "NBD_REP_ERR_UNSUP"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Extended()

			a := s.Go(wire.InfoBlockSize)

			Expect(a).NotTo(BeAnswered(wire.RepErrUnsup))
		})

	// "a server MAY fail with that error [NBD_REP_ERR_BLOCK_SIZE_REQD] for a later NBD_OPT_GO
	// without a client request for NBD_INFO_BLOCK_SIZE"
	It("may take a request for size constraints", ID("extended.go.sizes"),
		MAY("opt.extended-headers.block-size-reqd"),
		Needs(feature.ExtendedHeaders),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Extended()

			a := s.Go()

			Expect(a).To(BeAnswered(wire.RepAck, wire.RepErrBlockSizeReqd))
			Observe(ctx, "NBD_OPT_GO without NBD_INFO_BLOCK_SIZE after NBD_OPT_EXTENDED_HEADERS", "%v", a.Type())
		})

	// "a client that has used NBD_OPT_EXTENDED_HEADERS to negotiate extended headers MUST NOT
	// use this option": what a server makes of it is its own affair.
	It("leaves the server alive where NBD_OPT_EXPORT_NAME follows", ID("extended.export-name"),
		MAY("opt.export-name.extended"),
		Needs(feature.ExtendedHeaders), Provokes("opt.export-name.extended"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Extended()

			_, h := s.ExportName(FactsOf(ctx).Export)

			Observe(ctx, "NBD_OPT_EXPORT_NAME after NBD_OPT_EXTENDED_HEADERS", "%v", h.End)
			s.Close()
		})

	// "either structured replies or extended headers MUST be negotiated first"
	It("suffices to select metadata contexts", ID("extended.select"),
		MUST("opt.set-meta.reply"),
		Needs(feature.ExtendedHeaders, feature.BaseAllocation),
		TrippedBy(quirk.ExtendedSelectionRefused, "NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Extended()

			a := s.Option(wire.OptSetMetaContext,
				wire.MetaContextRequest{Export: FactsOf(ctx).Export, Queries: []string{"base:allocation"}})

			Expect(a).To(BeAnswered(wire.RepAck))
			Expect(a.Contexts()).To(HaveLen(1), "shown", a)
		})

	// "nor may the server use this failure mode when the client has already negotiated extended
	// headers"
	It("is not asked for again", ID("extended.not-again"),
		MUST("opt.list-meta.extended.negotiated", "rep.err-ext-header-reqd.use"),
		Needs(feature.ExtendedHeaders, feature.MetaContext),
		TrippedBy(quirk.ExtendedListAsksAgain, "opt.list-meta.extended.negotiated"),
		TrippedBy(quirk.ExtendedInfoAsksAgain, "rep.err-ext-header-reqd.use"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Extended()
			export := FactsOf(ctx).Export
			for _, queries := range [][]string{nil, {"base:"}} {
				a := s.Option(wire.OptListMetaContext, wire.MetaContextRequest{Export: export, Queries: queries})
				Expect(a).NotTo(BeAnswered(wire.RepErrExtHeaderReqd))
			}

			a := s.Option(wire.OptInfo, wire.InfoRequest{Export: export, Infos: []wire.InfoType{wire.InfoBlockSize}})

			Expect(a).NotTo(BeAnswered(wire.RepErrExtHeaderReqd))
		})

	// "When this command succeeds, the server MUST NOT preserve any negotiation state (such as a
	// request for [...] NBD_OPT_EXTENDED_HEADERS [...])"
	It("is forgotten when TLS starts", ID("extended.starttls"),
		MUST("opt.starttls.forget-state"),
		Needs(feature.ExtendedHeaders, feature.StartTLS), Without(feature.ForcedTLS),
		Provokes("opt.starttls.defer-stateful"),
		TrippedBy(quirk.TLSStateKept, "the server ended the connection"),
		func(ctx context.Context) {
			b := Room(ctx, 1)
			s := HaggleInClear(ctx)
			s.Extended()
			s.Secure()
			s.EnterFrom()

			Expect(s.Do(ReadOf(0, b))).To(BeReply(AsSimpleReply(), WithLength(b)))
		})
})

var _ = Describe("Without extended headers the base namespace", func() {
	// "a server MUST NOT use this failure mode when the response is limited to the "base:"
	// namespace"
	It("is listed", ID("narrow.list"),
		MUST("opt.list-meta.extended.base"),
		Needs(feature.MetaContext),
		TrippedBy(quirk.ListNeedsExtended, "opt.list-meta.extended.base"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			for _, query := range []string{"base:", "base:allocation"} {
				a := s.Option(wire.OptListMetaContext,
					wire.MetaContextRequest{Export: FactsOf(ctx).Export, Queries: []string{query}})

				Expect(a).NotTo(BeAnswered(wire.RepErrExtHeaderReqd))
			}
		})

	// "The server MUST NOT use this failure for a client request that is limited to contexts in
	// the "base:" namespace."
	It("can be selected from", ID("narrow.select"),
		MUST("opt.set-meta.extended.base"),
		Needs(feature.StructuredReply),
		TrippedBy(quirk.SelectionNeedsExtended, "opt.set-meta.extended.base"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.Option(wire.OptSetMetaContext,
				wire.MetaContextRequest{Export: FactsOf(ctx).Export, Queries: []string{"base:allocation"}})

			Expect(a).NotTo(BeAnswered(wire.RepErrExtHeaderReqd))
		})
})
