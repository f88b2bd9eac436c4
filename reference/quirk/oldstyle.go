package quirk

import "nbdconform/reference/server"

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
