package serverquirk

import (
	"strings"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ReadUnalignedAccepted serves reads below the minimum block size.
var ReadUnalignedAccepted = register(Quirk{
	Name: "read-unaligned-accepted", Breaks: "err.read.align",
	Doc:   "serves an NBD_CMD_READ that is not aligned to the minimum block size",
	Hooks: skip("err.read.align"),
})

// ReadRounded serves the block around what was asked for.
var ReadRounded = register(Quirk{
	Name: "read-rounded", Breaks: "size.enforce.clean",
	Doc: "answers an unaligned NBD_CMD_READ with other bytes",
	Hooks: onError(wire.CmdRead, wire.EINVAL, func(x *server.Exchange) {
		c := x.Session.Export.Constraints
		if (x.Request.Offset|x.Request.Length)%uint64(c.Minimum) != 0 && x.Request.Length < 1<<16 {
			content(x, []byte(strings.Repeat("\x99", int(x.Request.Length))))
		}
	}),
})
