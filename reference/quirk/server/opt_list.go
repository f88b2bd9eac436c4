package serverquirk

import (
	"strings"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ListUnsupported does not know NBD_OPT_LIST.
var ListUnsupported = register(Quirk{
	Name: "list-unsupported", Breaks: "baseline.server.list",
	Doc:   "answers NBD_OPT_LIST with NBD_REP_ERR_UNSUP",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Fail(wire.RepErrUnsup, "") }),
})

// ListHangup closes the connection on a client that asks for the list.
var ListHangup = register(Quirk{
	Name: "list-hangup", Breaks: "haggling.hard.unjustified.server",
	Doc:   "closes the connection on NBD_OPT_LIST",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Silent, x.Hangup = true, true }),
})

// ListUnanswered lets a client that asks for the list wait for ever.
var ListUnanswered = register(Quirk{
	Name: "list-unanswered", Breaks: "layout.option-reply.answered",
	Doc:   "never answers NBD_OPT_LIST, nor anything later",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Stall = true }),
})

// OptionReplyUnexpectedType answers NBD_OPT_LIST with information about contexts.
var OptionReplyUnexpectedType = register(Quirk{
	Name: "option-reply-unexpected-type", Breaks: "layout.option-reply.type",
	Doc: "sends NBD_REP_META_CONTEXT among the replies to NBD_OPT_LIST",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) {
		x.Insert(wire.RepMetaContext, wire.MetaContext{Name: "base:allocation"}.Append(nil))
	}),
})

// OptionReplyAfterFinal sends another reply after the final one.
var OptionReplyAfterFinal = register(Quirk{
	Name: "option-reply-after-final", Breaks: "layout.option-reply.type",
	Doc:   "sends NBD_REP_ACK twice at the end of NBD_OPT_LIST",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Add(wire.RepAck, nil) }),
})

// ListNameTooLong announces a longer name than the reply has room for.
var ListNameTooLong = register(Quirk{
	Name: "list-name-too-long", Breaks: "rep.server.name-length",
	Doc: "announces a name in NBD_REP_SERVER that is longer than the reply",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) {
		x.Each(wire.RepServer, func(r *wire.OptionReply) { r.Data[1] = 1 })
	}),
})

// onServerReply makes hooks that change the entries of the list.
func onServerReply(f func(*wire.ServerReply)) server.Hooks {
	return onOption(wire.OptList, func(x *server.OptionExchange) {
		x.Each(wire.RepServer, func(r *wire.OptionReply) {
			if s, err := wire.ParseServerReply(r.Data); err == nil {
				f(&s)
				r.Data = s.Append(nil)
			}
		})
	})
}

// ListNameWithNUL ends names with a NUL, as C programs like to.
var ListNameWithNUL = register(Quirk{
	Name: "list-name-with-nul", Breaks: "string.no-nul.server",
	Doc:   "ends the names in NBD_REP_SERVER with a NUL",
	Hooks: onServerReply(func(s *wire.ServerReply) { s.Name += "\x00" }),
})

// ListNameLatin1 sends names that are not UTF-8.
var ListNameLatin1 = register(Quirk{
	Name: "list-name-latin1", Breaks: "string.utf8.server",
	Doc:   "sends the names in NBD_REP_SERVER in ISO 8859-1",
	Hooks: onServerReply(func(s *wire.ServerReply) { s.Name += "\xe9" }),
})

// ListDescriptionEndless describes its exports at great length.
var ListDescriptionEndless = register(Quirk{
	Name: "list-description-endless", Breaks: "string.max-length.server",
	Doc:   "sends descriptions of 4097 bytes in NBD_REP_SERVER",
	Hooks: onServerReply(func(s *wire.ServerReply) { s.Details = strings.Repeat("x", wire.MaxString+1) }),
})

// ListOmitsExports lists nothing.
var ListOmitsExports = register(Quirk{
	Name: "list-omits-exports", Breaks: "layout.opt.list.replies",
	Doc: "answers NBD_OPT_LIST with NBD_REP_ACK alone",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) {
		x.Drop(func(r wire.OptionReply) bool { return r.Type == wire.RepServer })
	}),
})

// ListTwice lists every export twice.
var ListTwice = register(Quirk{
	Name: "list-twice", Breaks: "layout.opt.list.replies",
	Doc: "lists every export twice",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) {
		x.Each(wire.RepServer, func(r *wire.OptionReply) { x.Insert(wire.RepServer, r.Data) })
	}),
})

// ListInventsExport lists an export that is not there.
var ListInventsExport = register(Quirk{
	Name: "list-invents-export", Breaks: "layout.rep.server.usable",
	Doc: "lists an export that it does not know otherwise",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) {
		if !x.Failed() {
			x.Insert(wire.RepServer, wire.ServerReply{Name: "ghost"}.Append(nil))
		}
	}),
})

// PolicyHangup refuses every export, and closes the connection.
var PolicyHangup = register(Quirk{
	Name: "policy-hangup", Breaks: "haggling.hard.unjustified.server",
	Doc: "answers NBD_OPT_GO with NBD_REP_ERR_POLICY and closes the connection",
	Hooks: onOption(wire.OptGo, func(x *server.OptionExchange) {
		if !x.Failed() {
			x.Fail(wire.RepErrPolicy, "not for you")
			x.Hangup = true
		}
	}),
})

// ListDataAccepted accepts data with NBD_OPT_LIST.
var ListDataAccepted = register(Quirk{
	Name: "list-data-accepted", Breaks: "opt.list.data-invalid",
	Doc:   "lists its exports although NBD_OPT_LIST has data",
	Hooks: skip("opt.list.data-invalid"),
})
