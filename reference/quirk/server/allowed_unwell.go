package serverquirk

import (
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// unwellWithin does so for requests that touch n bytes at an offset.
func unwellWithin(offset, n uint64, name, doc string, e wire.Errno, commands ...wire.Command) Quirk {
	return Quirk{
		Name: name, Allowed: true, Unwell: true, Doc: doc,
		Config: func(cfg *server.Config) {
			for i := range cfg.Exports {
				cfg.Exports[i].Gate = export.NewFaults(export.Fault{Commands: commands, Offset: offset, Length: n, Err: e})
			}
		},
	}
}

// unwell makes a quirk whose requests of some commands, or of all, do nothing
// and give an error, where there is nothing wrong with them.
func unwell(name, doc string, e wire.Errno, commands ...wire.Command) Quirk {
	return unwellWithin(0, 0, name, doc, e, commands...)
}

// The part of an export that is unwell where not all of it is: neither its
// beginning nor its end, so that long requests touch it and short ones miss it.
const part, partSize = 8 << 10, 1 << 20

func permitted(q Quirk, clauses ...string) Quirk {
	q.Permitted = clauses
	return q
}

// forGood makes q keep to NBD_ESHUTDOWN on a connection that has heard it.
func forGood(q Quirk) Quirk {
	q.New = func() server.Hooks {
		said := false
		return onAnyError(func(x *server.Exchange) {
			if said = said || x.Err() == wire.ESHUTDOWN; said {
				x.Fail(wire.ESHUTDOWN, "about to go")
			}
		})
	}
	return q
}

// Servers that are in order, where what they stand on is not.
var (
	WritesENOSPC = register(permitted(unwell("writes-enospc", "answers NBD_ENOSPC to every write, as on a full disk",
		wire.ENOSPC, wire.CmdWrite, wire.CmdWriteZeroes), "meta.allocation.hole.enospc"))
	WritesEIO = register(unwell("writes-eio", "answers NBD_EIO to whatever changes the export, as on a broken disk",
		wire.EIO, wire.CmdWrite, wire.CmdWriteZeroes, wire.CmdTrim, wire.CmdFlush))
	ReadsEIO = register(unwell("reads-eio", "answers NBD_EIO to every NBD_CMD_READ and NBD_CMD_CACHE, as on a broken disk",
		wire.EIO, wire.CmdRead, wire.CmdCache))
	WritesEPERM = register(unwell("writes-eperm",
		"answers NBD_EPERM to whatever would change the export, as where the server can't see that it has no permission",
		wire.EPERM, wire.CmdWrite, wire.CmdWriteZeroes, wire.CmdTrim))
	WritesPartEPERM = register(unwellWithin(part, partSize, "writes-part-eperm",
		"answers NBD_EPERM to whatever would change a part of the export, which is protected",
		wire.EPERM, wire.CmdWrite, wire.CmdWriteZeroes, wire.CmdTrim))
	ReadsPartEPERM = register(unwellWithin(part, partSize, "reads-part-eperm",
		"answers NBD_EPERM to NBD_CMD_READ and NBD_CMD_CACHE in a part of the export, which is protected",
		wire.EPERM, wire.CmdRead, wire.CmdCache))
	WritesPartENOSPC = register(unwellWithin(part, partSize, "writes-part-enospc",
		"answers NBD_ENOSPC to writes in a part of the export, a hole that can't be filled",
		wire.ENOSPC, wire.CmdWrite, wire.CmdWriteZeroes))
	WritesENOMEM    = register(unwell("writes-enomem", "answers NBD_ENOMEM to every NBD_CMD_WRITE", wire.ENOMEM, wire.CmdWrite))
	RequestsEIO     = register(unwell("requests-eio", "answers NBD_EIO to every request that is in order", wire.EIO))
	RequestsEndSoon = register(permitted(forGood(unwell("requests-eshutdown",
		"answers NBD_ESHUTDOWN to every request that is in order, and to whatever comes later", wire.ESHUTDOWN)),
		"trans.end.shutdown.errors"))
)
