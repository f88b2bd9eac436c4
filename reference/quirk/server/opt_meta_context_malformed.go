package serverquirk

import (
	"strings"

	"nbdconform/reference/wire"
)

// ListMetaMalformedAccepted makes what it can of queries that don't fit the option.
var ListMetaMalformedAccepted = register(Quirk{
	Name: "list-meta-malformed-accepted", Breaks: "opt.list-meta.malformed",
	Doc:   "answers NBD_OPT_LIST_META_CONTEXT although its lengths don't fit its data",
	Hooks: skip("opt.list-meta.malformed"),
})

// SetMetaMalformedAccepted makes what it can of queries that don't fit the option.
var SetMetaMalformedAccepted = register(Quirk{
	Name: "set-meta-malformed-accepted", Breaks: "opt.set-meta.malformed",
	Doc:   "answers NBD_OPT_SET_META_CONTEXT although its lengths don't fit its data",
	Hooks: skip("opt.set-meta.malformed"),
})

// SetMetaCString takes a NUL for the end of a query.
var SetMetaCString = register(Quirk{
	Name: "set-meta-c-string", Breaks: "meta.base.unknown-leaf.set",
	Doc: "ignores what is after a NUL in a query that selects",
	Hooks: rewriteQueries(eachQuery(func(s string) string {
		s, _, _ = strings.Cut(s, "\x00")
		return s
	}), wire.OptSetMetaContext),
})

// MetaLongQueryInvalid takes no query that is longer than it should be.
var MetaLongQueryInvalid = register(Quirk{
	Name: "meta-long-query-invalid", Breaks: "opt.list-meta.none-found",
	Doc:   "answers NBD_REP_ERR_INVALID to a query for the list of more than 256 bytes",
	Hooks: onQuery(wire.OptListMetaContext, func(s string) bool { return len(s) > wire.RecommendedString }, invalid),
})
