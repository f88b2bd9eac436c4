package judge

import (
	"nbdconform/reference/wire"
)

// listed has the server list one context, selected has it select one.
func listed(query, name string, id uint32) func(*conversation) {
	return func(c *conversation) {
		c.hello()
		c.structured()
		c.opt(wire.OptListMetaContext, meta("disk", query))
		c.context(wire.OptListMetaContext, id, name)
		c.ack(wire.OptListMetaContext)
		c.abort()
	}
}

func selected(name string, queries ...string) func(*conversation) {
	return func(c *conversation) {
		c.hello()
		c.structured()
		c.opt(wire.OptSetMetaContext, meta("disk", queries...))
		c.context(wire.OptSetMetaContext, 3, name)
		c.ack(wire.OptSetMetaContext)
		c.abort()
	}
}

func either(yes, no func(*conversation)) func(*conversation, bool) {
	return func(c *conversation, bad bool) { pick(bad, yes, no)(c) }
}

var metaTrips = []trip{
	{"contexts are listed before structured replies", []string{"client opt.list-meta.needs-structured"}, func(c *conversation, bad bool) {
		c.hello()
		if !bad {
			c.structured()
		}
		c.opt(wire.OptListMetaContext, meta("disk"))
		c.rep(wire.OptListMetaContext, wire.RepErrInvalid, "")
		c.abort()
	}},
	{"contexts are selected before structured replies", []string{"client opt.set-meta.needs-structured"}, func(c *conversation, bad bool) {
		c.hello()
		if !bad {
			c.structured()
		}
		c.opt(wire.OptSetMetaContext, meta("disk"))
		c.rep(wire.OptSetMetaContext, wire.RepErrInvalid, "")
		c.abort()
	}},
	{"selection succeeds before structured replies", []string{"client opt.set-meta.needs-structured", "server opt.set-meta.without-structured"}, func(c *conversation, bad bool) {
		c.hello()
		if !bad {
			c.structured()
		}
		c.opt(wire.OptSetMetaContext, meta("disk"))
		c.ack(wire.OptSetMetaContext)
		c.abort()
	}},
	{"query for the list has no namespace", []string{"client opt.list-meta.query-syntax"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.opt(wire.OptListMetaContext, meta("disk", "base:", pick(bad, "allocation", "x-me:")))
		c.rep(wire.OptListMetaContext, wire.RepErrInvalid, "")
		c.abort()
	}},
	{"query that selects has no namespace", []string{"client opt.set-meta.query-syntax"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.opt(wire.OptSetMetaContext, meta("disk", pick(bad, ":allocation", "base:allocation")))
		c.rep(wire.OptSetMetaContext, wire.RepErrInvalid, "")
		c.abort()
	}},
	{"list is malformed and succeeds", []string{"client layout.opt.meta", "server opt.list-meta.malformed"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		m := meta("disk", "base:")
		c.opt(wire.OptListMetaContext, m[:len(m)-pick(bad, 1, 0)])
		c.ack(wire.OptListMetaContext)
		c.abort()
	}},
	{"list has bytes behind it and succeeds", []string{"client layout.opt.meta"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.opt(wire.OptListMetaContext, meta("disk", "base:")+pick(bad, "x", ""))
		c.ack(wire.OptListMetaContext)
		c.abort()
	}},
	{"selection is malformed and succeeds", []string{"client layout.opt.meta", "server opt.set-meta.malformed"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		m := meta("disk", "base:allocation")
		c.opt(wire.OptSetMetaContext, m[:len(m)-pick(bad, 1, 0)])
		c.ack(wire.OptSetMetaContext)
		c.abort()
	}},
	{"list gives information", []string{"server opt.list-meta.reply"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.opt(wire.OptListMetaContext, meta("disk"))
		if bad {
			c.export(wire.OptListMetaContext, size, all)
		}
		c.ack(wire.OptListMetaContext)
		c.abort()
	}},
	{"selection gives a context without an id", []string{"server layout.rep.meta-context"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.opt(wire.OptSetMetaContext, meta("disk"))
		if bad {
			c.rep(wire.OptSetMetaContext, wire.RepMetaContext, "ab")
		}
		c.ack(wire.OptSetMetaContext)
		c.abort()
	}},
	{"list answers what was not asked", []string{"server opt.list-meta.queries"}, either(listed("base:", "qemu:dirty-bitmap:b0", 0), listed("base:", "base:allocation", 0))},
	{"list answers another leaf of base", []string{"server opt.list-meta.queries"}, either(listed("base:other", "base:allocation", 0), listed("qemu:d", "qemu:dirty-bitmap:b0", 0))},
	{"listed name has no namespace", []string{"server opt.list-meta.name-form"}, either(listed("base:", "allocation", 0), listed("base:allocation", "base:allocation", 0))},
	{"listed context has an id", []string{"server opt.list-meta.id-zero"}, either(listed("base:", "base:allocation", 1), listed("base:", "base:allocation", 0))},
	{"list without queries is too big", []string{"server opt.list-meta.zero-queries.too-big"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.opt(wire.OptListMetaContext, pick(bad, meta("disk"), meta("disk", "base:")))
		c.rep(wire.OptListMetaContext, wire.RepErrTooBig, "")
		c.abort()
	}},
	{"wildcard finds nothing although there is something", []string{"server meta.base.wildcard.list"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.opt(wire.OptListMetaContext, meta("disk"))
		c.context(wire.OptListMetaContext, 0, "base:allocation")
		c.ack(wire.OptListMetaContext)
		c.opt(wire.OptListMetaContext, meta("disk", "base:"))
		if !bad {
			c.context(wire.OptListMetaContext, 0, "base:allocation")
		}
		c.ack(wire.OptListMetaContext)
		c.abort()
	}},
	{"selection without queries selects", []string{"server opt.set-meta.zero-queries"}, either(selected("base:allocation"), selected("base:allocation", "base:allocation"))},
	{"two contexts have one id", []string{"server opt.set-meta.unique-ids"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.opt(wire.OptSetMetaContext, meta("disk", "base:allocation", "qemu:a"))
		c.context(wire.OptSetMetaContext, 3, "base:allocation")
		c.context(wire.OptSetMetaContext, pick[uint32](bad, 3, 4), "qemu:a")
		c.ack(wire.OptSetMetaContext)
		c.abort()
	}},
	{"selected name has no namespace", []string{"server meta.name.syntax"}, either(selected(":a", "base:a"), selected("base:a", "base:a"))},
	{"namespace is nobody's", []string{"server meta.name.namespace"}, either(selected("acme:a", "acme:a"), selected("x-acme:a", "x-acme:a"))},
	{"wildcard selects", []string{"server meta.base.wildcard.set"}, either(selected("base:allocation", "base:"), selected("base:allocation", "base:", "base:allocation"))},
	{"unknown leaf selects", []string{"server meta.base.unknown-leaf.set"}, either(selected("base:allocation", "base:all"), selected("base:allocation", "base:all", "base:allocation"))},
	{"empty leaf selects", []string{"server meta.query.empty-leaf"}, either(selected("qemu:a", "qemu:"), selected("qemu:a", "qemu:a-or-so"))},
	{"context is selected that nobody asked for", []string{"server opt.set-meta.reply"}, either(selected("qemu:a", "base:allocation"), selected("qemu:a", "base:allocation", "qemu:a"))},
}
