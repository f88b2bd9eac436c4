package serverquirk

import (
	"strings"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// onUnknownOption makes hooks that change the answer to options that the server does not know.
func onUnknownOption(f func(*server.OptionExchange)) server.Hooks {
	return server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if n := len(x.Replies); n == 1 && x.Replies[0].Type == wire.RepErrUnsup && !x.Is(wire.OptStartTLS) {
			f(x)
		}
	}}
}

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

// OptionUnknownHangup closes the connection on options that it does not know.
var OptionUnknownHangup = register(Quirk{
	Name: "option-unknown-hangup", Breaks: "baseline.unsup",
	Doc:   "closes the connection on an option that it does not know, as servers did before fixed newstyle",
	Hooks: onUnknownOption(func(x *server.OptionExchange) { x.Silent, x.Hangup = true, true }),
})

// OptionUnknownUnanswered does not answer options that it does not know.
var OptionUnknownUnanswered = register(Quirk{
	Name: "option-unknown-unanswered", Breaks: "layout.option-reply.answered",
	Doc:   "does not answer an option that it does not know",
	Hooks: onUnknownOption(func(x *server.OptionExchange) { x.Silent = true }),
})

// OptionUnknownDataUnread takes the data of an unknown option for the next one.
var OptionUnknownDataUnread = register(Quirk{
	Name: "option-unknown-data-unread", Breaks: "baseline.unsup.continue",
	Doc: "takes the data of an option that it does not know for the next option, and closes the connection over its magic number",
	Hooks: onUnknownOption(func(x *server.OptionExchange) {
		x.Hangup = len(x.Request.Data) > 0
	}),
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

// ExtendedHeadersInvalid finds fault with a client that asks for what it does not have.
var ExtendedHeadersInvalid = register(Quirk{
	Name: "extended-headers-invalid", Breaks: "baseline.unsup",
	Doc:   "answers NBD_OPT_EXTENDED_HEADERS, which it does not have, with NBD_REP_ERR_INVALID",
	Hooks: onOption(wire.OptExtendedHeaders, func(x *server.OptionExchange) { x.Fail(wire.RepErrInvalid, "") }),
})
