package serverquirk

import (
	"time"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// onZeroFlag makes hooks that change the reply to NBD_CMD_WRITE_ZEROES with a flag.
func onZeroFlag(flag wire.CommandFlags, f func(*server.Exchange)) server.Hooks {
	return onReply(wire.CmdWriteZeroes, func(x *server.Exchange) {
		if x.Request.Flags&flag != 0 {
			f(x)
		}
	})
}

// FastZeroEIO refuses fast zeroes with the wrong error.
var FastZeroEIO = register(Quirk{
	Name: "fast-zero-eio", Breaks: "cmd.write-zeroes.fast-zero.enotsup",
	Doc:   "answers NBD_EIO to every fast zero request",
	Hooks: onZeroFlag(wire.CmdFlagFastZero, fail(wire.EIO)),
})

// failIfDone makes a function that replaces success by an error.
func failIfDone(e wire.Errno) func(*server.Exchange) {
	return func(x *server.Exchange) {
		if x.Err() == wire.OK {
			x.Fail(e, "because I say so")
		}
	}
}

// FastZeroAltered zeroes, slowly, and says that it could not.
var FastZeroAltered = register(Quirk{
	Name: "fast-zero-altered", Breaks: "cmd.write-zeroes.fast-zero.unchanged",
	Doc:   "answers NBD_ENOTSUP to a fast zero request, and zeroes all the same",
	Hooks: onZeroFlag(wire.CmdFlagFastZero, failIfDone(wire.ENOTSUP)),
})

// FastZeroSlow takes its time over fast zeroes.
var FastZeroSlow = register(Quirk{
	Name: "fast-zero-slow", Breaks: "cmd.write-zeroes.fast-zero.enotsup",
	Doc:   "takes two seconds for a fast zero request",
	Hooks: onZeroFlag(wire.CmdFlagFastZero, func(x *server.Exchange) { x.Delay = 2 * time.Second }),
})

// FastZeroEOVERFLOW finds fast zeroes too long.
var FastZeroEOVERFLOW = register(Quirk{
	Name: "fast-zero-eoverflow", Breaks: "cmd.write-zeroes.fast-zero.eoverflow",
	Doc: "answers NBD_EOVERFLOW to a fast zero request of more than 65536 bytes",
	Hooks: onZeroFlag(wire.CmdFlagFastZero, func(x *server.Exchange) {
		if x.Request.Length > 65536 {
			x.Fail(wire.EOVERFLOW, "too long")
		}
	}),
})

// FastZeroUnadvertisedAccepted takes a flag that it did not advertise.
var FastZeroUnadvertisedAccepted = register(Quirk{
	Name: "fast-zero-unadvertised-accepted", Breaks: "cmd.write-zeroes.fast-zero.unadvertised",
	Doc:   "serves fast zero requests although it does not advertise NBD_FLAG_SEND_FAST_ZERO",
	Hooks: skip("cmd.write-zeroes.fast-zero.unadvertised"),
})

// FlagsFastZeroHidden supports NBD_CMD_FLAG_FAST_ZERO and does not say so.
var FlagsFastZeroHidden = register(Quirk{
	Name: "flags-fast-zero-hidden", Breaks: "flag.transmission.fast-zero",
	Doc: "leaves NBD_FLAG_SEND_FAST_ZERO out, but accepts NBD_CMD_FLAG_FAST_ZERO",
	Hooks: onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		return f &^ wire.FlagSendFastZero
	}),
})

// FastZeroHidden knows fast zeroes and does not say so.
var FastZeroHidden = register(Quirk{
	Name: "fast-zero-hidden", Breaks: "flag.transmission.fast-zero",
	Doc: "leaves NBD_FLAG_SEND_FAST_ZERO out, and answers NBD_ENOTSUP to fast zero requests",
	Hooks: func() server.Hooks {
		h := onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
			return f &^ wire.FlagSendFastZero
		})
		h.Reply = func(x *server.Exchange) {
			if x.Is(wire.CmdWriteZeroes) && x.Request.Flags&wire.CmdFlagFastZero != 0 {
				x.Fail(wire.ENOTSUP, "not that fast")
			}
		}
		return h
	}(),
})
