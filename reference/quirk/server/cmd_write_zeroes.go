package serverquirk

import (
	"bytes"

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
	Doc: "leaves bytes of 0xa5 after NBD_CMD_WRITE_ZEROES without NBD_CMD_FLAG_NO_HOLE",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, zero: func(off, n uint64, noHole, fast bool) error {
			if noHole {
				return e.Zero(off, n, noHole, fast)
			}
			return e.WriteAt(bytes.Repeat([]byte{0xa5}, int(min(n, 1<<20))), off)
		}}
	}),
})

// WriteZeroesAdvertisedOnly advertises NBD_CMD_WRITE_ZEROES and refuses it.
var WriteZeroesAdvertisedOnly = register(Quirk{
	Name: "write-zeroes-advertised-only", Breaks: "flag.transmission.unsupported",
	Doc:   "sets NBD_FLAG_SEND_WRITE_ZEROES and answers every NBD_CMD_WRITE_ZEROES with NBD_EINVAL",
	Hooks: onReply(wire.CmdWriteZeroes, fail(wire.EINVAL)),
})

// ZeroesRoundedOut zeroes too much.
var ZeroesRoundedOut = register(Quirk{
	Name: "zeroes-rounded-out", Breaks: "layout.write-zeroes.range",
	Doc: "zeroes all of every page of 4096 bytes that NBD_CMD_WRITE_ZEROES touches",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, zero: func(off, n uint64, noHole, fast bool) error {
			start, end := off&^4095, (off+n+4095)&^4095
			return e.Zero(start, end-start, noHole, fast)
		}}
	}),
})

// ZeroesRoundedIn zeroes too little.
var ZeroesRoundedIn = register(Quirk{
	Name: "zeroes-rounded-in", Breaks: "cmd.write-zeroes.then-reply",
	Doc: "zeroes the whole pages of 4096 bytes in the range of NBD_CMD_WRITE_ZEROES, and nothing else",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, zero: func(off, n uint64, noHole, fast bool) error {
			start, end := (off+4095)&^4095, (off+n)&^4095
			if start >= end {
				return nil
			}
			return e.Zero(start, end-start, noHole, fast)
		}}
	}),
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

// ZeroesLongHangup closes the connection on requests that carry nothing.
var ZeroesLongHangup = register(Quirk{
	Name: "zeroes-long-hangup", Breaks: "size.effect.disconnect",
	Doc: "closes the connection on NBD_CMD_WRITE_ZEROES and NBD_CMD_TRIM of more than the maximum payload size",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		if x.Is(wire.CmdWriteZeroes, wire.CmdTrim) && x.Request.Length > uint64(x.Session.Export.Constraints.MaxPayload) {
			hangup(x)
		}
	}},
})

// NoHoleRejected does not take a flag that comes with the command.
var NoHoleRejected = register(Quirk{
	Name: "no-hole-rejected", Breaks: "cmdflag.no-hole.support",
	Doc:   "answers NBD_EINVAL to NBD_CMD_FLAG_NO_HOLE",
	Hooks: onZeroFlag(wire.CmdFlagNoHole, fail(wire.EINVAL)),
})

// ZeroesZeroLengthHangup closes the connection on zeroes for nothing.
var ZeroesZeroLengthHangup = register(Quirk{
	Name: "zeroes-zero-length-hangup", Breaks: "cmd.write-zeroes.zero-length.stay",
	Doc:   "closes the connection on a request to zero 0 bytes",
	Hooks: onZeroLength(wire.CmdWriteZeroes, hangup),
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
