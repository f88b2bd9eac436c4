package serverquirk

import (
	"strings"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// OptionReplyWrongMagic gets a byte of the magic of option replies wrong.
var OptionReplyWrongMagic = register(Quirk{
	Name: "option-reply-wrong-magic", Breaks: "layout.option-reply.magic",
	Doc: "gets a byte of the magic number of option replies wrong",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		x.Raw = x.Bytes()
		x.Raw[7] ^= 1
	}},
})

// OptionReplyWrongOption answers as if another option had been sent.
var OptionReplyWrongOption = register(Quirk{
	Name: "option-reply-wrong-option", Breaks: "layout.option-reply.option",
	Doc: "puts the next option's number into its replies",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		for i := range x.Replies {
			x.Replies[i].Option++
		}
	}},
})

// OptionReplyAfterFinal sends another reply behind the final one.
var OptionReplyAfterFinal = register(Quirk{
	Name: "option-reply-after-final", Breaks: "layout.option-reply.type",
	Doc:   "sends NBD_REP_ACK twice at the end of NBD_OPT_LIST",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Add(wire.RepAck, nil) }),
})

// OptionReplyUnexpectedType answers NBD_OPT_LIST with information about contexts.
var OptionReplyUnexpectedType = register(Quirk{
	Name: "option-reply-unexpected-type", Breaks: "layout.option-reply.type",
	Doc: "sends NBD_REP_META_CONTEXT among the replies to NBD_OPT_LIST",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) {
		x.Insert(wire.RepMetaContext, wire.MetaContext{Name: "base:allocation"}.Append(nil))
	}),
})

// OptionUnknownUnanswered does not answer options that it does not know.
var OptionUnknownUnanswered = register(Quirk{
	Name: "option-unknown-unanswered", Breaks: "layout.option-reply.answered",
	Doc:   "does not answer an option that it does not know",
	Hooks: onUnknownOption(func(x *server.OptionExchange) { x.Silent = true }),
})

// OptionUnknownInvalid answers options that it does not know with the wrong error.
var OptionUnknownInvalid = register(Quirk{
	Name: "option-unknown-invalid", Breaks: "baseline.unsup",
	Doc:   "answers an option that it does not know with NBD_REP_ERR_INVALID",
	Hooks: onUnknownOption(func(x *server.OptionExchange) { x.Fail(wire.RepErrInvalid, "what?") }),
})

// OptionUnknownAcked says yes to options that it does not know.
var OptionUnknownAcked = register(Quirk{
	Name: "option-unknown-acked", Breaks: "baseline.unsup",
	Doc: "answers an option that it does not know with NBD_REP_ACK",
	Hooks: onUnknownOption(func(x *server.OptionExchange) {
		x.Replies = nil
		x.Add(wire.RepAck, nil)
	}),
})

// OptionUnknownHangup hangs up on options that it does not know.
var OptionUnknownHangup = register(Quirk{
	Name: "option-unknown-hangup", Breaks: "baseline.unsup",
	Doc:   "hangs up on an option that it does not know, as servers did before fixed newstyle",
	Hooks: onUnknownOption(func(x *server.OptionExchange) { x.Silent, x.Hangup = true, true }),
})

// OptionUnknownDataUnread takes the data of an unknown option for the next one.
var OptionUnknownDataUnread = register(Quirk{
	Name: "option-unknown-data-unread", Breaks: "baseline.unsup.continue",
	Doc: "takes the data of an option that it does not know for the next option, and hangs up over its magic number",
	Hooks: onUnknownOption(func(x *server.OptionExchange) {
		x.Hangup = len(x.Request.Data) > 0
	}),
})

// AckWithData puts a text into NBD_REP_ACK.
var AckWithData = register(Quirk{
	Name: "ack-with-data", Breaks: "layout.rep.ack",
	Doc: "puts a text into NBD_REP_ACK",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		x.Each(wire.RepAck, func(r *wire.OptionReply) { r.Data = []byte("ok") })
	}},
})

// AbortUnanswered closes the connection on NBD_OPT_ABORT without a reply.
var AbortUnanswered = register(Quirk{
	Name: "abort-unanswered", Breaks: "opt.abort.ack",
	Doc:   "hangs up on NBD_OPT_ABORT without a reply",
	Hooks: onOption(wire.OptAbort, func(x *server.OptionExchange) { x.Silent = true }),
})

// AbortUnsupported does not know NBD_OPT_ABORT.
var AbortUnsupported = register(Quirk{
	Name: "abort-unsupported", Breaks: "opt.abort.ack",
	Doc: "answers NBD_OPT_ABORT with NBD_REP_ERR_UNSUP",
	Hooks: onOption(wire.OptAbort, func(x *server.OptionExchange) {
		x.Fail(wire.RepErrUnsup, "no way out")
		x.Hangup = false
	}),
})

// AbortDataRejected minds data behind NBD_OPT_ABORT.
var AbortDataRejected = register(Quirk{
	Name: "abort-data-rejected", Breaks: "opt.abort.ignore-data",
	Doc: "answers NBD_OPT_ABORT with data by NBD_REP_ERR_INVALID",
	Hooks: onOption(wire.OptAbort, func(x *server.OptionExchange) {
		if len(x.Request.Data) > 0 {
			x.Fail(wire.RepErrInvalid, "the option takes no data")
			x.Hangup = false
		}
	}),
})

// ListDataAccepted does not mind data behind NBD_OPT_LIST.
var ListDataAccepted = register(Quirk{
	Name: "list-data-accepted", Breaks: "opt.list.data-invalid",
	Doc:   "lists its exports although NBD_OPT_LIST has data",
	Hooks: skip("opt.list.data-invalid"),
})

// ListUnsupported does not know NBD_OPT_LIST.
var ListUnsupported = register(Quirk{
	Name: "list-unsupported", Breaks: "baseline.server.list",
	Doc:   "answers NBD_OPT_LIST with NBD_REP_ERR_UNSUP",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Fail(wire.RepErrUnsup, "") }),
})

// ListOmitsExports lists nothing.
var ListOmitsExports = register(Quirk{
	Name: "list-omits-exports", Breaks: "layout.opt.list.replies",
	Doc: "answers NBD_OPT_LIST with NBD_REP_ACK alone",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) {
		x.Drop(func(r wire.OptionReply) bool { return r.Type == wire.RepServer })
	}),
})

// ListHangup hangs up on a client that asks for the list.
var ListHangup = register(Quirk{
	Name: "list-hangup", Breaks: "haggling.hard.unjustified.server",
	Doc:   "hangs up on NBD_OPT_LIST",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Silent, x.Hangup = true, true }),
})

// ListUnanswered lets a client that asks for the list wait for ever.
var ListUnanswered = register(Quirk{
	Name: "list-unanswered", Breaks: "layout.option-reply.answered",
	Doc:   "never answers NBD_OPT_LIST, nor anything later",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Stall = true }),
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

// ListNameTooLong announces a longer name than the reply has room for.
var ListNameTooLong = register(Quirk{
	Name: "list-name-too-long", Breaks: "rep.server.name-length",
	Doc: "announces a name in NBD_REP_SERVER that is longer than the reply",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) {
		x.Each(wire.RepServer, func(r *wire.OptionReply) { r.Data[1] = 1 })
	}),
})

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

// OptionErrorEndless explains errors at great length.
var OptionErrorEndless = register(Quirk{
	Name: "option-error-endless", Breaks: "string.max-length.server",
	Doc:   "sends option errors with texts of 4097 bytes",
	Hooks: onOptionError(func(r *wire.OptionReply) { r.Data = []byte(strings.Repeat("x", wire.MaxString+1)) }),
})

// OptionErrorWithNUL ends error texts with a NUL.
var OptionErrorWithNUL = register(Quirk{
	Name: "option-error-with-nul", Breaks: "string.no-nul.server",
	Doc:   "ends the texts of option errors with a NUL",
	Hooks: onOptionError(func(r *wire.OptionReply) { r.Data = append(r.Data, 0) }),
})

// StructuredReplyDataAccepted does not mind data behind NBD_OPT_STRUCTURED_REPLY.
var StructuredReplyDataAccepted = register(Quirk{
	Name: "structured-reply-data-accepted", Breaks: "opt.structured-reply.data-invalid",
	Doc:   "grants structured replies although NBD_OPT_STRUCTURED_REPLY has data",
	Hooks: skip("opt.structured-reply.data-invalid"),
})

// StartTLSAckedInTheClear grants TLS and never speaks it.
var StartTLSAckedInTheClear = register(Quirk{
	Name: "starttls-acked-in-the-clear", Breaks: "opt.starttls.reply",
	Doc: "answers NBD_OPT_STARTTLS with NBD_REP_ACK and goes on in the clear",
	Hooks: onOption(wire.OptStartTLS, func(x *server.OptionExchange) {
		x.Replies = nil
		x.Add(wire.RepAck, nil)
	}),
})

// TLSRequiredWithoutTLS demands TLS that it does not have.
var TLSRequiredWithoutTLS = register(Quirk{
	Name: "tls-required-without-tls", Breaks: "tls.notls.tls-reqd",
	Doc:   "answers NBD_OPT_LIST with NBD_REP_ERR_TLS_REQD, but does not know NBD_OPT_STARTTLS",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Fail(wire.RepErrTLSReqd, "") }),
})
