package serverquirk

import (
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// A forgetful disk has permanent storage and leaves it alone.
type forgetful struct{ export.Export }

func (forgetful) Flush() error { return nil }

// FlushLies says that it did.
var FlushLies = register(Quirk{
	Name: "flush-lies", Breaks: "cmd.flush.persist",
	Doc:   "answers NBD_CMD_FLUSH, and commands with NBD_CMD_FLAG_FUA, and keeps everything in its cache",
	Hooks: wrap(func(e export.Export) export.Export { return forgetful{e} }),
})

// FUALies takes the flag for decoration.
var FUALies = register(Quirk{
	Name: "fua-lies", Breaks: "cmdflag.fua.persist",
	Doc: "takes NBD_CMD_FLAG_FUA and ignores it",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdWrite || q.Type == wire.CmdWriteZeroes {
			q.Flags &^= wire.CmdFlagFUA
		}
	}},
})
