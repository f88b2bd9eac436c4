package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ShutdownEIO fails requests during a shutdown with the wrong error.
var ShutdownEIO = register(Quirk{
	Name: "shutdown-eio", Breaks: "trans.end.shutdown.eshutdown",
	Unseen: "a spec has no way of shutting a server down in the middle of a session",
	Doc:    "answers NBD_EIO to requests while it is being shut down",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Err() == wire.ESHUTDOWN {
			x.Fail(wire.EIO, "")
		}
	}),
})

// ShutdownOptionPolicy fails options during a shutdown with the wrong error.
var ShutdownOptionPolicy = register(Quirk{
	Name: "shutdown-option-policy", Breaks: "haggling.shutdown.error",
	Unseen: "a spec has no way of shutting a server down in the middle of a session",
	Doc:    "answers NBD_REP_ERR_POLICY to options while it is being shut down",
	Hooks: onOptionError(func(r *wire.OptionReply) {
		if r.Type == wire.RepErrShutdown {
			r.Type = wire.RepErrPolicy
		}
	}),
})

// ShutdownForgotten is about to go, and then has other reasons to refuse.
var ShutdownForgotten = register(Quirk{
	Name: "shutdown-forgotten", Breaks: "trans.end.shutdown.eshutdown",
	Doc: "answers NBD_ESHUTDOWN to the first read of a connection, and NBD_EIO to those that come later",
	New: func() server.Hooks {
		told := false
		return onReply(wire.CmdRead, func(x *server.Exchange) {
			if told {
				x.Fail(wire.EIO, "no")
			} else {
				x.Fail(wire.ESHUTDOWN, "about to go")
			}
			told = true
		})
	},
})

// ShutdownTakenBack is about to go, and then serves.
var ShutdownTakenBack = register(Quirk{
	Name: "shutdown-taken-back", Breaks: "haggling.shutdown.error",
	Doc:   "answers NBD_REP_ERR_SHUTDOWN to NBD_OPT_LIST, and serves the options that come later",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) { x.Fail(wire.RepErrShutdown, "about to go") }),
})
