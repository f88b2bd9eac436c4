package servers

import (
	"context"
	"slices"
	"strings"

	. "github.com/onsi/ginkgo/v2"

	"nbdconform/conformance/feature"
	. "nbdconform/conformance/internal/expect"
	. "nbdconform/conformance/internal/match"
	. "nbdconform/conformance/internal/session"
	. "nbdconform/conformance/internal/spec"
	quirk "nbdconform/reference/quirk/server"
	"nbdconform/reference/wire"
)

var _ = Describe("NBD_OPT_SET_META_CONTEXT", func() {
	// "Otherwise the server MUST reply with a number of NBD_REP_META_CONTEXT replies, one for
	// each selected metadata context, each with a unique metadata context ID, followed by
	// NBD_REP_ACK."
	It("selects each context once, with an id of its own", ID("set-meta.unique-ids"),
		MUST("opt.set-meta.unique-ids", "opt.set-meta.reply"), Needs(feature.MetaContext),
		TrippedBy(quirk.SetMetaSameIDs, "the ID 1 stands for"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			names := s.SeveralOffers()

			a := s.SetContexts(names...)

			Expect(a).To(BeAnswered(wire.RepAck, wire.RepErrTooBig))
		})

	// "one for each selected metadata context": a context that two queries name is one context.
	It("selects a context once that is asked for twice", ID("set-meta.duplicate"),
		MUST("opt.set-meta.reply", "opt.set-meta.unique-ids"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.SetMetaTwice, `got ["base:allocation" "base:allocation"]`),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.SetContexts("base:allocation", "base:allocation")

			Expect(a).To(HaveOnlyContextsOr(wire.RepErrTooBig, "base:allocation"))
		})

	// "If zero queries are sent, the server MUST select no metadata contexts." And "It is not
	// an error if a NBD_OPT_SET_META_CONTEXT option does not select any metadata context".
	It("selects nothing where no query is sent", ID("set-meta.zero-queries"),
		MUST("opt.set-meta.zero-queries"), Needs(feature.MetaContext),
		TrippedBy(quirk.SetMetaZeroQueriesSelects, "although there is no query"),
		TrippedBy(quirk.SetMetaZeroQueriesInvalid, "want NBD_REP_ACK alone"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.SetContexts()

			Expect(a).To(HaveOnlyContexts())
		})

	// "base: - the server MUST ignore this form during NBD_OPT_SET_META_CONTEXT"
	It("ignores the query base:", ID("set-meta.base-wildcard"),
		MUST("meta.base.wildcard.set"), Needs(feature.MetaContext),
		TrippedBy(quirk.SetMetaWildcardSelects, `is selected by the query "base:"`),
		TrippedBy(quirk.SetMetaWildcardInvalid, "want NBD_REP_ACK alone"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.SetContexts("base:")

			Expect(a).To(HaveOnlyContexts())
		})

	// "If a [leaf-name] requested by the client is not recognized, the server MUST ignore it
	// rather than report an error."
	It("ignores unknown leaf-names of base", ID("set-meta.unknown-leaf"),
		MUST("meta.base.unknown-leaf.set"), Needs(feature.MetaContext),
		TrippedBy(quirk.SetMetaUnknownLeafRejected, "want NBD_REP_ACK alone"),
		TrippedBy(quirk.SetMetaUnknownLeafGranted, "want NBD_REP_ACK alone"),
		TrippedBy(quirk.SetMetaPrefix, "is selected"),
		func(ctx context.Context) {
			for _, query := range []string{
				"base:nbdconform-absent", "base:alloc", "base:allocations", "base:Allocation", "base:allocation:", "base: allocation",
			} {
				s := Haggle(ctx)
				s.Structured()

				a := s.SetContexts(query)

				Expect(a).To(HaveOnlyContexts(), "case.query", query)
			}
		})

	// "However, the server MUST ignore query strings belonging to an unknown namespace", which
	// stands under NBD_OPT_LIST_META_CONTEXT and speaks of both.
	It("ignores queries in an unknown namespace", ID("set-meta.unknown-namespace"),
		SHOULD("opt.set-meta.unknown-namespace"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.SetMetaUnknownNamespaceRejected, "want NBD_REP_ACK behind the contexts"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.SetContexts("x-nbdconform-absent:allocation", "base:allocation", "x-nbdconform-absent:base:allocation")

			Expect(a).To(HaveOnlyContextsOr(wire.RepErrTooBig, "base:allocation"))
		})

	// "the empty leaf-name makes sense as a wildcard for a client query during
	// NBD_OPT_LIST_META_CONTEXT, but SHOULD NOT select any contexts during
	// NBD_OPT_SET_META_CONTEXT"
	It("selects nothing for a namespace without a leaf-name", ID("set-meta.empty-leaf"),
		SHOULD("meta.query.empty-leaf"), Needs(feature.MetaContext),
		TrippedBy(quirk.SetMetaEmptyLeafSelects, "is selected by a query without a leaf-name"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			for _, name := range s.SeveralOffers() {
				namespace, _, _ := strings.Cut(name, ":")

				a := s.SetContexts(namespace + ":")

				Expect(a).To(HaveNoContextsOrFail(), "case.query", namespace+":")
			}
		})

	// "The server MAY return NBD_REP_ERR_TOO_BIG if a request seeks to select too many
	// contexts. Otherwise the server MUST reply with a number of NBD_REP_META_CONTEXT replies"
	It("looks at every one of several queries", ID("set-meta.many"),
		MUST("opt.set-meta.reply"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.MetaFirstQueryOnly, "want NBD_REP_ACK behind the contexts"),
		func(ctx context.Context) {
			for _, queries := range [][]string{
				{"base:", "base:nbdconform-absent", "base:allocation"},
				append(slices.Repeat([]string{"base:nbdconform-absent"}, 15), "base:allocation"),
				append(slices.Repeat([]string{"base:nbdconform-absent"}, 99), "base:allocation"),
			} {
				s := Haggle(ctx)
				s.Structured()

				a := s.SetContexts(queries...)

				Expect(a).To(HaveOnlyContextsOr(wire.RepErrTooBig, "base:allocation"), "case.queries", len(queries))
				Expect(s.InStep()).To(BeInStep())
				Observe(ctx, "selection by many queries", "%d: %v", len(queries), a.Type())
			}
		})

	// "This option MUST NOT be requested unless structured replies have been negotiated
	// first. If a client attempts to do so, a server SHOULD send NBD_REP_ERR_INVALID."
	It("insists on structured replies", ID("set-meta.without-structured"),
		SHOULD("opt.set-meta.without-structured"), Needs(feature.MetaContext),
		Provokes("opt.set-meta.needs-structured"),
		TrippedBy(quirk.SetMetaWithoutStructuredAccepted, "NBD_REP_ERR_INVALID is due"),
		TrippedBy(quirk.SetMetaWithoutStructuredPolicy, "want the final reply NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.SetContexts("base:allocation")

			Expect(a).To(BeAnsweredOrEnd(wire.RepErrInvalid))
			if a.End == Complete {
				Expect(s.InStep()).To(BeInStep())
			}
		})

	// "The requested export is not available."
	It("answers for an export that it does not have", ID("set-meta.unknown-export"),
		MAY("opt.set-meta.reply"), Needs(feature.MetaContext),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.Option(wire.OptSetMetaContext, wire.MetaContextRequest{Export: noExport, Queries: []string{"base:allocation"}})

			Expect(a).To(BeAnsweredOrError())
			Expect(s.InStep()).To(BeInStep())
			Observe(ctx, "selection for an unknown export", "%v and %d contexts", a.Type(), len(a.Contexts()))
		})

	// "The server MAY ignore queries that do not select a single metadata context"; where it
	// does not, only the namespace knows what they mean.
	It("selects by name whatever else it lists", ID("set-meta.listed"),
		MAY("opt.set-meta.ignore-query"), Needs(feature.MetaContext),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			names := s.Offers()

			a := s.SetContexts(names...)

			Expect(a).To(BeAnsweredOrError())
			Observe(ctx, "contexts", "%q are listed, %q are selected by these names", names, a.Names())
		})
})
