package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// onAnyOption makes hooks that see the answer to every option.
func onAnyOption(f func(*server.OptionExchange)) server.Hooks { return server.Hooks{OptionReply: f} }

// ExtendedNeedsStructured grants extended headers only after structured replies.
var ExtendedNeedsStructured = register(Quirk{
	Name: "extended-needs-structured", Breaks: "opt.extended-headers.alone",
	Doc: "answers NBD_REP_ERR_UNSUP to NBD_OPT_EXTENDED_HEADERS unless structured replies were negotiated",
	New: func() server.Hooks {
		structured := false
		return onAnyOption(func(x *server.OptionExchange) {
			if x.Is(wire.OptExtendedHeaders) && !structured {
				x.Session.Structured, x.Session.Extended = false, false
				x.Fail(wire.RepErrUnsup, "structured replies first")
			}
			structured = structured || x.Is(wire.OptStructuredReply) && !x.Failed()
		})
	},
})

// ExtendedDataAccepted takes NBD_OPT_EXTENDED_HEADERS with data.
var ExtendedDataAccepted = register(Quirk{
	Name: "extended-data-accepted", Breaks: "opt.extended-headers.data-invalid",
	Doc:   "acknowledges NBD_OPT_EXTENDED_HEADERS that comes with data",
	Hooks: skip("opt.extended-headers.data-invalid"),
})

// ExtendedAfterStructuredIgnored sticks to what came first.
var ExtendedAfterStructuredIgnored = register(Quirk{
	Name: "extended-after-structured-ignored", Breaks: "trans.extended.reply",
	Doc: "acknowledges NBD_OPT_EXTENDED_HEADERS after structured replies, and goes on with compact headers",
	New: func() server.Hooks {
		structured := false
		return onAnyOption(func(x *server.OptionExchange) {
			if x.Is(wire.OptExtendedHeaders) && structured {
				x.Session.Extended = false
			}
			structured = structured || x.Is(wire.OptStructuredReply) && !x.Failed()
		})
	},
})

// ExtendedDowngraded goes back to structured replies.
var ExtendedDowngraded = register(Quirk{
	Name: "extended-downgraded", Breaks: "trans.extended.reply",
	Doc: "acknowledges NBD_OPT_STRUCTURED_REPLY after extended headers, and forgets about them",
	Hooks: onOption(wire.OptStructuredReply, func(x *server.OptionExchange) {
		if x.Session.Extended {
			x.Session.Extended = false
			x.Replies = []wire.OptionReply{{Option: wire.OptStructuredReply, Type: wire.RepAck}}
		}
	}),
})

// onOptionExtended makes hooks that change the answer to one kind of option
// once extended headers are negotiated.
func onOptionExtended(o wire.Option, f func(*server.OptionExchange)) server.Hooks {
	return onOption(o, func(x *server.OptionExchange) {
		if x.Session.Extended {
			f(x)
		}
	})
}

// ExtendedGoUnsupported has extended headers for nothing.
var ExtendedGoUnsupported = register(Quirk{
	Name: "extended-go-unsupported", Breaks: "opt.info.extended.unsup",
	Doc: "answers NBD_REP_ERR_UNSUP to NBD_OPT_GO after extended headers",
	Hooks: onOptionExtended(wire.OptGo, func(x *server.OptionExchange) {
		x.Fail(wire.RepErrUnsup, "there is NBD_OPT_EXPORT_NAME")
	}),
})

// ExtendedSelectionRefused takes extended headers for no replacement of structured replies.
var ExtendedSelectionRefused = register(Quirk{
	Name: "extended-selection-refused", Breaks: "opt.set-meta.reply",
	Doc: "answers NBD_REP_ERR_INVALID to NBD_OPT_SET_META_CONTEXT after extended headers",
	Hooks: onOptionExtended(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		x.Session.Contexts = nil
		x.Fail(wire.RepErrInvalid, "structured replies first")
	}),
})

// ExtendedListAsksAgain wants extended headers from who has them.
var ExtendedListAsksAgain = register(Quirk{
	Name: "extended-list-asks-again", Breaks: "opt.list-meta.extended.negotiated",
	Doc: "ends lists of contexts by NBD_REP_ERR_EXT_HEADER_REQD after extended headers",
	Hooks: onOptionExtended(wire.OptListMetaContext, func(x *server.OptionExchange) {
		x.Replies[len(x.Replies)-1].Type = wire.RepErrExtHeaderReqd
	}),
})

// ExtendedInfoAsksAgain does the same where there is more to lose.
var ExtendedInfoAsksAgain = register(Quirk{
	Name: "extended-info-asks-again", Breaks: "rep.err-ext-header-reqd.use",
	Doc: "answers NBD_REP_ERR_EXT_HEADER_REQD to NBD_OPT_INFO after extended headers",
	Hooks: onOptionExtended(wire.OptInfo, func(x *server.OptionExchange) {
		x.Fail(wire.RepErrExtHeaderReqd, "extended headers first")
	}),
})

// onNarrow makes hooks that refuse an option about contexts for want of extended headers.
func onNarrow(o wire.Option) server.Hooks {
	return onOption(o, func(x *server.OptionExchange) {
		if x.Session.Structured && !x.Session.Extended && !x.Failed() {
			x.Session.Contexts = nil
			x.Fail(wire.RepErrExtHeaderReqd, "extended headers first")
		}
	})
}

// ListNeedsExtended keeps its contexts from ordinary clients.
var ListNeedsExtended = register(Quirk{
	Name: "list-needs-extended", Breaks: "opt.list-meta.extended.base",
	Doc:   "answers NBD_REP_ERR_EXT_HEADER_REQD to every NBD_OPT_LIST_META_CONTEXT without extended headers",
	Hooks: onNarrow(wire.OptListMetaContext),
})

// SelectionNeedsExtended does not let ordinary clients have contexts.
var SelectionNeedsExtended = register(Quirk{
	Name: "selection-needs-extended", Breaks: "opt.set-meta.extended.base",
	Doc:   "answers NBD_REP_ERR_EXT_HEADER_REQD to every NBD_OPT_SET_META_CONTEXT without extended headers",
	Hooks: onNarrow(wire.OptSetMetaContext),
})
