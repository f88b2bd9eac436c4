package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ZeroesBeyondAccepted zeroes beyond the end.
var ZeroesBeyondAccepted = register(Quirk{
	Name: "zeroes-beyond-accepted", Breaks: "cmd.write-zeroes.bounds",
	Doc:   "reports NBD_CMD_WRITE_ZEROES beyond the end of the export as done",
	Hooks: skip("cmd.write-zeroes.bounds"),
})

// ZeroesBeyondEIO refuses zeroes beyond the end with the wrong error.
var ZeroesBeyondEIO = register(Quirk{
	Name: "zeroes-beyond-eio", Breaks: "cmd.write-zeroes.bounds",
	Doc:   "answers NBD_EIO to NBD_CMD_WRITE_ZEROES beyond the end of the export",
	Hooks: onError(wire.CmdWriteZeroes, wire.ENOSPC, fail(wire.EIO)),
})

// ZeroesErrorHidden reports failures as done.
var ZeroesErrorHidden = register(Quirk{
	Name: "zeroes-error-hidden", Breaks: "cmd.write-zeroes.error",
	Doc: "reports every NBD_CMD_WRITE_ZEROES as done, also where it failed",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Is(wire.CmdWriteZeroes) {
			x.Succeed()
		}
	}),
})
