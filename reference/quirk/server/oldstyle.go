package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// HandshakeOldstyle speaks the oldest negotiation.
var HandshakeOldstyle = register(Quirk{
	Name: "handshake-oldstyle", Breaks: "baseline.server.fixed-newstyle",
	Doc:    "speaks oldstyle negotiation",
	Config: func(c *server.Config) { c.Handshake = server.Oldstyle },
})

// HandshakeNewstyle speaks the negotiation that was a mistake.
var HandshakeNewstyle = register(Quirk{
	Name: "handshake-newstyle", Breaks: "baseline.server.fixed-newstyle",
	Doc:    "speaks newstyle negotiation that is not fixed, and hangs up on all options but NBD_OPT_EXPORT_NAME",
	Config: func(c *server.Config) { c.Handshake = server.Newstyle },
})

// OldstyleNowAndThen cannot make up its mind.
var OldstyleNowAndThen = register(Quirk{
	Name: "oldstyle-now-and-then", Breaks: "handshake.port.newstyle-only",
	Doc: "greets every third connection in oldstyle",
	Hooks: server.Hooks{Greeting: func(x *server.GreetingExchange) {
		if x.Session.ID%3 == 0 {
			x.Raw = wire.OldGreeting{Size: x.Session.Exports()[0].Disk.Size(), Flags: uint32(wire.FlagHasFlags)}.Append(nil)
		}
	}},
})
