package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ZeroesSwallow expects what the command does without.
var ZeroesSwallow = register(Quirk{
	Name: "zeroes-swallow", Breaks: "write-zeroes-rfc.like-write",
	Doc: "expects a payload after NBD_CMD_WRITE_ZEROES",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdWriteZeroes {
			q.Type = wire.CmdWrite
		}
	}},
})

// ZeroesFUARefused has NBD_CMD_FLAG_FUA for writes that have a payload.
var ZeroesFUARefused = register(Quirk{
	Name: "zeroes-fua-refused", Breaks: "write-zeroes-rfc.like-write",
	Doc: "answers NBD_EINVAL to NBD_CMD_WRITE_ZEROES with NBD_CMD_FLAG_FUA",
	Hooks: onZeroFlag(wire.CmdFlagFUA, func(x *server.Exchange) {
		x.Fail(wire.EINVAL, "the command does not have this flag")
	}),
})
