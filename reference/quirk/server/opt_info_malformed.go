package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// onMalformedInfo makes hooks that change the answer to NBD_OPT_INFO and
// NBD_OPT_GO whose data does not have its layout.
func onMalformedInfo(f func(*server.OptionExchange)) server.Hooks {
	return server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if _, err := wire.ParseInfoRequest(x.Request.Data); err != nil && x.Is(wire.OptInfo, wire.OptGo) {
			f(x)
		}
	}}
}

// InfoMalformedUnanswered does not answer what it can't parse.
var InfoMalformedUnanswered = register(Quirk{
	Name: "info-malformed-unanswered", Breaks: "layout.option-reply.answered",
	Doc:   "does not answer NBD_OPT_INFO and NBD_OPT_GO whose data does not have its layout",
	Hooks: onMalformedInfo(func(x *server.OptionExchange) { x.Silent = true }),
})

// InfoMalformedAnsweredTwice complains of every mistake on its own.
var InfoMalformedAnsweredTwice = register(Quirk{
	Name: "info-malformed-answered-twice", Breaks: "layout.option-reply.type",
	Doc: "answers NBD_OPT_INFO and NBD_OPT_GO whose data does not have its layout by two errors",
	Hooks: onMalformedInfo(func(x *server.OptionExchange) {
		x.Add(wire.RepErrInvalid, []byte("and another thing"))
	}),
})
