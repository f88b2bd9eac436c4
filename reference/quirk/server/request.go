package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

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
