package serverquirk

import (
	"slices"
	"strings"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// rewriteQueries makes hooks that take the queries of an option for others.
func rewriteQueries(f func(queries []string) []string, options ...wire.Option) server.Hooks {
	return server.Hooks{Option: func(_ *server.Session, r *wire.OptionRequest) {
		q, err := wire.ParseMetaContextRequest(r.Data)
		if err == nil && slices.Contains(options, r.Option) {
			q.Queries = f(q.Queries)
			r.Data = q.Append(nil)
		}
	}}
}

// eachQuery makes a function of queries from one of a query.
func eachQuery(f func(string) string) func([]string) []string {
	return func(queries []string) []string {
		for i, s := range queries {
			queries[i] = f(s)
		}
		return queries
	}
}

// SetMetaNever lists what it does not select.
var SetMetaNever = register(Quirk{
	Name: "set-meta-never", Breaks: "opt.list-meta.queries",
	Doc:   "lists base:allocation and never selects it",
	Hooks: rewriteQueries(func([]string) []string { return nil }, wire.OptSetMetaContext),
})

// ListMetaEverything lists everything, whatever was asked for.
var ListMetaEverything = register(Quirk{
	Name: "list-meta-everything", Breaks: "opt.list-meta.queries",
	Doc:   "lists all contexts for any query",
	Hooks: rewriteQueries(func([]string) []string { return nil }, wire.OptListMetaContext),
})

// MetaFirstQueryOnly has no eye for further queries.
var MetaFirstQueryOnly = register(Quirk{
	Name: "meta-first-query-only", Breaks: "opt.list-meta.queries",
	Doc: "ignores all queries but the first",
	Hooks: rewriteQueries(func(q []string) []string { return q[:min(1, len(q))] },
		wire.OptListMetaContext, wire.OptSetMetaContext),
})

// MetaLongQueryInvalid takes no query that is longer than it should be.
var MetaLongQueryInvalid = register(Quirk{
	Name: "meta-long-query-invalid", Breaks: "opt.list-meta.none-found",
	Doc:   "answers NBD_REP_ERR_INVALID to a query for the list of more than 256 bytes",
	Hooks: onQuery(wire.OptListMetaContext, func(s string) bool { return len(s) > wire.RecommendedString }, invalid),
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

// SetMetaZeroQueriesInvalid minds a selection of nothing.
var SetMetaZeroQueriesInvalid = register(Quirk{
	Name: "set-meta-zero-queries-invalid", Breaks: "opt.set-meta.zero-queries",
	Doc:   "answers NBD_REP_ERR_INVALID to NBD_OPT_SET_META_CONTEXT without queries",
	Hooks: onNoQueries(wire.OptSetMetaContext, invalid),
})

// SetMetaWildcardInvalid minds the wildcard.
var SetMetaWildcardInvalid = register(Quirk{
	Name: "set-meta-wildcard-invalid", Breaks: "meta.base.wildcard.set",
	Doc:   `answers NBD_REP_ERR_INVALID to a selection by the query "base:"`,
	Hooks: onQuery(wire.OptSetMetaContext, func(s string) bool { return s == "base:" }, invalid),
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

// SetMetaCString takes a NUL for the end of a query.
var SetMetaCString = register(Quirk{
	Name: "set-meta-c-string", Breaks: "meta.base.unknown-leaf.set",
	Doc: "ignores what is behind a NUL in a query that selects",
	Hooks: rewriteQueries(eachQuery(func(s string) string {
		s, _, _ = strings.Cut(s, "\x00")
		return s
	}), wire.OptSetMetaContext),
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

// SetMetaAccumulates keeps what was selected before.
var SetMetaAccumulates = register(Quirk{
	Name: "set-meta-accumulates", Breaks: "layout.opt.set-meta.replaces",
	Doc: "adds to the selection instead of replacing it, and tells what is new alone",
	New: func() server.Hooks {
		var before []wire.MetaContext
		return onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
			for _, m := range before {
				if !slices.ContainsFunc(x.Session.Contexts, func(n wire.MetaContext) bool { return n.Name == m.Name }) {
					x.Session.Contexts = append(x.Session.Contexts, m)
				}
			}
			before = x.Session.Contexts
		})
	},
})

// SetMetaFailureKeeps keeps what was selected when the next selection fails.
var SetMetaFailureKeeps = register(Quirk{
	Name: "set-meta-failure-keeps", Breaks: "layout.opt.set-meta.replaces",
	Doc: "keeps the contexts that were selected before when NBD_OPT_SET_META_CONTEXT fails",
	New: func() server.Hooks {
		var before []wire.MetaContext
		var name string
		return onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
			if x.Failed() {
				x.Session.Contexts, x.Session.ContextsFor = before, name
			}
			before, name = x.Session.Contexts, x.Session.ContextsFor
		})
	},
})

// ListMetaClears forgets the selection over a list.
var ListMetaClears = register(Quirk{
	Name: "list-meta-clears", Breaks: "layout.opt.set-meta.replaces",
	Doc:   "forgets which contexts are selected when it lists contexts",
	Hooks: onOption(wire.OptListMetaContext, forgetContexts),
})

// InfoForgetsContexts forgets the selection over information.
var InfoForgetsContexts = register(Quirk{
	Name: "info-forgets-contexts", Breaks: "layout.opt.set-meta.replaces",
	Doc:   "forgets which contexts are selected when it answers NBD_OPT_INFO",
	Hooks: onOption(wire.OptInfo, forgetContexts),
})

func forgetContexts(x *server.OptionExchange) { x.Session.Contexts = nil }

// ExportNameForgetsContexts knows contexts with NBD_OPT_GO alone.
var ExportNameForgetsContexts = register(Quirk{
	Name: "export-name-forgets-contexts", Breaks: "layout.opt.set-meta.replaces",
	Doc:   "forgets which contexts are selected over NBD_OPT_EXPORT_NAME",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) { x.Session.Contexts = nil }},
})

// ListMetaSelects takes a list for a selection.
var ListMetaSelects = register(Quirk{
	Name: "list-meta-selects", Breaks: "layout.opt.set-meta.replaces",
	Doc: "selects the contexts that it lists",
	Hooks: onOption(wire.OptListMetaContext, func(x *server.OptionExchange) {
		q, _ := wire.ParseMetaContextRequest(x.Request.Data)
		x.Session.Contexts, x.Session.ContextsFor = nil, q.Export
		x.Each(wire.RepMetaContext, func(r *wire.OptionReply) {
			if m, err := wire.ParseMetaContext(r.Data); err == nil {
				m.ID = uint32(len(x.Session.Contexts)) + 1
				x.Session.Contexts = append(x.Session.Contexts, m)
			}
		})
	}),
})
