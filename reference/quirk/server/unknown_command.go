package serverquirk

import (
	"math"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// UnknownCommandAccepted reports commands that it does not know as done.
var UnknownCommandAccepted = register(Quirk{
	Name: "unknown-command-accepted", Breaks: "err.unknown-command",
	Doc:   "reports commands that it does not know as done",
	Hooks: skip("err.unknown-command"),
})

// onUnknownCommand makes hooks that change the reply to commands that the server does not know.
func onUnknownCommand(f func(*server.Exchange)) server.Hooks {
	return server.Hooks{Reply: func(x *server.Exchange) {
		resize := x.Session.Flags&wire.FlagSendResize != 0
		if x.Request.Type > wire.CmdResize || x.Is(wire.CmdResize) && !resize {
			f(x)
		}
	}}
}

// UnknownCommandENOTSUP refuses commands that it does not know with the wrong error.
var UnknownCommandENOTSUP = register(Quirk{
	Name: "unknown-command-enotsup", Breaks: "err.enotsup",
	Doc:   "answers NBD_ENOTSUP to commands that it does not know",
	Hooks: onUnknownCommand(fail(wire.ENOTSUP)),
})

// UnknownCommandEIO refuses commands that it does not know with the wrong error.
var UnknownCommandEIO = register(Quirk{
	Name: "unknown-command-eio", Breaks: "err.unknown-command",
	Doc:   "answers NBD_EIO to commands that it does not know",
	Hooks: onUnknownCommand(fail(wire.EIO)),
})

// HangOnUnknownCommand stops talking after a command that it does not know.
var HangOnUnknownCommand = register(Quirk{
	Name: "hang-on-unknown-command", Breaks: "trans.simple.required",
	Doc:   "answers nothing any more after a command that it does not know",
	Hooks: onUnknownCommand(func(x *server.Exchange) { x.Stall = true }),
})

// CrashOnUnknownCommand dies of a command that it does not know.
var CrashOnUnknownCommand = register(Quirk{
	Name: "crash-on-unknown-command", Breaks: "trans.end.unjustified.server",
	Doc:   "closes all connections and listens no more when it gets a command that it does not know",
	Hooks: onUnknownCommand(func(x *server.Exchange) { x.Silent, x.Crash = true, true }),
})

// UnknownCommandSwallows takes what follows an unknown command for its payload.
var UnknownCommandSwallows = register(Quirk{
	Name: "unknown-command-swallows", Breaks: "layout.request.payload",
	Doc: "waits for as many bytes after an unknown command as its length says",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type >= wire.CmdResize && q.Length > 0 {
			q.Type, q.Offset = wire.CmdWrite, math.MaxUint64 // which is refused, and its payload thrown away
		}
	}},
})
