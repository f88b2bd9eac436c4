package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// DefaultExportMissing has no default export.
var DefaultExportMissing = register(Quirk{
	Name: "default-export-missing", Allowed: true,
	Doc:    "has no default export",
	Config: func(c *server.Config) { c.NoDefault = true },
})

// AnyNameServed has an export of every name.
var AnyNameServed = register(Quirk{
	Name: "any-name-served", Allowed: true,
	Doc: "takes every name that it does not know for its first export",
	Hooks: server.Hooks{Option: func(s *server.Session, o *wire.OptionRequest) {
		first := s.Exports()[0].Name
		switch o.Option {
		case wire.OptExportName:
			if !known(s, string(o.Data)) {
				o.Data = []byte(first)
			}
		case wire.OptInfo, wire.OptGo:
			if q, err := wire.ParseInfoRequest(o.Data); err == nil && !known(s, q.Export) {
				q.Export = first
				o.Data = q.Append(nil)
			}
		case wire.OptListMetaContext, wire.OptSetMetaContext:
			if q, err := wire.ParseMetaContextRequest(o.Data); err == nil && !known(s, q.Export) {
				q.Export = first
				o.Data = q.Append(nil)
			}
		}
	}},
})

// BlockSizeInsisted serves nobody who does not ask for its size constraints.
var BlockSizeInsisted = register(Quirk{
	Name: "block-size-insisted", Allowed: true, Permitted: []string{"size.refuse.export-name", "size.refuse.go"},
	Doc:    "enforces a minimum block size of 4096, and refuses clients that do not ask for NBD_INFO_BLOCK_SIZE",
	Config: insist,
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

// OptionsLimited loses patience with a client that does not come to the point.
var OptionsLimited = register(Quirk{
	Name: "options-limited", Allowed: true,
	Doc: "hangs up on the 33rd option of a connection",
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
	Doc: "hangs up where it would answer NBD_REP_ERR_INVALID to a client that broke a rule for the data of an option",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if n := len(x.Replies); n > 0 && x.Replies[n-1].Type == wire.RepErrInvalid &&
			x.Is(wire.OptList, wire.OptStartTLS, wire.OptStructuredReply, wire.OptInfo, wire.OptGo) {
			x.Silent, x.Hangup = true, true
		}
	}},
})

// InvalidLastWord leaves clients that break the rules behind its answer.
var InvalidLastWord = register(Quirk{
	Name: "invalid-last-word", Allowed: true,
	Doc: "hangs up behind NBD_REP_ERR_INVALID to a client that broke a rule for the data of an option",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if n := len(x.Replies); n > 0 && x.Replies[n-1].Type == wire.RepErrInvalid &&
			x.Is(wire.OptList, wire.OptStartTLS, wire.OptStructuredReply, wire.OptInfo, wire.OptGo) {
			x.Hangup = true
		}
	}},
})
