package serverquirk

import (
	"slices"
	"strings"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// SetMetaSameIDs gives all contexts the same id.
var SetMetaSameIDs = register(Quirk{
	Name: "set-meta-same-ids", Breaks: "opt.set-meta.unique-ids",
	Doc: "gives all selected contexts the ID 1",
	Hooks: onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		for i, m := range x.Session.Contexts {
			x.Session.Contexts[i].ID = 1
			x.Replies[i].Data = wire.MetaContext{ID: 1, Name: m.Name}.Append(nil)
		}
	}),
})

// SetMetaTwice selects a context as often as it is named.
var SetMetaTwice = register(Quirk{
	Name: "set-meta-twice", Breaks: "opt.set-meta.reply",
	Doc: "answers two queries for base:allocation with two contexts of the name",
	Hooks: onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		q, _ := wire.ParseMetaContextRequest(x.Request.Data)
		for i, s := range q.Queries {
			if s == export.BaseAllocation && slices.Contains(q.Queries[:i], s) && !x.Failed() {
				x.Insert(wire.RepMetaContext, wire.MetaContext{ID: 100 + uint32(i), Name: s}.Append(nil))
			}
		}
	}),
})

// SetMetaZeroQueriesSelects selects base:allocation for no query at all.
var SetMetaZeroQueriesSelects = register(Quirk{
	Name: "set-meta-zero-queries-selects", Breaks: "opt.set-meta.zero-queries",
	Doc: "selects base:allocation if NBD_OPT_SET_META_CONTEXT has no queries",
	Hooks: server.Hooks{Option: func(_ *server.Session, r *wire.OptionRequest) {
		q, err := wire.ParseMetaContextRequest(r.Data)
		if r.Option == wire.OptSetMetaContext && err == nil && len(q.Queries) == 0 {
			q.Queries = []string{export.BaseAllocation}
			r.Data = q.Append(nil)
		}
	}},
})

// SetMetaZeroQueriesInvalid minds a selection of nothing.
var SetMetaZeroQueriesInvalid = register(Quirk{
	Name: "set-meta-zero-queries-invalid", Breaks: "opt.set-meta.zero-queries",
	Doc:   "answers NBD_REP_ERR_INVALID to NBD_OPT_SET_META_CONTEXT without queries",
	Hooks: onNoQueries(wire.OptSetMetaContext, invalid),
})

// SetMetaWildcardSelects selects base:allocation for "base:".
var SetMetaWildcardSelects = register(Quirk{
	Name: "set-meta-wildcard-selects", Breaks: "meta.base.wildcard.set",
	Doc:   `selects base:allocation for the query "base:"`,
	Hooks: rewriteQuery(wire.OptSetMetaContext, "base:", export.BaseAllocation),
})

// SetMetaWildcardInvalid minds the wildcard.
var SetMetaWildcardInvalid = register(Quirk{
	Name: "set-meta-wildcard-invalid", Breaks: "meta.base.wildcard.set",
	Doc:   `answers NBD_REP_ERR_INVALID to a selection by the query "base:"`,
	Hooks: onQuery(wire.OptSetMetaContext, func(s string) bool { return s == "base:" }, invalid),
})

// SetMetaUnknownLeafRejected minds leaf-names of base that it does not know.
var SetMetaUnknownLeafRejected = register(Quirk{
	Name: "set-meta-unknown-leaf-rejected", Breaks: "meta.base.unknown-leaf.set",
	Doc:   "answers NBD_REP_ERR_INVALID to a selection of an unknown leaf-name of base",
	Hooks: onQuery(wire.OptSetMetaContext, unknownLeaf, invalid),
})

// SetMetaUnknownLeafGranted selects what it does not have.
var SetMetaUnknownLeafGranted = register(Quirk{
	Name: "set-meta-unknown-leaf-granted", Breaks: "meta.base.unknown-leaf.set",
	Doc: "answers a selection of an unknown leaf-name of base with an NBD_REP_META_CONTEXT of that name",
	Hooks: onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		q, _ := wire.ParseMetaContextRequest(x.Request.Data)
		for i, s := range q.Queries {
			if unknownLeaf(s) && !x.Failed() {
				x.Insert(wire.RepMetaContext, wire.MetaContext{ID: 100 + uint32(i), Name: s}.Append(nil))
			}
		}
	}),
})

// SetMetaPrefix compares the first letters of a name alone.
var SetMetaPrefix = register(Quirk{
	Name: "set-meta-prefix", Breaks: "meta.base.unknown-leaf.set",
	Doc: `selects base:allocation for every query that starts with "base:alloc"`,
	Hooks: rewriteQueries(eachQuery(func(s string) string {
		if strings.HasPrefix(s, "base:alloc") {
			return export.BaseAllocation
		}
		return s
	}), wire.OptSetMetaContext),
})

// SetMetaUnknownNamespaceRejected minds namespaces that it does not know.
var SetMetaUnknownNamespaceRejected = register(Quirk{
	Name: "set-meta-unknown-namespace-rejected", Breaks: "opt.set-meta.unknown-namespace",
	Doc:   "answers NBD_REP_ERR_INVALID to a selection in an unknown namespace",
	Hooks: onQuery(wire.OptSetMetaContext, unknownNamespace, invalid),
})

// SetMetaEmptyLeafSelects selects a context of another namespace for its empty leaf-name.
var SetMetaEmptyLeafSelects = register(Quirk{
	Name: "set-meta-empty-leaf-selects", Breaks: "meta.query.empty-leaf",
	Doc:   "selects a context for the query of its namespace and a colon",
	Hooks: rewriteQuery(wire.OptSetMetaContext, "x-nbdconform:", export.Depth),
})

// SetMetaWithoutStructuredAccepted selects contexts for a client that can't receive any status.
var SetMetaWithoutStructuredAccepted = register(Quirk{
	Name: "set-meta-without-structured-accepted", Breaks: "opt.set-meta.without-structured",
	Doc:   "grants NBD_OPT_SET_META_CONTEXT before structured replies are negotiated",
	Hooks: skip("opt.set-meta.without-structured"),
})

// SetMetaWithoutStructuredPolicy refuses, for the wrong reason, what is out of turn.
var SetMetaWithoutStructuredPolicy = register(Quirk{
	Name: "set-meta-without-structured-policy", Breaks: "opt.set-meta.without-structured",
	Doc: "answers NBD_REP_ERR_POLICY to NBD_OPT_SET_META_CONTEXT before structured replies are negotiated",
	Hooks: onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		if !x.Session.Structured {
			x.Fail(wire.RepErrPolicy, "not yet")
		}
	}),
})
