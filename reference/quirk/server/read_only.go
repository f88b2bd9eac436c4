package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// FlagsReadOnlyWithTrim advertises trim on a read-only export.
var FlagsReadOnlyWithTrim = register(Quirk{
	Name: "flags-read-only-with-trim", Breaks: "flag.transmission.unsupported.read-only",
	Doc: "sets NBD_FLAG_SEND_TRIM and NBD_FLAG_SEND_WRITE_ZEROES on a read-only export",
	Hooks: onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		return f | wire.FlagSendTrim | wire.FlagSendWriteZeroes
	}),
})

// WriteReadOnlyAccepted writes to a read-only export.
var WriteReadOnlyAccepted = register(Quirk{
	Name: "write-read-only-accepted", Breaks: "flag.transmission.read-only.writes",
	Doc:   "writes to a read-only export",
	Hooks: skip("err.write.read-only"),
})

// ReadOnlyRefusedAndDone says no, and does it.
var ReadOnlyRefusedAndDone = register(Quirk{
	Name: "read-only-refused-and-done", Breaks: "layout.write.range",
	Doc: "answers NBD_EPERM to what would change a read-only export, and changes it all the same",
	Hooks: server.Hooks{
		Skip: skip("err.write.read-only", "err.trim.read-only", "cmd.trim.needs-flag",
			"cmd.write-zeroes.read-only", "cmd.write-zeroes.needs-flag").Skip,
		Reply: func(x *server.Exchange) {
			if x.Session.Flags&wire.FlagReadOnly != 0 && x.Is(wire.CmdWrite, wire.CmdWriteZeroes, wire.CmdTrim) {
				x.Fail(wire.EPERM, "the export is read-only")
			}
		},
	},
})

// WriteReadOnlyEINVAL refuses writes to a read-only export with the wrong error.
var WriteReadOnlyEINVAL = register(Quirk{
	Name: "write-read-only-einval", Breaks: "err.write.read-only",
	Doc:   "answers NBD_EINVAL to NBD_CMD_WRITE on a read-only export",
	Hooks: onError(wire.CmdWrite, wire.EPERM, fail(wire.EINVAL)),
})

// WriteRefusedPayloadUnread takes the payload of a refused write for the next request.
var WriteRefusedPayloadUnread = register(Quirk{
	Name: "write-refused-payload-unread", Breaks: "trans.end.unjustified.server",
	Doc: "takes the payload of a refused NBD_CMD_WRITE for the next request, and closes the connection over its magic number",
	Hooks: onAnyError(func(x *server.Exchange) {
		x.Hangup = x.Is(wire.CmdWrite)
	}),
})

// offering adds transmission flags to what h advertises.
func offering(more wire.TransmissionFlags, h server.Hooks) server.Hooks {
	f := onFlags(func(_ *server.Session, flags wire.TransmissionFlags) wire.TransmissionFlags { return flags | more })
	h.OptionReply, h.ExportName = f.OptionReply, f.ExportName
	return h
}

// ReadOnlyOffersWrites offers what a read-only export has no use for, and does it.
var ReadOnlyOffersWrites = register(Quirk{
	Name: "read-only-offers-writes", Breaks: "flag.transmission.read-only.writes",
	Doc: "advertises NBD_CMD_TRIM and NBD_CMD_WRITE_ZEROES on a read-only export, and serves them",
	Hooks: offering(wire.FlagSendTrim|wire.FlagSendWriteZeroes, skip("err.trim.read-only", "cmd.trim.needs-flag",
		"cmd.write-zeroes.read-only", "cmd.write-zeroes.needs-flag")),
})

// ZeroesReadOnlyEINVAL refuses to zero a read-only export with the wrong error.
var ZeroesReadOnlyEINVAL = register(Quirk{
	Name: "zeroes-read-only-einval", Breaks: "cmd.write-zeroes.read-only",
	Doc:   "offers NBD_CMD_WRITE_ZEROES on a read-only export and answers NBD_EINVAL to it",
	Hooks: offering(wire.FlagSendWriteZeroes, onError(wire.CmdWriteZeroes, wire.EPERM, fail(wire.EINVAL))),
})

// ZeroesReadOnlyAccepted zeroes a read-only export.
var ZeroesReadOnlyAccepted = register(Quirk{
	Name: "zeroes-read-only-accepted", Breaks: "flag.transmission.read-only.writes",
	Doc:   "serves NBD_CMD_WRITE_ZEROES on a read-only export",
	Hooks: skip("cmd.write-zeroes.read-only", "cmd.write-zeroes.needs-flag"),
})

// TrimReadOnlyEINVAL refuses to trim a read-only export with the wrong error.
var TrimReadOnlyEINVAL = register(Quirk{
	Name: "trim-read-only-einval", Breaks: "err.trim.read-only",
	Doc:   "offers NBD_CMD_TRIM on a read-only export and answers NBD_EINVAL to it",
	Hooks: offering(wire.FlagSendTrim, onError(wire.CmdTrim, wire.EPERM, fail(wire.EINVAL))),
})

// TrimReadOnlyAccepted trims a read-only export.
var TrimReadOnlyAccepted = register(Quirk{
	Name: "trim-read-only-accepted", Breaks: "flag.transmission.read-only.writes",
	Doc:   "serves NBD_CMD_TRIM on a read-only export",
	Hooks: skip("err.trim.read-only", "cmd.trim.needs-flag"),
})
