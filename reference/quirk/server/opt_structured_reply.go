package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// AckWithData puts a text into NBD_REP_ACK.
var AckWithData = register(Quirk{
	Name: "ack-with-data", Breaks: "layout.rep.ack",
	Doc: "puts a text into NBD_REP_ACK",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		x.Each(wire.RepAck, func(r *wire.OptionReply) { r.Data = []byte("ok") })
	}},
})

// StructuredReplyInvalid finds fault with a client that asks for structured replies.
var StructuredReplyInvalid = register(Quirk{
	Name: "structured-reply-invalid", Breaks: "layout.option-reply.type",
	Doc:   "answers NBD_OPT_STRUCTURED_REPLY with NBD_REP_ERR_INVALID",
	Hooks: onOption(wire.OptStructuredReply, func(x *server.OptionExchange) { x.Fail(wire.RepErrInvalid, "") }),
})

// StructuredReplyDataAccepted accepts data with NBD_OPT_STRUCTURED_REPLY.
var StructuredReplyDataAccepted = register(Quirk{
	Name: "structured-reply-data-accepted", Breaks: "opt.structured-reply.data-invalid",
	Doc:   "grants structured replies although NBD_OPT_STRUCTURED_REPLY has data",
	Hooks: skip("opt.structured-reply.data-invalid"),
})

// StructuredReplyRefusedKept refuses structured replies and sends them.
var StructuredReplyRefusedKept = register(Quirk{
	Name: "structured-reply-refused-kept", Breaks: "trans.structured.unnegotiated",
	Doc: "refuses NBD_OPT_STRUCTURED_REPLY with data, and sends structured replies nevertheless",
	Hooks: onOption(wire.OptStructuredReply, func(x *server.OptionExchange) {
		x.Session.Structured = true
	}),
})

// StructuredReplyToggled takes a second NBD_OPT_STRUCTURED_REPLY for the opposite of the first.
var StructuredReplyToggled = register(Quirk{
	Name: "structured-reply-toggled", Breaks: "cmd.read.structured",
	Doc: "sends simple replies after a second NBD_OPT_STRUCTURED_REPLY",
	New: func() server.Hooks {
		n := 0
		return onOption(wire.OptStructuredReply, func(x *server.OptionExchange) {
			n++
			x.Session.Structured = n%2 == 1
		})
	},
})
