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

var _ = Describe("In FORCEDTLS mode the server", func() {
	// "If the server receives any other option, including NBD_OPT_INFO and unsupported options, it MUST reply
	// with NBD_REP_ERR_TLS_REQD if TLS has not been initiated"
	It("answers options in the clear by NBD_REP_ERR_TLS_REQD", ID("tls.forced.options"),
		MUST("tls.forced.other-options", "tls.mode.consistent"),
		Needs(feature.ForcedTLS),
		TrippedBy(quirk.ForcedTLSAnswersList, "want the final reply NBD_REP_ERR_TLS_REQD"),
		TrippedBy(quirk.ForcedTLSUnknownUnsup, "want the final reply NBD_REP_ERR_TLS_REQD"),
		func(ctx context.Context) {
			s := HaggleInClear(ctx)

			for _, q := range inNoMode {
				Expect(s.Option(q.option, q.data)).To(BeAnswered(wire.RepErrTLSReqd), "case.for", q.option)
			}
		})

	// "If the server receives a request to enter transmission mode via NBD_OPT_GO when TLS has not been
	// initiated, it MUST error with NBD_REP_ERR_TLS_REQD", and "a FORCEDTLS server MUST NOT send NBD_REP_INFO
	// replies".
	It("tells nothing of an export in the clear", ID("tls.forced.info"),
		MUST("tls.forced.go", "tls.forced.other-options", "opt.info.forced-tls.no-info"),
		Needs(feature.ForcedTLS),
		TrippedBy(quirk.ForcedTLSInformative, "want NBD_REP_ERR_TLS_REQD and nothing before it"),
		func(ctx context.Context) {
			s := HaggleInClear(ctx)
			q := wire.InfoRequest{Export: FactsOf(ctx).Export, Infos: []wire.InfoType{wire.InfoName}}

			for _, o := range []wire.Option{wire.OptInfo, wire.OptGo} {
				a := s.Option(o, q)

				Expect(a).To(BeAnswered(wire.RepErrTLSReqd))
				Expect(a.Replies).To(HaveLen(1), "tls-reqd-alone", a)
			}
		})

	// "If the server receives a request to enter transmission mode via NBD_OPT_EXPORT_NAME when TLS has not
	// been initiated, then as this request cannot error, it MUST terminate the session."
	It("ends the session on NBD_OPT_EXPORT_NAME in the clear", ID("tls.forced.export-name"),
		MUST("tls.forced.export-name", "opt.export-name.requirements"),
		Needs(feature.ForcedTLS),
		TrippedBy(quirk.ForcedTLSExportNameServed, "want the end of the session"),
		func(ctx context.Context) {
			s := HaggleInClear(ctx)

			_, h := s.ExportName(FactsOf(ctx).Export)

			Expect(h.End).To(Equal(HungUp), "ended", h)
		})

	// "by erroring any NBD options other than NBD_OPT_STARTTLS or NBD_OPT_ABORT with NBD_REP_ERR_TLS_REQD": the
	// other sentence on the matter does not exempt NBD_OPT_ABORT.
	It("answers NBD_OPT_ABORT in the clear one way or the other", ID("tls.forced.abort"),
		MAY("tls.forced.abort"),
		Needs(feature.ForcedTLS),
		func(ctx context.Context) {
			a := HaggleInClear(ctx).Option(wire.OptAbort, nil)

			Expect(a).To(BeAnsweredOrEnd(wire.RepAck, wire.RepErrTLSReqd))
			Observe(ctx, "NBD_OPT_ABORT before TLS in FORCEDTLS mode", "%v", a.Summary())
		})
})

var _ = Describe("In SELECTIVETLS mode the server", func() {
	// "If the server receives NBD_OPT_INFO or NBD_OPT_GO and TLS has not been initiated, it ... MUST reply with
	// NBD_REP_ERR_TLS_REQD if that export is TLS-only."
	It("keeps a TLS-only export from NBD_OPT_INFO and NBD_OPT_GO in the clear", ID("tls.selective.go"),
		MUST("tls.selective.go", "tls.selective.info"),
		Needs(feature.TLSOnlyExport),
		TrippedBy(quirk.SelectiveTLSInfoPolicy, "want the final reply NBD_REP_ERR_TLS_REQD"),
		TrippedBy(quirk.SelectiveTLSGoServed, "want the final reply NBD_REP_ERR_TLS_REQD"),
		func(ctx context.Context) {
			s := HaggleInClear(ctx)
			q := wire.InfoRequest{Export: FactsOf(ctx).TLSOnly, Infos: []wire.InfoType{wire.InfoBlockSize}}

			for _, o := range []wire.Option{wire.OptInfo, wire.OptGo} {
				Expect(s.Option(o, q)).To(BeAnswered(wire.RepErrTLSReqd))
			}
		})

	// "If the server receives a request to enter transmission mode via NBD_OPT_EXPORT_NAME on a TLS-only export
	// when TLS has not been initiated, then as this request cannot error, it MUST terminate the session."
	It("ends the session on NBD_OPT_EXPORT_NAME for a TLS-only export in the clear", ID("tls.selective.export-name"),
		MUST("tls.selective.export-name", "opt.export-name.requirements"),
		Needs(feature.TLSOnlyExport),
		TrippedBy(quirk.SelectiveTLSExportNameServed, "want the end of the session"),
		func(ctx context.Context) {
			s := HaggleInClear(ctx)

			_, h := s.ExportName(FactsOf(ctx).TLSOnly)

			Expect(h.End).To(Equal(HungUp), "ended", h)
		})

	// "The server MUST NOT send NBD_REP_ERR_TLS_REQD in response to any option other than NBD_OPT_INFO,
	// NBD_OPT_GO and NBD_OPT_EXPORT_NAME, and only in those cases in respect of a TLS-only or non-existent
	// export."
	It("asks for TLS for nothing but exports", ID("tls.selective.other-options"),
		MUST("tls.selective.tls-reqd.other-options", "tls.mode.consistent"),
		Needs(feature.StartTLS), Without(feature.ForcedTLS),
		TrippedBy(quirk.SelectiveTLSStructuredReqd, "want anything but NBD_REP_ERR_TLS_REQD"),
		func(ctx context.Context) {
			s := HaggleInClear(ctx)

			for _, o := range []wire.Option{wire.OptList, UnknownOption, wire.OptStructuredReply} {
				a := s.Option(o, nil)

				Expect(a.End).To(Equal(Complete), "answer", a)
				Expect(a.Type()).NotTo(Equal(wire.RepErrTLSReqd), "not-tls-reqd", a)
			}
		})

	// "and only in those cases in respect of a TLS-only or non-existent export": one that is served in the
	// clear is neither.
	It("asks for TLS for no export that it serves without", ID("tls.selective.plain"),
		MUST("tls.selective.tls-reqd.plain"),
		Needs(feature.StartTLS), Without(feature.ForcedTLS),
		TrippedBy(quirk.SelectiveTLSFickle, "want anything but NBD_REP_ERR_TLS_REQD"),
		func(ctx context.Context) {
			q := wire.InfoRequest{Export: FactsOf(ctx).Export, Infos: []wire.InfoType{wire.InfoBlockSize}}
			s := HaggleInClear(ctx)
			if served := s.Option(wire.OptGo, q); served.Type() != wire.RepAck {
				verdict.Unsupported("needs-plaintext-export", served)
			}
			s.Leave()

			for _, o := range []wire.Option{wire.OptInfo, wire.OptGo} {
				a := HaggleInClear(ctx).Option(o, q)

				Expect(a.Type()).NotTo(Equal(wire.RepErrTLSReqd), "not-tls-reqd", a)
			}
		})

	// "A SELECTIVETLS server that chooses to hide unknown exports in this manner SHOULD NOT send NBD_REP_INFO
	// replies for a TLS-only export."
	It("describes no TLS-only export if it hides which exports there are", ID("tls.selective.hide-info"),
		SHOULD("opt.info.hide-unknown.no-info"),
		Needs(feature.TLSOnlyExport),
		TrippedBy(quirk.SelectiveTLSHalfHidden, "want no NBD_REP_INFO"),
		func(ctx context.Context) {
			missing := MissingExport(ctx)
			if a := HaggleInClear(ctx).Option(wire.OptInfo, wire.InfoRequest{Export: missing}); a.Type() != wire.RepErrTLSReqd {
				verdict.Unsupported("needs-hidden-exports", a)
			}

			for _, o := range []wire.Option{wire.OptInfo, wire.OptGo} {
				a := HaggleInClear(ctx).Option(o, wire.InfoRequest{Export: FactsOf(ctx).TLSOnly})

				Expect(a.Infos()).To(BeEmpty(), "no-info", a)
			}
		})

	// "it MAY reply with NBD_REP_ERR_TLS_REQD if that export is non-existent"
	It("may hide in the clear that an export does not exist", ID("tls.selective.missing"),
		MAY("tls.selective.unknown.info"),
		Needs(feature.StartTLS, feature.Info), Without(feature.ForcedTLS),
		func(ctx context.Context) {
			missing := MissingExport(ctx)

			a := HaggleInClear(ctx).Option(wire.OptInfo, wire.InfoRequest{Export: missing})

			Expect(a).To(BeAnsweredWithError())
			Observe(ctx, "missing export before TLS in SELECTIVETLS mode", "%v", a.Summary())
		})
})
