package serverquirk

import (
	"time"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// DiscIgnored goes on after NBD_CMD_DISC.
var DiscIgnored = register(Quirk{
	Name: "disc-ignored", Breaks: "baseline.server.disc",
	Doc:   "neither answers NBD_CMD_DISC nor closes the connection",
	Hooks: onReply(wire.CmdDisc, func(x *server.Exchange) { x.Hangup = false }),
})

// DiscAnswered replies to NBD_CMD_DISC.
var DiscAnswered = register(Quirk{
	Name: "disc-answered", Breaks: "layout.disc.no-reply",
	Doc:   "replies to NBD_CMD_DISC before it closes the connection",
	Hooks: onReply(wire.CmdDisc, func(x *server.Exchange) { x.Succeed() }),
})

// DiscDropsOutstanding does not finish what it has begun.
var DiscDropsOutstanding = register(Quirk{
	Name: "disc-drops-outstanding", Breaks: "cmd.disc.outstanding",
	Doc: "answers everything 50 ms late, and not at all if NBD_CMD_DISC comes first",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		if x.Is(wire.CmdDisc) {
			x.Reset = true
		} else {
			x.Delay = 50 * time.Millisecond
		}
	}},
})

// TrimHangup hangs up on a command that it offers.
var TrimHangup = register(Quirk{
	Name: "trim-hangup", Breaks: "trans.end.unjustified.server",
	Doc:   "hangs up on NBD_CMD_TRIM",
	Hooks: onReply(wire.CmdTrim, hangup),
})

// CrashOnUnknownCommand dies of a command that it does not know.
var CrashOnUnknownCommand = register(Quirk{
	Name: "crash-on-unknown-command", Breaks: "trans.end.unjustified.server",
	Doc:   "closes all connections and listens no more when it gets a command that it does not know",
	Hooks: onUnknownCommand(func(x *server.Exchange) { x.Silent, x.Crash = true, true }),
})

// CrashOnLongName dies of a name that is longer than 256 bytes.
var CrashOnLongName = register(Quirk{
	Name: "crash-on-long-name", Breaks: "haggling.hard.unjustified.server",
	Doc: "closes all connections and listens no more when it gets NBD_OPT_INFO or NBD_OPT_GO with more than 256 bytes of data",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Is(wire.OptInfo, wire.OptGo) && len(x.Request.Data) > 256 {
			x.Silent, x.Crash = true, true
		}
	}},
})

// HangOnUnknownCommand stops talking after a command that it does not know.
var HangOnUnknownCommand = register(Quirk{
	Name: "hang-on-unknown-command", Breaks: "trans.simple.required",
	Doc:   "answers nothing any more after a command that it does not know",
	Hooks: onUnknownCommand(func(x *server.Exchange) { x.Stall = true }),
})

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

// SecondRequestUnanswered answers every other request.
var SecondRequestUnanswered = register(Quirk{
	Name: "second-request-unanswered", Breaks: "baseline.server.read",
	Doc: "does not answer every second request of a connection",
	New: func() server.Hooks {
		n := 0
		return server.Hooks{Reply: func(x *server.Exchange) {
			if n++; n%2 == 0 && !x.Is(wire.CmdDisc) {
				x.Silent = true
			}
		}}
	},
})

// SecondConnectionRefused serves one connection in its life.
var SecondConnectionRefused = register(Quirk{
	Name: "second-connection-refused", Breaks: "trans.end.unjustified.server",
	Doc: "hangs up on every connection but the first",
	Hooks: server.Hooks{Greeting: func(x *server.GreetingExchange) {
		x.Hangup = x.Session.ID > 1
		x.Silent = x.Hangup
	}},
})
