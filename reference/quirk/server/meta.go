package serverquirk

import (
	"strings"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// onQuery makes hooks that change the answer to an option with queries of which one fits.
func onQuery(o wire.Option, fits func(query string) bool, f func(*server.OptionExchange)) server.Hooks {
	return onOption(o, func(x *server.OptionExchange) {
		q, err := wire.ParseMetaContextRequest(x.Request.Data)
		for _, s := range q.Queries {
			if err == nil && fits(s) {
				f(x)
				return
			}
		}
	})
}

// rewriteQuery makes hooks that take one query for another.
func rewriteQuery(o wire.Option, from, to string) server.Hooks {
	return server.Hooks{Option: func(_ *server.Session, r *wire.OptionRequest) {
		q, err := wire.ParseMetaContextRequest(r.Data)
		if r.Option != o || err != nil {
			return
		}
		for i, s := range q.Queries {
			if s == from {
				q.Queries[i] = to
			}
		}
		r.Data = q.Append(nil)
	}}
}

// onNoQueries makes hooks that change the answer to an option without queries.
func onNoQueries(o wire.Option, f func(*server.OptionExchange)) server.Hooks {
	return onOption(o, func(x *server.OptionExchange) {
		if q, err := wire.ParseMetaContextRequest(x.Request.Data); err == nil && len(q.Queries) == 0 {
			f(x)
		}
	})
}

// onContext makes hooks that change the contexts in the replies to an option.
func onContext(o wire.Option, f func(*wire.MetaContext)) server.Hooks {
	return onOption(o, func(x *server.OptionExchange) {
		x.Each(wire.RepMetaContext, func(r *wire.OptionReply) {
			if m, err := wire.ParseMetaContext(r.Data); err == nil {
				f(&m)
				r.Data = m.Append(nil)
			}
		})
	})
}

func dropContexts(x *server.OptionExchange) {
	x.Drop(func(r wire.OptionReply) bool { return r.Type == wire.RepMetaContext })
}

func invalid(x *server.OptionExchange) { x.Fail(wire.RepErrInvalid, "I don't understand") }

func unknownNamespace(s string) bool {
	namespace, _, _ := strings.Cut(s, ":")
	return namespace != "base" && namespace != "x-nbdconform"
}

func unknownLeaf(s string) bool {
	return strings.HasPrefix(s, "base:") && s != "base:" && s != export.BaseAllocation
}

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

// SetMetaWithoutStructuredAccepted selects contexts for a client that can't receive any status.
var SetMetaWithoutStructuredAccepted = register(Quirk{
	Name: "set-meta-without-structured-accepted", Breaks: "opt.set-meta.without-structured",
	Doc:   "grants NBD_OPT_SET_META_CONTEXT before structured replies are negotiated",
	Hooks: skip("opt.set-meta.without-structured"),
})

// ListMetaUnknownNamespaceRejected minds namespaces that it does not know.
var ListMetaUnknownNamespaceRejected = register(Quirk{
	Name: "list-meta-unknown-namespace-rejected", Breaks: "opt.list-meta.unknown-namespace",
	Doc:   "answers NBD_REP_ERR_INVALID to a query for the list in an unknown namespace",
	Hooks: onQuery(wire.OptListMetaContext, unknownNamespace, invalid),
})

// SetMetaUnknownNamespaceRejected minds namespaces that it does not know.
var SetMetaUnknownNamespaceRejected = register(Quirk{
	Name: "set-meta-unknown-namespace-rejected", Breaks: "opt.set-meta.unknown-namespace",
	Doc:   "answers NBD_REP_ERR_INVALID to a selection in an unknown namespace",
	Hooks: onQuery(wire.OptSetMetaContext, unknownNamespace, invalid),
})

// ListMetaUnknownLeafRejected minds leaf-names of base that it does not know.
var ListMetaUnknownLeafRejected = register(Quirk{
	Name: "list-meta-unknown-leaf-rejected", Allowed: true, // as opt.list-meta.invalid has it
	Doc:   "answers NBD_REP_ERR_INVALID to a query for the list with an unknown leaf-name of base",
	Hooks: onQuery(wire.OptListMetaContext, unknownLeaf, invalid),
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

// ListMetaNoneFoundError treats an empty list as an error.
var ListMetaNoneFoundError = register(Quirk{
	Name: "list-meta-none-found-error", Breaks: "opt.list-meta.none-found",
	Doc: "answers NBD_REP_ERR_UNKNOWN to queries for the list that find nothing",
	Hooks: onOption(wire.OptListMetaContext, func(x *server.OptionExchange) {
		if len(x.Replies) == 1 && !x.Failed() {
			x.Fail(wire.RepErrUnknown, "nothing found")
		}
	}),
})

// ListMetaZeroQueriesEmpty lists nothing where it should list everything.
var ListMetaZeroQueriesEmpty = register(Quirk{
	Name: "list-meta-zero-queries-empty", Breaks: "opt.list-meta.zero-queries",
	Doc:   "answers NBD_OPT_LIST_META_CONTEXT without queries with NBD_REP_ACK alone",
	Hooks: onNoQueries(wire.OptListMetaContext, dropContexts),
})

// ListMetaZeroQueriesTooBig finds the whole list too long.
var ListMetaZeroQueriesTooBig = register(Quirk{
	Name: "list-meta-zero-queries-too-big", Breaks: "opt.list-meta.zero-queries.too-big",
	Doc:   "answers NBD_OPT_LIST_META_CONTEXT without queries with NBD_REP_ERR_TOO_BIG",
	Hooks: onNoQueries(wire.OptListMetaContext, func(x *server.OptionExchange) { x.Fail(wire.RepErrTooBig, "") }),
})

// ListMetaFindsNothing does not find a context by its name.
var ListMetaFindsNothing = register(Quirk{
	Name: "list-meta-finds-nothing", Breaks: "opt.list-meta.queries",
	Doc: "does not list a context that a query names in full",
	Hooks: onQuery(wire.OptListMetaContext, func(s string) bool { return s == export.BaseAllocation },
		dropContexts),
})

// ListMetaWithoutWildcard does not take "base:" for a wildcard.
var ListMetaWithoutWildcard = register(Quirk{
	Name: "list-meta-without-wildcard", Breaks: "meta.base.wildcard.list",
	Doc:   `lists nothing for the query "base:"`,
	Hooks: onQuery(wire.OptListMetaContext, func(s string) bool { return s == "base:" }, dropContexts),
})

// ListMetaWithID gives contexts an id where none belongs.
var ListMetaWithID = register(Quirk{
	Name: "list-meta-with-id", Breaks: "opt.list-meta.id-zero",
	Doc:   "sends a context ID of 7 in the list of contexts",
	Hooks: onContext(wire.OptListMetaContext, func(m *wire.MetaContext) { m.ID = 7 }),
})

// ListMetaWithoutColon forgets the namespace.
var ListMetaWithoutColon = register(Quirk{
	Name: "list-meta-without-colon", Breaks: "opt.list-meta.name-form",
	Doc: "lists contexts without their namespace",
	Hooks: onContext(wire.OptListMetaContext, func(m *wire.MetaContext) {
		_, m.Name, _ = strings.Cut(m.Name, ":")
	}),
})

// SetMetaUnregisteredNamespace grants contexts of a namespace that nobody registered.
var SetMetaUnregisteredNamespace = register(Quirk{
	Name: "set-meta-unregistered-namespace", Breaks: "meta.name.namespace",
	Doc: "has contexts in a namespace that is neither registered nor experimental",
	Hooks: onContext(wire.OptListMetaContext, func(m *wire.MetaContext) {
		m.Name = strings.Replace(m.Name, "x-nbdconform", "acme", 1)
	}),
})

// MetaNameLatin1 sends names of contexts that are not UTF-8.
var MetaNameLatin1 = register(Quirk{
	Name: "meta-name-latin1", Breaks: "rep.meta-context.utf8",
	Doc: "sends the names of contexts in ISO 8859-1",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		x.Each(wire.RepMetaContext, func(r *wire.OptionReply) { r.Data = append(r.Data, 0xe9) })
	}},
})

// MetaContextShort sends contexts without a name or a whole id.
var MetaContextShort = register(Quirk{
	Name: "meta-context-short", Breaks: "layout.rep.meta-context",
	Doc: "sends NBD_REP_META_CONTEXT with two bytes of data",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		x.Each(wire.RepMetaContext, func(r *wire.OptionReply) { r.Data = r.Data[:2] })
	}},
})

// SetMetaWildcardSelects selects base:allocation for "base:".
var SetMetaWildcardSelects = register(Quirk{
	Name: "set-meta-wildcard-selects", Breaks: "meta.base.wildcard.set",
	Doc:   `selects base:allocation for the query "base:"`,
	Hooks: rewriteQuery(wire.OptSetMetaContext, "base:", export.BaseAllocation),
})

// SetMetaEmptyLeafSelects selects a context of another namespace for its empty leaf-name.
var SetMetaEmptyLeafSelects = register(Quirk{
	Name: "set-meta-empty-leaf-selects", Breaks: "meta.query.empty-leaf",
	Doc:   "selects a context for the query of its namespace and a colon",
	Hooks: rewriteQuery(wire.OptSetMetaContext, "x-nbdconform:", export.Depth),
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

// SetMetaUntold selects a context and does not say so.
var SetMetaUntold = register(Quirk{
	Name: "set-meta-untold", Breaks: "opt.set-meta.reply",
	Doc:   "answers NBD_OPT_SET_META_CONTEXT with NBD_REP_ACK alone, whatever it selected",
	Hooks: onOption(wire.OptSetMetaContext, dropContexts),
})

// SetMetaAdds adds to the selection instead of replacing it.
var SetMetaAdds = register(Quirk{
	Name: "set-meta-adds", Breaks: "meta.block-status.unselected",
	Doc: "keeps the contexts that were selected before when NBD_OPT_SET_META_CONTEXT selects none",
	New: func() server.Hooks {
		var before []wire.MetaContext
		return onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
			if len(x.Session.Contexts) == 0 {
				x.Session.Contexts = before
			}
			before = x.Session.Contexts
		})
	},
})

// SetMetaOtherExport keeps the selection for whatever export is entered.
var SetMetaOtherExport = register(Quirk{
	Name: "set-meta-other-export", Breaks: "meta.block-status.unselected",
	Doc:   "reports block status of contexts that were selected for another export",
	Hooks: skip("cmd.block-status.needs-context"),
})
