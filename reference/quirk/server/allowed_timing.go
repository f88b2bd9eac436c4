package serverquirk

import (
	"time"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// RepliesReversed answers a request after the one that follows it.
var RepliesReversed = register(Quirk{
	Name: "replies-reversed", Allowed: true,
	Doc: "holds every other reply back until the next one was sent, for 20 ms at most",
	New: func() server.Hooks {
		n := 0
		return server.Hooks{Reply: func(x *server.Exchange) {
			if n++; n%2 == 1 && !x.Is(wire.CmdDisc) {
				x.Hold = 20 * time.Millisecond
			}
		}}
	},
})

// Dribble sends the first bytes of everything one by one.
var Dribble = register(Quirk{
	Name: "dribble", Allowed: true,
	Doc: "sends option replies, and every eighth reply of up to 64 bytes, byte by byte",
	New: func() server.Hooks {
		n := 7 // the first, and those 8 apart: on a busy machine every byte is a wait
		return server.Hooks{
			OptionReply: func(x *server.OptionExchange) { x.Pace = 20 * time.Microsecond },
			Reply: func(x *server.Exchange) {
				if n++; n%8 == 0 && len(x.Bytes()) <= 64 {
					x.Pace = 20 * time.Microsecond
				}
			},
		}
	},
})

// Slow takes a moment for everything.
var Slow = register(Quirk{
	Name: "slow", Allowed: true,
	Doc: "answers everything 5 ms late",
	Hooks: server.Hooks{
		OptionReply: func(x *server.OptionExchange) { x.Delay = 5 * time.Millisecond },
		Reply:       func(x *server.Exchange) { x.Delay = 5 * time.Millisecond },
	},
})

// ShutdownSoon is about to end all the time.
var ShutdownSoon = register(Quirk{
	Name: "shutdown-soon", Allowed: true, Permitted: []string{"haggling.shutdown.inflight"},
	Doc: "answers NBD_REP_ERR_SHUTDOWN to the 33rd option of a connection and to those after it, but NBD_OPT_ABORT",
	New: func() server.Hooks {
		n := 0
		return server.Hooks{OptionReply: func(x *server.OptionExchange) {
			if n++; n > 32 && !x.Is(wire.OptAbort) {
				x.Fail(wire.RepErrShutdown, "closing time")
			}
		}}
	},
})
