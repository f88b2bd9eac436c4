package serverquirk

import (
	"math"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ReadEndRefused thinks that the export ends one byte early.
var ReadEndRefused = register(Quirk{
	Name: "read-end-refused", Breaks: "baseline.server.read",
	Doc: "answers NBD_EINVAL to NBD_CMD_READ of the last byte of the export",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Request.Offset+x.Request.Length == x.Session.Export.Disk.Size() {
			x.Fail(wire.EINVAL, "beyond the end")
		}
	}),
})

// ReadHighEIO fails where offsets are high.
var ReadHighEIO = register(Quirk{
	Name: "read-high-eio", Breaks: "baseline.server.read",
	Doc: "answers NBD_EIO to NBD_CMD_READ in the upper half of the export",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Request.Offset+x.Request.Length > x.Session.Export.Disk.Size()/2 && x.Err() == wire.OK {
			x.Fail(wire.EIO, "a bad disk")
		}
	}),
})

// ReadOddRefused serves whole sectors alone, and does not say so.
var ReadOddRefused = register(Quirk{
	Name: "read-odd-refused", Breaks: "size.default.minimum",
	Doc: "answers NBD_EINVAL to NBD_CMD_READ that is not aligned to 512 bytes",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if (x.Request.Offset|x.Request.Length)%512 != 0 {
			x.Fail(wire.EINVAL, "not aligned")
		}
	}),
})

// ReadBeyondAccepted reads zeroes beyond the end.
var ReadBeyondAccepted = register(Quirk{
	Name: "read-beyond-accepted", Breaks: "err.read.bounds",
	Doc:   "reads zeroes beyond the end of the export",
	Hooks: skip("err.read.bounds"),
})

// ReadBeyondENOSPC refuses reads beyond the end with the error of writes.
var ReadBeyondENOSPC = register(Quirk{
	Name: "read-beyond-enospc", Breaks: "err.read.bounds",
	Doc: "answers NBD_ENOSPC to NBD_CMD_READ beyond the end of the export",
	Hooks: onError(wire.CmdRead, wire.EINVAL, func(x *server.Exchange) {
		if beyond(x) {
			x.Fail(wire.ENOSPC, "beyond the end")
		}
	}),
})

// ReadWrapAccepted adds offset and length without a thought for 2^64.
var ReadWrapAccepted = register(Quirk{
	Name: "read-wrap-accepted", Breaks: "err.read.bounds",
	Doc: "reads zeroes where offset and length add up to more than 2^64",
	Hooks: onError(wire.CmdRead, wire.EINVAL, func(x *server.Exchange) {
		if n := x.Request.Length; n > math.MaxUint64-x.Request.Offset && n <= 1<<20 {
			content(x, make([]byte, n))
		}
	}),
})
