package serverquirk

import (
	"slices"
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
