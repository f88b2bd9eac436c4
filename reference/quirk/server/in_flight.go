package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// RepliesCrossed gives one request what another one asked for.
var RepliesCrossed = register(Quirk{
	Name: "replies-crossed", Breaks: "baseline.server.read",
	Doc: "answers every other NBD_CMD_READ with the data of the one before, if that was as long",
	New: func() server.Hooks {
		var before []byte
		n := 0
		return onReply(wire.CmdRead, func(x *server.Exchange) {
			if x.Err() != wire.OK || x.Request.Length == 0 {
				return
			}
			data := append([]byte(nil), x.Content()...)
			if n++; n%2 == 0 && len(before) == len(data) {
				content(x, before)
			}
			before = data
		})
	},
})
