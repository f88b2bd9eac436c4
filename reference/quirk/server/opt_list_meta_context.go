package serverquirk

import (
	"strings"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

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

// ListMetaWithoutColon forgets the namespace.
var ListMetaWithoutColon = register(Quirk{
	Name: "list-meta-without-colon", Breaks: "opt.list-meta.name-form",
	Doc: "lists contexts without their namespace",
	Hooks: onContext(wire.OptListMetaContext, func(m *wire.MetaContext) {
		_, m.Name, _ = strings.Cut(m.Name, ":")
	}),
})

// SetMetaUnregisteredNamespace grants contexts of a namespace that is not registered.
var SetMetaUnregisteredNamespace = register(Quirk{
	Name: "set-meta-unregistered-namespace", Breaks: "meta.name.namespace",
	Doc: "has contexts in a namespace that is neither registered nor experimental",
	Hooks: onContext(wire.OptListMetaContext, func(m *wire.MetaContext) {
		m.Name = strings.Replace(m.Name, "x-nbdconform", "acme", 1)
	}),
})

// MetaContextShort sends contexts without a name or a whole id.
var MetaContextShort = register(Quirk{
	Name: "meta-context-short", Breaks: "layout.rep.meta-context",
	Doc: "sends NBD_REP_META_CONTEXT with two bytes of data",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		x.Each(wire.RepMetaContext, func(r *wire.OptionReply) { r.Data = r.Data[:2] })
	}},
})

// MetaNameLatin1 sends names of contexts that are not UTF-8.
var MetaNameLatin1 = register(Quirk{
	Name: "meta-name-latin1", Breaks: "rep.meta-context.utf8",
	Doc: "sends the names of contexts in ISO 8859-1",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		x.Each(wire.RepMetaContext, func(r *wire.OptionReply) { r.Data = append(r.Data, 0xe9) })
	}},
})

// ListMetaWithID gives contexts an id where none belongs.
var ListMetaWithID = register(Quirk{
	Name: "list-meta-with-id", Breaks: "opt.list-meta.id-zero",
	Doc:   "sends a context ID of 7 in the list of contexts",
	Hooks: onContext(wire.OptListMetaContext, func(m *wire.MetaContext) { m.ID = 7 }),
})

// ListMetaFindsNothing does not find a context by its name.
var ListMetaFindsNothing = register(Quirk{
	Name: "list-meta-finds-nothing", Breaks: "opt.list-meta.queries",
	Doc: "does not list a context that a query names in full",
	Hooks: onQuery(wire.OptListMetaContext, func(s string) bool { return s == export.BaseAllocation },
		dropContexts),
})

// SetMetaUntold selects a context and does not say so.
var SetMetaUntold = register(Quirk{
	Name: "set-meta-untold", Breaks: "opt.set-meta.reply",
	Doc:   "answers NBD_OPT_SET_META_CONTEXT with NBD_REP_ACK alone, whatever it selected",
	Hooks: onOption(wire.OptSetMetaContext, dropContexts),
})

// SetMetaNever lists what it does not select.
var SetMetaNever = register(Quirk{
	Name: "set-meta-never", Breaks: "opt.list-meta.queries",
	Doc:   "lists base:allocation and never selects it",
	Hooks: rewriteQueries(func([]string) []string { return nil }, wire.OptSetMetaContext),
})

// ListMetaWithoutWildcard does not take "base:" for a wildcard.
var ListMetaWithoutWildcard = register(Quirk{
	Name: "list-meta-without-wildcard", Breaks: "meta.base.wildcard.list",
	Doc:   `lists nothing for the query "base:"`,
	Hooks: onQuery(wire.OptListMetaContext, func(s string) bool { return s == "base:" }, dropContexts),
})

// ListMetaEverything lists everything, whatever was asked for.
var ListMetaEverything = register(Quirk{
	Name: "list-meta-everything", Breaks: "opt.list-meta.queries",
	Doc:   "lists all contexts for any query",
	Hooks: rewriteQueries(func([]string) []string { return nil }, wire.OptListMetaContext),
})

// ListMetaUnknownNamespaceRejected minds namespaces that it does not know.
var ListMetaUnknownNamespaceRejected = register(Quirk{
	Name: "list-meta-unknown-namespace-rejected", Breaks: "opt.list-meta.unknown-namespace",
	Doc:   "answers NBD_REP_ERR_INVALID to a query for the list in an unknown namespace",
	Hooks: onQuery(wire.OptListMetaContext, unknownNamespace, invalid),
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

// MetaFirstQueryOnly has no eye for further queries.
var MetaFirstQueryOnly = register(Quirk{
	Name: "meta-first-query-only", Breaks: "opt.list-meta.queries",
	Doc: "ignores all queries but the first",
	Hooks: rewriteQueries(func(q []string) []string { return q[:min(1, len(q))] },
		wire.OptListMetaContext, wire.OptSetMetaContext),
})
