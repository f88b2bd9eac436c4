package serverquirk

import (
	"bytes"
	"time"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ZeroesLost says that it has zeroed, and has not.
var ZeroesLost = register(Quirk{
	Name: "zeroes-lost", Breaks: "cmd.write-zeroes.then-reply",
	Doc: "reports NBD_CMD_WRITE_ZEROES as done and zeroes nothing",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, zero: func(uint64, uint64, bool, bool) error { return nil }}
	}),
})

// ZeroesTrimmedToGarbage trims instead of zeroing, on a medium where that leaves garbage.
var ZeroesTrimmedToGarbage = register(Quirk{
	Name: "zeroes-trimmed-to-garbage", Breaks: "cmd.write-zeroes.reads-zero",
	Doc: "leaves bytes of 0xa5 behind NBD_CMD_WRITE_ZEROES without NBD_CMD_FLAG_NO_HOLE",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, zero: func(off, n uint64, noHole, fast bool) error {
			if noHole {
				return e.Zero(off, n, noHole, fast)
			}
			return e.WriteAt(bytes.Repeat([]byte{0xa5}, int(min(n, 1<<20))), off)
		}}
	}),
})

// NoHoleIgnored makes holes where it must not.
var NoHoleIgnored = register(Quirk{
	Name: "no-hole-ignored", Breaks: "cmdflag.no-hole.provision",
	Doc:    "makes holes in spite of NBD_CMD_FLAG_NO_HOLE",
	Unseen: "a server may report holes that it can't tell from allocated zeroes",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdWriteZeroes {
			q.Flags &^= wire.CmdFlagNoHole
		}
	}},
})

// onZeroFlag makes hooks that change the reply to NBD_CMD_WRITE_ZEROES with a flag.
func onZeroFlag(flag wire.CommandFlags, f func(*server.Exchange)) server.Hooks {
	return onReply(wire.CmdWriteZeroes, func(x *server.Exchange) {
		if x.Request.Flags&flag != 0 {
			f(x)
		}
	})
}

// NoHoleRejected does not take a flag that comes with the command.
var NoHoleRejected = register(Quirk{
	Name: "no-hole-rejected", Breaks: "cmdflag.no-hole.support",
	Doc:   "answers NBD_EINVAL to NBD_CMD_FLAG_NO_HOLE",
	Hooks: onZeroFlag(wire.CmdFlagNoHole, fail(wire.EINVAL)),
})

// FastZeroAltered zeroes, slowly, and says that it could not.
var FastZeroAltered = register(Quirk{
	Name: "fast-zero-altered", Breaks: "cmd.write-zeroes.fast-zero.unchanged",
	Doc:   "answers NBD_ENOTSUP to a fast zero request, and zeroes all the same",
	Hooks: onZeroFlag(wire.CmdFlagFastZero, failIfDone(wire.ENOTSUP)),
})

// failIfDone makes a function that replaces success by an error.
func failIfDone(e wire.Errno) func(*server.Exchange) {
	return func(x *server.Exchange) {
		if x.Err() == wire.OK {
			x.Fail(e, "because I say so")
		}
	}
}

// FastZeroSlow takes its time over fast zeroes.
var FastZeroSlow = register(Quirk{
	Name: "fast-zero-slow", Breaks: "cmd.write-zeroes.fast-zero.enotsup",
	Doc:   "takes two seconds for a fast zero request",
	Hooks: onZeroFlag(wire.CmdFlagFastZero, func(x *server.Exchange) { x.Delay = 2 * time.Second }),
})

// FastZeroEIO refuses fast zeroes with the wrong error.
var FastZeroEIO = register(Quirk{
	Name: "fast-zero-eio", Breaks: "cmd.write-zeroes.fast-zero.enotsup",
	Doc:   "answers NBD_EIO to every fast zero request",
	Hooks: onZeroFlag(wire.CmdFlagFastZero, fail(wire.EIO)),
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

// ZeroesENOTSUP answers requests that are not fast as if they were.
var ZeroesENOTSUP = register(Quirk{
	Name: "zeroes-enotsup", Breaks: "cmd.write-zeroes.enotsup",
	Doc: "answers NBD_ENOTSUP to NBD_CMD_WRITE_ZEROES without NBD_CMD_FLAG_FAST_ZERO",
	Hooks: onReply(wire.CmdWriteZeroes, func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagFastZero == 0 {
			x.Fail(wire.ENOTSUP, "zeroing is no faster than writing")
		}
	}),
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

// ZeroesReadOnlyAccepted zeroes a read-only export.
var ZeroesReadOnlyAccepted = register(Quirk{
	Name: "zeroes-read-only-accepted", Breaks: "flag.transmission.read-only.writes",
	Doc:   "serves NBD_CMD_WRITE_ZEROES on a read-only export",
	Hooks: skip("cmd.write-zeroes.read-only", "cmd.write-zeroes.needs-flag"),
})

// ZeroesReadOnlyEINVAL refuses to zero a read-only export with the wrong error.
var ZeroesReadOnlyEINVAL = register(Quirk{
	Name: "zeroes-read-only-einval", Breaks: "cmd.write-zeroes.read-only",
	Doc:   "offers NBD_CMD_WRITE_ZEROES on a read-only export and answers NBD_EINVAL to it",
	Hooks: offering(wire.FlagSendWriteZeroes, onError(wire.CmdWriteZeroes, wire.EPERM, fail(wire.EINVAL))),
})

// ZeroesZeroLengthHangup hangs up on zeroes for nothing.
var ZeroesZeroLengthHangup = register(Quirk{
	Name: "zeroes-zero-length-hangup", Breaks: "cmd.write-zeroes.zero-length.stay",
	Doc:   "hangs up on a request to zero 0 bytes",
	Hooks: onZeroLength(wire.CmdWriteZeroes, hangup),
})

// ZeroesLongHangup hangs up on requests that carry nothing.
var ZeroesLongHangup = register(Quirk{
	Name: "zeroes-long-hangup", Breaks: "size.effect.disconnect",
	Doc: "hangs up on NBD_CMD_WRITE_ZEROES and NBD_CMD_TRIM of more than the maximum payload size",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		if x.Is(wire.CmdWriteZeroes, wire.CmdTrim) && x.Request.Length > uint64(x.Session.Export.Constraints.MaxPayload) {
			hangup(x)
		}
	}},
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

// TrimReadOnlyAccepted trims a read-only export.
var TrimReadOnlyAccepted = register(Quirk{
	Name: "trim-read-only-accepted", Breaks: "flag.transmission.read-only.writes",
	Doc:   "serves NBD_CMD_TRIM on a read-only export",
	Hooks: skip("err.trim.read-only", "cmd.trim.needs-flag"),
})

// TrimReadOnlyEINVAL refuses to trim a read-only export with the wrong error.
var TrimReadOnlyEINVAL = register(Quirk{
	Name: "trim-read-only-einval", Breaks: "err.trim.read-only",
	Doc:   "offers NBD_CMD_TRIM on a read-only export and answers NBD_EINVAL to it",
	Hooks: offering(wire.FlagSendTrim, onError(wire.CmdTrim, wire.EPERM, fail(wire.EINVAL))),
})

// TrimZeroLengthHangup hangs up on trims of nothing.
var TrimZeroLengthHangup = register(Quirk{
	Name: "trim-zero-length-hangup", Breaks: "cmd.trim.zero-length.stay",
	Doc:   "hangs up on a trim of 0 bytes",
	Hooks: onZeroLength(wire.CmdTrim, hangup),
})

// CacheDestroys zeroes what the client only wanted to have at hand.
var CacheDestroys = register(Quirk{
	Name: "cache-destroys", Breaks: "cmd.cache.no-effect",
	Doc: "zeroes the range of NBD_CMD_CACHE",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, cache: func(off, n uint64) error { return e.Zero(off, n, false, false) }}
	}),
})

// CacheFlagsIgnored takes any flag with NBD_CMD_CACHE.
var CacheFlagsIgnored = register(Quirk{
	Name: "cache-flags-ignored", Breaks: "cmd.cache.flags",
	Doc: "ignores all flags of NBD_CMD_CACHE",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdCache {
			q.Flags = 0
		}
	}},
})

// CacheBeyondAccepted caches beyond the end.
var CacheBeyondAccepted = register(Quirk{
	Name: "cache-beyond-accepted", Breaks: "size.bounds.cache",
	Doc:   "reports NBD_CMD_CACHE beyond the end of the export as done",
	Hooks: skip("size.bounds.cache"),
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

// ZeroesCapped stops where its buffer ends.
var ZeroesCapped = register(Quirk{
	Name: "zeroes-capped", Breaks: "cmd.write-zeroes.then-reply",
	Doc: "zeroes the first 64 MiB of a longer range and no more",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, zero: func(off, n uint64, noHole, fast bool) error {
			return e.Zero(off, min(n, 64<<20), noHole, fast)
		}}
	}),
})
