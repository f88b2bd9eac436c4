package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// FUARejected does not take the flag that it advertises.
var FUARejected = register(Quirk{
	Name: "fua-rejected", Breaks: "cmdflag.fua.accept",
	Doc: "answers NBD_EINVAL to every request with NBD_CMD_FLAG_FUA, and advertises it",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagFUA != 0 && !x.Is(wire.CmdDisc) {
			x.Fail(wire.EINVAL, "the command does not have this flag")
		}
	}},
})

// WriteFUAEIO fails where it has to be sure.
var WriteFUAEIO = register(Quirk{
	Name: "write-fua-eio", Breaks: "cmdflag.fua.accept",
	Doc: "answers NBD_EIO to NBD_CMD_WRITE with NBD_CMD_FLAG_FUA",
	Hooks: onReply(wire.CmdWrite, func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagFUA != 0 && x.Err() == wire.OK {
			x.Fail(wire.EIO, "a bad disk")
		}
	}),
})

// FUAOnlyWithWrites takes the flag with commands that write alone.
var FUAOnlyWithWrites = register(Quirk{
	Name: "fua-only-with-writes", Breaks: "cmdflag.fua.accept",
	Doc: "answers NBD_EINVAL to NBD_CMD_READ with NBD_CMD_FLAG_FUA",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagFUA != 0 {
			x.Fail(wire.EINVAL, "a read does not write")
		}
	}),
})
