package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// disguise makes an option an unknown one that no client sends.
const disguise wire.Option = 0x5afe << 16

// NothingOptional offers no feature that it need not offer.
var NothingOptional = register(Quirk{
	Name: "nothing-optional", Allowed: true, Permitted: []string{"interop.optional", "trans.simple.success"},
	Doc: "offers nothing but the baseline: no structured replies, no extended headers, no contexts, reads and writes alone",
	Hooks: server.Hooks{Option: func(_ *server.Session, o *wire.OptionRequest) {
		switch o.Option {
		case wire.OptStructuredReply, wire.OptListMetaContext, wire.OptSetMetaContext, wire.OptExtendedHeaders:
			o.Option |= disguise
		}
	}, OptionReply: func(x *server.OptionExchange) {
		for i := range x.Replies {
			if o := &x.Replies[i].Option; *o>>16 == disguise>>16 {
				*o &^= disguise
			}
		}
	}},
	Config: func(c *server.Config) {
		for i := range c.Exports {
			c.Exports[i].Omit = ^wire.TransmissionFlags(0)
		}
	},
})

// ListForbidden keeps its exports to itself.
var ListForbidden = register(Quirk{
	Name: "list-forbidden", Allowed: true,
	Doc:   "answers NBD_OPT_LIST with NBD_REP_ERR_POLICY",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Fail(wire.RepErrPolicy, "none of your business") }),
})

// ListOnce lists its exports once.
var ListOnce = register(Quirk{
	Name: "list-once", Allowed: true,
	Doc: "answers a second NBD_OPT_LIST with NBD_REP_ERR_INVALID",
	New: func() server.Hooks {
		n := 0
		return onOption(wire.OptList, func(x *server.OptionExchange) {
			if n++; n > 1 {
				x.Fail(wire.RepErrInvalid, "you have the list")
			}
		})
	},
})

// OptionsLimited limits the options of a connection.
var OptionsLimited = register(Quirk{
	Name: "options-limited", Allowed: true,
	Doc: "closes the connection on the 33rd option of a connection",
	New: func() server.Hooks {
		n := 0
		return server.Hooks{OptionReply: func(x *server.OptionExchange) {
			if n++; n > 32 {
				x.Silent, x.Hangup = true, true
			}
		}}
	},
})

// InvalidHangup has no words for clients that break the rules.
var InvalidHangup = register(Quirk{
	Name: "invalid-hangup", Allowed: true,
	Doc: "closes the connection where it would answer NBD_REP_ERR_INVALID to a client that broke a rule for the data of an option",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if n := len(x.Replies); n > 0 && x.Replies[n-1].Type == wire.RepErrInvalid &&
			x.Is(wire.OptList, wire.OptStartTLS, wire.OptStructuredReply, wire.OptInfo, wire.OptGo) {
			x.Silent, x.Hangup = true, true
		}
	}},
})

// InvalidLastWord closes the connection after its answer to clients that break the rules.
var InvalidLastWord = register(Quirk{
	Name: "invalid-last-word", Allowed: true,
	Doc: "closes the connection after NBD_REP_ERR_INVALID to a client that broke a rule for the data of an option",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if n := len(x.Replies); n > 0 && x.Replies[n-1].Type == wire.RepErrInvalid &&
			x.Is(wire.OptList, wire.OptStartTLS, wire.OptStructuredReply, wire.OptInfo, wire.OptGo) {
			x.Hangup = true
		}
	}},
})

// StructuredBehindExtended has no way back.
var StructuredBehindExtended = register(Quirk{
	Name: "structured-behind-extended", Allowed: true, Permitted: []string{"opt.structured-reply.extended"},
	Doc: "answers NBD_REP_ERR_EXT_HEADER_REQD to NBD_OPT_STRUCTURED_REPLY after extended headers",
	Hooks: onOptionExtended(wire.OptStructuredReply, func(x *server.OptionExchange) {
		x.Fail(wire.RepErrExtHeaderReqd, "extended headers are better")
	}),
})
