package serverquirk

import (
	"math"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// TrimAdvertisedOnly advertises NBD_CMD_TRIM and refuses it.
var TrimAdvertisedOnly = register(Quirk{
	Name: "trim-advertised-only", Breaks: "flag.transmission.unsupported",
	Doc:   "sets NBD_FLAG_SEND_TRIM and answers every NBD_CMD_TRIM with NBD_EINVAL",
	Hooks: onReply(wire.CmdTrim, fail(wire.EINVAL)),
})

// TrimHangup closes the connection on a command that it offers.
var TrimHangup = register(Quirk{
	Name: "trim-hangup", Breaks: "trans.end.unjustified.server",
	Doc:   "closes the connection on NBD_CMD_TRIM",
	Hooks: onReply(wire.CmdTrim, hangup),
})

// A trimming is a disk that trims in its own way, and may do so late.
type trimming struct {
	export.Export
	trim   func(off, n uint64) error
	before func() // any read
}

func (t trimming) Trim(off, n uint64) error { return t.trim(off, n) }

func (t trimming) ReadAt(p []byte, off uint64) error {
	if t.before != nil {
		t.before()
	}
	return t.Export.ReadAt(p, off)
}

// TrimRoundedOut discards too much.
var TrimRoundedOut = register(Quirk{
	Name: "trim-rounded-out", Breaks: "layout.trim.range",
	Doc: "discards all of every page of 4096 bytes that NBD_CMD_TRIM touches",
	Hooks: wrap(func(e export.Export) export.Export {
		return trimming{Export: e, trim: func(off, n uint64) error {
			start, end := off&^4095, (off+n+4095)&^4095
			return e.Zero(start, end-start, false, false)
		}}
	}),
})

// TrimLate discards what was written after the trim.
var TrimLate = register(Quirk{
	Name: "trim-late", Breaks: "cmd.write.then-reply",
	Doc: "answers NBD_CMD_TRIM at once, and discards the range before the next read",
	Hooks: wrap(func(e export.Export) export.Export {
		var later []func()
		return trimming{
			Export: e,
			trim: func(off, n uint64) error {
				later = append(later, func() { _ = e.Zero(off, n, false, false) })
				return nil
			},
			before: func() {
				for _, f := range later {
					f()
				}
				later = nil
			},
		}
	}),
})

// TrimmedUnreadable loses more than the contents.
var TrimmedUnreadable = register(Quirk{
	Name: "trimmed-unreadable", Breaks: "baseline.server.read",
	Doc: "answers NBD_EIO to every NBD_CMD_READ of a connection after its first NBD_CMD_TRIM",
	New: func() server.Hooks {
		trimmed := false
		return server.Hooks{Reply: func(x *server.Exchange) {
			trimmed = trimmed || x.Is(wire.CmdTrim)
			if trimmed && x.Is(wire.CmdRead) {
				x.Fail(wire.EIO, "there is nothing")
			}
		}}
	},
})

// TrimBeyondAccepted trims beyond the end.
var TrimBeyondAccepted = register(Quirk{
	Name: "trim-beyond-accepted", Breaks: "err.trim.bounds",
	Doc:   "reports NBD_CMD_TRIM beyond the end of the export as done",
	Hooks: skip("err.trim.bounds"),
})

// TrimBeyondENOSPC refuses trims beyond the end with the error of writes.
var TrimBeyondENOSPC = register(Quirk{
	Name: "trim-beyond-enospc", Breaks: "err.trim.bounds",
	Doc: "answers NBD_ENOSPC to NBD_CMD_TRIM beyond the end of the export",
	Hooks: onError(wire.CmdTrim, wire.EINVAL, func(x *server.Exchange) {
		if beyond(x) {
			x.Fail(wire.ENOSPC, "beyond the end")
		}
	}),
})

// RangeOverflowAccepted adds offset and length without a thought for 2^64.
var RangeOverflowAccepted = register(Quirk{
	Name: "range-overflow-accepted", Breaks: "err.trim.bounds",
	Doc: "reports NBD_CMD_TRIM as done where offset and length add up to more than 2^64",
	Hooks: onError(wire.CmdTrim, wire.EINVAL, func(x *server.Exchange) {
		if x.Request.Length > math.MaxUint64-x.Request.Offset {
			x.Succeed()
		}
	}),
})

// TrimZeroLengthHangup closes the connection on trims of nothing.
var TrimZeroLengthHangup = register(Quirk{
	Name: "trim-zero-length-hangup", Breaks: "cmd.trim.zero-length.stay",
	Doc:   "closes the connection on a trim of 0 bytes",
	Hooks: onZeroLength(wire.CmdTrim, hangup),
})
