package serverquirk

import (
	"math"
	"slices"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ContextsShuffled lists, and tells, contexts in the reverse order.
var ContextsShuffled = register(Quirk{
	Name: "contexts-shuffled", Allowed: true, Permitted: []string{"opt.list-meta.order", "opt.set-meta.order", "cmd.block-status.order"},
	Doc: "lists, selects and reports contexts in the reverse order",
	Hooks: server.Hooks{
		OptionReply: func(x *server.OptionExchange) {
			if x.Is(wire.OptListMetaContext, wire.OptSetMetaContext) && !x.Failed() {
				slices.Reverse(x.Replies[:len(x.Replies)-1])
			}
		},
		Reply: func(x *server.Exchange) {
			if x.Is(wire.CmdBlockStatus) && x.Err() == wire.OK {
				slices.Reverse(x.Replies)
				x.Done()
			}
		},
	},
})

// ContextIDsLarge gives contexts ids that look like nothing.
var ContextIDsLarge = register(Quirk{
	Name: "context-ids-large", Allowed: true,
	Doc: "gives contexts ids from 2^31 up, other ones on every connection",
	Hooks: onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		for i, m := range x.Session.Contexts {
			m.ID = 1<<31 + uint32(x.Session.ID)*16 + uint32(i)
			x.Session.Contexts[i] = m
			x.Replies[i].Data = m.Append(nil)
		}
	}),
})

// ContextsFew takes two contexts at once.
var ContextsFew = register(Quirk{
	Name: "contexts-few", Allowed: true, Permitted: []string{"opt.set-meta.too-big"},
	Doc: "answers NBD_REP_ERR_TOO_BIG to NBD_OPT_SET_META_CONTEXT with more than two queries",
	Hooks: onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		if q, err := wire.ParseMetaContextRequest(x.Request.Data); err == nil && len(q.Queries) > 2 && !x.Failed() {
			x.Fail(wire.RepErrTooBig, "too many")
			x.Session.Contexts = nil
		}
	}),
})

// ContextIDHighest gives contexts ids from the top.
var ContextIDHighest = register(Quirk{
	Name: "context-id-highest", Allowed: true,
	Doc: "gives contexts ids from 4294967295 down",
	Hooks: onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		for i, m := range x.Session.Contexts {
			m.ID = math.MaxUint32 - uint32(i)
			x.Session.Contexts[i] = m
			x.Replies[i].Data = m.Append(nil)
		}
	}),
})

// ListMetaUnknownLeafRejected minds leaf-names of base that it does not know.
var ListMetaUnknownLeafRejected = register(Quirk{
	Name: "list-meta-unknown-leaf-rejected", Allowed: true, // as opt.list-meta.invalid has it
	Doc:   "answers NBD_REP_ERR_INVALID to a query for the list with an unknown leaf-name of base",
	Hooks: onQuery(wire.OptListMetaContext, unknownLeaf, invalid),
})
