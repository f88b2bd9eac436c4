package servers

import (
	"context"
	"encoding/binary"
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

var _ = Describe("An option for metadata contexts that is malformed", func() {
	// "If the option request is syntactically invalid (such as a query length that would
	// require reading beyond the original length given in the option header), the server MUST
	// fail the request with NBD_REP_ERR_INVALID."
	It("is invalid in NBD_OPT_LIST_META_CONTEXT", ID("list-meta.malformed"),
		MUST("opt.list-meta.malformed"), Needs(feature.MetaContext), Provokes("layout.opt.meta"),
		TrippedBy(quirk.ListMetaMalformedAccepted, "want the final reply NBD_REP_ERR_INVALID"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()
			s.FindContexts("base:")
			for _, c := range metaBeyondEnd(FactsOf(ctx).Export) {
				s := Haggle(ctx)
				s.Structured()

				a := s.Option(wire.OptListMetaContext, c.data)

				Expect(a).To(BeAnsweredOrEnd(wire.RepErrInvalid), "case.for-name", c.what)
				if a.End == Complete {
					Expect(s.InStep()).To(BeInStep(), "case.for-name", c.what)
				}
			}
		})

	// The same sentence; NBD_OPT_SET_META_CONTEXT has the same layout and does not repeat it.
	It("is invalid in NBD_OPT_SET_META_CONTEXT", ID("set-meta.malformed"),
		SHOULD("opt.set-meta.malformed"), Needs(feature.MetaContext), Provokes("layout.opt.meta"),
		TrippedBy(quirk.SetMetaMalformedAccepted, "NBD_REP_ERR_INVALID is due"),
		func(ctx context.Context) {
			for _, c := range metaBeyondEnd(FactsOf(ctx).Export) {
				s := Haggle(ctx)
				s.Structured()

				a := s.Option(wire.OptSetMetaContext, c.data)

				Expect(a).To(BeAnsweredOrEnd(wire.RepErrInvalid), "case.for-name", c.what)
				if a.End == Complete {
					Expect(s.InStep()).To(BeInStep(), "case.for-name", c.what)
				}
			}
		})

	// Whether data behind the last query makes a request syntactically invalid is not said.
	It("may be refused for data that no query claims", ID("meta-context.excess"),
		MAY("opt.list-meta.invalid", "opt.set-meta.invalid"), Needs(feature.MetaContext), Provokes("layout.opt.meta"),
		func(ctx context.Context) {
			for _, option := range []wire.Option{wire.OptListMetaContext, wire.OptSetMetaContext} {
				for _, c := range metaExcess(FactsOf(ctx).Export) {
					s := Haggle(ctx)
					s.Structured()

					a := s.Option(option, c.data)

					Expect(a).To(BeAnsweredOrErrorOrEnd(), "case.for-name", c.what)
					next := s.Option(UnknownOption, nil)
					Expect(next).To(BeAnsweredOrErrorOrEnd(), "case.after", c.what)
					Observe(ctx, "excess data", "%v, %s: %v, and to the next option %v (%v)", option, c.what, a.Type(), next.Type(), next.End)
				}
			}
		})

	// "For requests that are semantically invalid (such as lacking the required colon that
	// delimits the namespace [...]), the server MAY fail the request with NBD_REP_ERR_INVALID."
	It("may be refused for a query without a namespace", ID("meta-context.no-colon"),
		MAY("opt.list-meta.invalid", "opt.set-meta.invalid"), Needs(feature.MetaContext),
		Provokes("opt.list-meta.query-syntax", "opt.set-meta.query-syntax"),
		func(ctx context.Context) {
			for _, query := range []string{"base", "", ":", ":allocation", "allocation"} {
				for _, option := range []wire.Option{wire.OptListMetaContext, wire.OptSetMetaContext} {
					s := Haggle(ctx)
					s.Structured()

					a := s.Option(option, wire.MetaContextRequest{Export: FactsOf(ctx).Export, Queries: []string{query}})

					Expect(a).To(BeAnsweredOrErrorOrEnd())
					if a.End == Complete {
						Expect(s.InStep()).To(BeInStep(), "case.option-with-query", option, query)
					}
					Observe(ctx, "query without a namespace", "%v %q: %v and %d contexts", option, query, a.Type(), len(a.Contexts()))
				}
			}
		})

	// A string has no NUL: "base:allocation\0..." is no name of base:allocation, and "If a
	// [leaf-name] requested by the client is not recognized, the server MUST ignore it".
	It("selects nothing for a query that goes on behind a NUL", ID("set-meta.nul"),
		MUST("meta.base.unknown-leaf.set"), Needs(feature.BaseAllocation), Provokes("string.no-nul.client"),
		TrippedBy(quirk.SetMetaCString, "is selected"),
		func(ctx context.Context) {
			for _, query := range []string{"base:allocation\x00", "base:allocation\x00:x"} {
				s := Haggle(ctx)
				s.Structured()

				a := s.SetContexts(query)

				Expect(a).To(HaveNoContextsOrEnd(), "case.query", query)
			}
		})

	// "NUL-terminated strings are not used, and no string is longer than 4096 bytes": up to
	// there a query in an unknown namespace is one like others.
	It("is none where a query has 4096 bytes", ID("list-meta.longest-query"),
		MUST("opt.list-meta.none-found"), Needs(feature.MetaContext), Provokes("string.short.client"),
		TrippedBy(quirk.MetaLongQueryInvalid, "want NBD_REP_ACK alone"),
		func(ctx context.Context) {
			s := Haggle(ctx)
			s.Structured()

			a := s.FindContexts(longQuery(wire.MaxString))

			Expect(a).To(HaveOnlyContextsOr(wire.RepErrTooBig))
			Expect(s.InStep()).To(BeInStep())
		})

	// "The client MUST NOT send longer strings", so the server may do as it likes.
	It("may be refused or end the session where a query has 4097 bytes", ID("meta-context.oversize-query"),
		MAY("opt.list-meta.too-big"), Needs(feature.MetaContext), Provokes("string.max-length.client"),
		func(ctx context.Context) {
			for _, option := range []wire.Option{wire.OptListMetaContext, wire.OptSetMetaContext} {
				s := Haggle(ctx)
				s.Structured()

				a := s.Option(option, wire.MetaContextRequest{Export: FactsOf(ctx).Export, Queries: []string{longQuery(wire.MaxString + 1)}})

				Expect(a).To(BeAnsweredOrErrorOrEnd())
				if a.End == Complete {
					Expect(s.InStep()).To(BeInStep())
				}
				Observe(ctx, "query of 4097 bytes", "%v: %v", option, a.Type())
			}
		})
})

// longQuery is a query of n bytes in a namespace that nobody has.
func longQuery(n int) string {
	const namespace = "x-nbdconform-absent:"
	return namespace + strings.Repeat("a", n-len(namespace))
}

// A bentOption is option data that does not have its layout.
type bentOption struct {
	what string
	data Bytes
}

// metaBeyondEnd are options for metadata contexts whose lengths and counts
// reach beyond their data.
func metaBeyondEnd(export string) []bentOption {
	good := wire.MetaContextRequest{Export: export, Queries: []string{"base:allocation"}}.Append(nil)
	count := 4 + len(export) // where the number of queries is
	with := func(at int, n uint32) Bytes {
		b := slices.Clone(good)
		binary.BigEndian.PutUint32(b[at:], n)
		return b
	}
	return []bentOption{
		{"no data", nil},
		{"half a length of the export name", good[:2]},
		{"an export name longer than the data", with(0, uint32(len(good)))},
		{"an export name of 2^32-1 bytes", with(0, 1<<32-1)},
		{"no number of queries", good[:count]},
		{"half a number of queries", good[:count+2]},
		{"no query where one is announced", good[:count+4]},
		{"one query where two are announced", with(count, 2)},
		{"one query where 2^32-1 are announced", with(count, 1<<32-1)},
		{"a query one byte longer than the data", with(count+4, uint32(len("base:allocation")+1))},
		{"a query of 2^32-1 bytes", with(count+4, 1<<32-1)},
		{"a query that is cut off", good[:len(good)-1]},
	}
}

// metaExcess are options for metadata contexts with more data than they account for.
func metaExcess(export string) []bentOption {
	good := wire.MetaContextRequest{Export: export, Queries: []string{"base:allocation"}}.Append(nil)
	none := slices.Clone(good)
	binary.BigEndian.PutUint32(none[4+len(export):], 0)
	return []bentOption{
		{"a byte behind the last query", append(slices.Clone(good), 0)},
		{"a second query behind the announced one", append(slices.Clone(good), "\x00\x00\x00\x05base:"...)},
		{"a query where none is announced", none},
	}
}
