package serverquirk

import (
	"slices"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// StatusContextTwice tells the same context twice.
var StatusContextTwice = register(Quirk{
	Name: "status-context-twice", Breaks: "chunk.block-status.per-context",
	Doc: "sends the status of the first context twice",
	Hooks: onStatusReply(func(x *server.Exchange) {
		x.Replies = append(x.Replies, x.Replies[0])
		x.Done()
	}),
})

// StatusUnknownContext tells the status of a context that does not exist.
var StatusUnknownContext = register(Quirk{
	Name: "status-unknown-context", Breaks: "chunk.block-status.per-context",
	Doc:   "adds 100 to the context IDs in block status",
	Hooks: onStatus(func(_ *server.Exchange, s *wire.BlockStatus) { s.ContextID += 100 }),
})

// StatusSimple answers without any status.
var StatusSimple = register(Quirk{
	Name: "status-simple", Breaks: "cmd.block-status.structured",
	Doc:   "answers NBD_CMD_BLOCK_STATUS by a simple reply of success",
	Hooks: onStatusReply(simple),
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

// SetMetaOtherExport keeps the selection for whatever export is entered.
var SetMetaOtherExport = register(Quirk{
	Name: "set-meta-other-export", Breaks: "meta.block-status.unselected",
	Doc:   "reports block status of contexts that were selected for another export",
	Hooks: skip("cmd.block-status.needs-context"),
})

func forgetContexts(x *server.OptionExchange) { x.Session.Contexts = nil }

// ListMetaClears forgets the selection over a list.
var ListMetaClears = register(Quirk{
	Name: "list-meta-clears", Breaks: "layout.opt.set-meta.replaces",
	Doc:   "forgets which contexts are selected when it lists contexts",
	Hooks: onOption(wire.OptListMetaContext, forgetContexts),
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

// InfoForgetsContexts forgets the selection over information.
var InfoForgetsContexts = register(Quirk{
	Name: "info-forgets-contexts", Breaks: "layout.opt.set-meta.replaces",
	Doc:   "forgets which contexts are selected when it answers NBD_OPT_INFO",
	Hooks: onOption(wire.OptInfo, forgetContexts),
})

// ExportNameForgetsContexts knows contexts with NBD_OPT_GO alone.
var ExportNameForgetsContexts = register(Quirk{
	Name: "export-name-forgets-contexts", Breaks: "layout.opt.set-meta.replaces",
	Doc:   "forgets which contexts are selected over NBD_OPT_EXPORT_NAME",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) { x.Session.Contexts = nil }},
})

// StatusUnselectedAccepted reports success without any context.
var StatusUnselectedAccepted = register(Quirk{
	Name: "status-unselected-accepted", Breaks: "meta.block-status.unselected",
	Doc: "reports NBD_CMD_BLOCK_STATUS as done although no context was selected",
	Hooks: onError(wire.CmdBlockStatus, wire.EINVAL, func(x *server.Exchange) {
		if len(x.Session.Contexts) == 0 {
			x.Succeed()
		}
	}),
})
