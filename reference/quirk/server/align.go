package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// WriteUnalignedAccepted serves writes below the minimum block size.
var WriteUnalignedAccepted = register(Quirk{
	Name: "write-unaligned-accepted", Breaks: "err.write.align",
	Doc:   "serves an NBD_CMD_WRITE that is not aligned to the minimum block size",
	Hooks: skip("err.write.align"),
})

// ZeroesUnalignedAccepted serves trims and zeroes below the minimum block size.
var ZeroesUnalignedAccepted = register(Quirk{
	Name: "zeroes-unaligned-accepted", Breaks: "size.align.server",
	Doc:   "serves an NBD_CMD_TRIM or NBD_CMD_WRITE_ZEROES that is not aligned to the minimum block size",
	Hooks: skip("size.align.server"),
})

// UnalignedTorn refuses an unaligned write and writes the aligned part of it.
var UnalignedTorn = register(Quirk{
	Name: "unaligned-torn", Breaks: "size.enforce.clean",
	Doc: "answers NBD_EINVAL to an unaligned NBD_CMD_WRITE, and overwrites the export's first bytes with it",
	Hooks: onError(wire.CmdWrite, wire.EINVAL, func(x *server.Exchange) {
		junk := make([]byte, min(x.Request.Length, 4096))
		_ = x.Session.Export.Disk.WriteAt(junk, 0)
	}),
})
