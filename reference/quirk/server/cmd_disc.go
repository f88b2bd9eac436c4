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

// DiscRangeIgnored does not recognise a request to disconnect that has a range.
var DiscRangeIgnored = register(Quirk{
	Name: "disc-range-ignored", Breaks: "baseline.server.disc",
	Doc: "ignores NBD_CMD_DISC with an offset or a length",
	Hooks: onReply(wire.CmdDisc, func(x *server.Exchange) {
		x.Hangup = x.Request.Offset == 0 && x.Request.Length == 0
	}),
})
