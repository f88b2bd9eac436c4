package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// StartTLSRefusedHangup wants nothing to do with clients that like TLS.
var StartTLSRefusedHangup = register(Quirk{
	Name: "starttls-refused-hangup", Breaks: "baseline.unsup.continue",
	Doc:   "closes the connection after its refusal of NBD_OPT_STARTTLS",
	Hooks: onOption(wire.OptStartTLS, func(x *server.OptionExchange) { x.Hangup = x.Failed() }),
})

// StartTLSNeedsTLS demands TLS of a client that asks for it.
var StartTLSNeedsTLS = register(Quirk{
	Name: "starttls-needs-tls", Breaks: "tls.notls.starttls",
	Doc:   "answers NBD_OPT_STARTTLS with NBD_REP_ERR_TLS_REQD",
	Hooks: onOption(wire.OptStartTLS, func(x *server.OptionExchange) { x.Fail(wire.RepErrTLSReqd, "") }),
})

// TLSRequiredWithoutTLS demands TLS that it does not have.
var TLSRequiredWithoutTLS = register(Quirk{
	Name: "tls-required-without-tls", Breaks: "tls.notls.tls-reqd",
	Doc:   "answers NBD_OPT_LIST with NBD_REP_ERR_TLS_REQD, but does not know NBD_OPT_STARTTLS",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Fail(wire.RepErrTLSReqd, "") }),
})

// StartTLSDataUnanswered waits for something that makes sense.
var StartTLSDataUnanswered = register(Quirk{
	Name: "starttls-data-unanswered", Breaks: "layout.option-reply.answered",
	Doc: "does not answer NBD_OPT_STARTTLS with data",
	Hooks: onOption(wire.OptStartTLS, func(x *server.OptionExchange) {
		x.Silent = len(x.Request.Data) > 0
	}),
})

// StartTLSNotFixed grants TLS to a client that can't ask for it.
var StartTLSNotFixed = register(Quirk{
	Name: "starttls-not-fixed", Breaks: "tls.mode.not-fixed",
	Doc: "answers NBD_REP_ACK to NBD_OPT_STARTTLS from a client that did not set NBD_FLAG_C_FIXED_NEWSTYLE",
	Hooks: onOption(wire.OptStartTLS, func(x *server.OptionExchange) {
		if x.Session.ClientFlags&wire.FlagCFixedNewstyle == 0 {
			x.Replies = nil
			x.Add(wire.RepAck, nil)
		}
	}),
})

// StartTLSAckedInTheClear grants TLS and never speaks it.
var StartTLSAckedInTheClear = register(Quirk{
	Name: "starttls-acked-in-the-clear", Breaks: "opt.starttls.reply",
	Doc: "answers NBD_OPT_STARTTLS with NBD_REP_ACK and goes on in plaintext",
	Hooks: onOption(wire.OptStartTLS, func(x *server.OptionExchange) {
		x.Replies = nil
		x.Add(wire.RepAck, nil)
	}),
})
