package servers

import (
	"context"
	"fmt"
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

var _ = Describe("NBD_OPT_LIST_META_CONTEXT", func() {
	// "If zero queries are sent, then the server MUST return all the metadata contexts that
	// are available to the client to select on the given export." For a namespace it may
	// send "sufficient context records", such as 'base:', in their stead.
	It("lists base:allocation, or its namespace, where no query is sent", ID("list-meta.zero-queries"),
		MUST("opt.list-meta.zero-queries"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.ListMetaZeroQueriesEmpty, "want NBD_REP_ACK behind base:allocation"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.FindContexts()

			if a.Type() == wire.RepErrTooBig {
				verdict.Blocked("opt.list-meta.zero-queries.too-big", "listing-all-metadata-contexts", a)
			}
			Expect(a).To(ListBaseAllocation())
		})

	// "In this case, the server SHOULD NOT fail with NBD_REP_ERR_TOO_BIG."
	It("does not find the list of all contexts too big", ID("list-meta.zero-queries.too-big"),
		SHOULD("opt.list-meta.zero-queries.too-big"), Needs(feature.MetaContext),
		TrippedBy(quirk.ListMetaZeroQueriesTooBig, "NBD_REP_ERR_TOO_BIG answers a request without queries"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.FindContexts()

			Expect(a).To(BeAnswered(wire.RepAck))
		})

	// "each namespace returned MUST begin with the relevant namespace, followed by a colon",
	// "Namespaces MUST be consist of one of the following", "it MUST be valid UTF-8 data"
	It("gives each context an id and a name of a known namespace", ID("list-meta.names"),
		MUST("opt.list-meta.name-form", "meta.name.syntax", "meta.name.string", "meta.name.namespace",
			"rep.meta-context.utf8", "layout.rep.meta-context"),
		Needs(feature.MetaContext),
		TrippedBy(quirk.ListMetaWithoutColon, "does not start with a namespace and a colon"),
		TrippedBy(quirk.SetMetaUnregisteredNamespace, `the namespace "acme"`),
		TrippedBy(quirk.MetaContextShort, "at least 4 are due"),
		TrippedBy(quirk.MetaNameLatin1, "want names that are strings"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.FindContexts()

			Expect(a).To(BeAnswered(wire.RepAck))
			for _, c := range a.Contexts() {
				Expect(wire.ValidateString("the name", c.Name)).To(Succeed(), "names-are-strings", c.Name)
			}
		})

	// "The metadata context ID in these replies is reserved and SHOULD be set to zero"
	It("leaves the context id zero", ID("list-meta.id-zero"),
		SHOULD("opt.list-meta.id-zero"), Needs(feature.MetaContext),
		TrippedBy(quirk.ListMetaWithID, "the context ID in a list should be 0 and is 7"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.FindContexts()

			for _, c := range a.Contexts() {
				Expect(c.ID).To(BeZero(), "listed-context-id-zero", a)
			}
		})

	// "If one or more queries are sent, then the server MUST return those metadata contexts
	// that are available to the client to select on the given export with
	// NBD_OPT_SET_META_CONTEXT, and which match one or more of the queries given."
	It("finds base:allocation by its name", ID("list-meta.by-name"),
		MUST("opt.list-meta.queries"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.ListMetaFindsNothing, "want NBD_REP_ACK behind base:allocation"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.FindContexts("base:allocation")

			Expect(a).To(ListBaseAllocation())
		})

	// "the server MUST return those metadata contexts that are available to the client to
	// select on the given export with NBD_OPT_SET_META_CONTEXT"
	It("lists base:allocation only if it can be selected", ID("list-meta.selectable"),
		MUST("opt.list-meta.queries", "opt.set-meta.reply"), Needs(feature.MetaContext),
		TrippedBy(quirk.SetMetaUntold, "want NBD_REP_ACK behind the contexts"),
		TrippedBy(quirk.SetMetaNever, "want NBD_REP_ACK behind the contexts"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			listed := s.FindContexts("base:allocation")

			a := s.SetContexts("base:allocation")

			switch {
			case listed.Type() != wire.RepAck:
				verdict.Blocked("opt.list-meta.queries", "listing-base-allocation", listed)
			case len(listed.Contexts()) == 0:
				Expect(a).To(HaveOnlyContexts(), "case.unlisted-context")
			case slices.Contains(listed.Names(), "base:allocation"):
				Expect(a).To(HaveOnlyContexts("base:allocation"))
			}
		})

	// "base: - the server [...] MUST support this as a wildcard during
	// NBD_OPT_LIST_META_CONTEXT, in which case the server's reply will contain a response
	// for each supported metadata context within the base: namespace"
	It("takes the query base: as a wildcard", ID("list-meta.base-wildcard"),
		MUST("meta.base.wildcard.list"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.ListMetaWithoutWildcard, `"base:allocation" is missing`),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.FindContexts("base:")

			Expect(a).To(HaveContexts("base:allocation"))
		})

	// "and which match one or more of the queries given"
	It("lists nothing that no query asks for", ID("list-meta.only-matches"),
		MUST("opt.list-meta.queries"), Needs(feature.MetaContext),
		TrippedBy(quirk.ListMetaEverything, "matches none of the queries"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			for _, query := range []string{"base:", "base:allocation", "x-nbdconform-absent:", "qemu:", "nbd-server:"} {
				Expect(s.FindContexts(query)).To(BeAnsweredOrError(), "case.query", query)
			}
		})

	// "the server MUST ignore query strings belonging to an unknown namespace"
	It("ignores queries in an unknown namespace", ID("list-meta.unknown-namespace"),
		MUST("opt.list-meta.unknown-namespace"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.ListMetaUnknownNamespaceRejected, "want NBD_REP_ACK behind base:allocation"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.FindContexts("x-nbdconform-absent:", "base:allocation", "x-nbdconform-absent:leaf")

			Expect(a).To(ListBaseAllocation(wire.RepErrTooBig))
		})

	// "If none of the query strings find any metadata contexts, the server MUST send a
	// single reply of type NBD_REP_ACK."
	It("answers with NBD_REP_ACK alone if nothing is found", ID("list-meta.none-found"),
		MUST("opt.list-meta.none-found"), Needs(feature.MetaContext),
		TrippedBy(quirk.ListMetaNoneFoundError, "want NBD_REP_ACK alone"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.FindContexts("x-nbdconform-absent:leaf")

			Expect(a).To(HaveOnlyContexts())
		})

	// "If a [leaf-name] requested by the client is not recognized, the server MUST ignore it
	// rather than report an error", yet a request is semantically invalid that uses "a leaf
	// name that is invalid for a known namespace", and then "the server MAY fail the request
	// with NBD_REP_ERR_INVALID".
	It("ignores or rejects an unknown leaf-name of base", ID("list-meta.unknown-leaf"),
		MAY("opt.list-meta.invalid"), Needs(feature.MetaContext),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.FindContexts("base:nbdconform-absent")

			Expect(a).To(HaveOnlyContextsOr(wire.RepErrInvalid))
			Expect(s.InStep()).To(BeInStep())
			Observe(ctx, "list of an unknown leaf-name of base", "%v", a.Type())
		})

	// "If one or more queries are sent, then the server MUST return those metadata contexts
	// [...] which match one or more of the queries given. [...] the server MAY fail with
	// NBD_REP_ERR_TOO_BIG if too many queries are requested."
	It("looks at every one of many queries", ID("list-meta.many"),
		MUST("opt.list-meta.queries"), Needs(feature.BaseAllocation),
		TrippedBy(quirk.MetaFirstQueryOnly, "want NBD_REP_ACK behind base:allocation"),
		func(ctx context.Context) {
			for _, n := range []int{2, 16, 100} {
				s := Haggle(ctx)
				s.Structured()

				a := s.FindContexts(manyQueries(n)...)

				Expect(a).To(ListBaseAllocation(wire.RepErrTooBig), "case.queries", n)
				Expect(s.InStep()).To(BeInStep())
				Observe(ctx, "list for many queries", "%d: %v", n, a.Type())
			}
		})

	// "This option SHOULD NOT be requested unless structured replies have been negotiated
	// first. If a client attempts to do so, a server MAY send NBD_REP_ERR_INVALID."
	It("may insist on structured replies", ID("list-meta.without-structured"),
		MAY("opt.list-meta.without-structured"), Needs(feature.MetaContext),
		Provokes("opt.list-meta.needs-structured"),
		func(ctx context.Context) {
			s := Haggle(ctx)

			a := s.FindContexts("base:")

			Expect(a).To(BeAnswered(wire.RepErrInvalid, wire.RepAck))
			Expect(s.InStep()).To(BeInStep())
			Observe(ctx, "list of contexts before structured replies", "%v", a.Type())
		})

	// An export that is not there has no contexts "available to the client to select".
	It("answers for an export that it does not have", ID("list-meta.unknown-export"),
		MAY("opt.list-meta.reply"), Needs(feature.MetaContext),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.Option(wire.OptListMetaContext, wire.MetaContextRequest{Export: noExport, Queries: []string{"base:"}})

			Expect(a).To(BeAnsweredOrError())
			Expect(s.InStep()).To(BeInStep())
			Observe(ctx, "contexts of an unknown export", "%v and %d contexts", a.Type(), len(a.Contexts()))
		})
})

// manyQueries are n queries of which the last one finds base:allocation, and the others nothing.
func manyQueries(n int) []string {
	list := make([]string, n)
	for i := range list {
		list[i] = fmt.Sprintf("x-nbdconform-absent:%d", i)
	}
	list[n-1] = "base:allocation"
	return list
}
