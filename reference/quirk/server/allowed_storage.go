package serverquirk

import (
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// FastZeroNever finds no request fast enough.
var FastZeroNever = register(Quirk{
	Name: "fast-zero-never", Allowed: true, Permitted: []string{"flag.transmission.fast-zero.enotsup"},
	Doc: "answers NBD_ENOTSUP to every fast zero request, and changes nothing",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, zero: func(off, n uint64, noHole, fast bool) error {
			if fast {
				return wire.ENOTSUP
			}
			return e.Zero(off, n, noHole, fast)
		}}
	}),
})

// CacheRefused offers what it never does.
var CacheRefused = register(Quirk{
	Name: "cache-refused", Allowed: true, Permitted: []string{"cmd.cache.advertise"},
	Doc:   "advertises NBD_FLAG_SEND_CACHE and answers NBD_EINVAL to every NBD_CMD_CACHE",
	Hooks: onReply(wire.CmdCache, func(x *server.Exchange) { x.Fail(wire.EINVAL, "there is no cache") }),
})

// FUADropped does not look at flags that have no use.
var FUADropped = register(Quirk{
	Name: "fua-dropped", Allowed: true, Permitted: []string{"cmdflag.fua.ignore"},
	Doc: "ignores NBD_CMD_FLAG_FUA with all that writes nothing",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type != wire.CmdWrite && q.Type != wire.CmdWriteZeroes && q.Type != wire.CmdTrim {
			q.Flags &^= wire.CmdFlagFUA
		}
	}},
})

func omit(f wire.TransmissionFlags) func(*server.Config) {
	return func(c *server.Config) {
		for i := range c.Exports {
			c.Exports[i].Omit |= f
		}
	}
}

// ZeroesTrim has holes, and no way to ask for them.
var ZeroesTrim = register(Quirk{
	Name: "zeroes-trim", Allowed: true, Permitted: []string{"cmd.write-zeroes.trim"},
	Doc:    "does not advertise NBD_FLAG_SEND_TRIM, and makes holes of ranges of NBD_CMD_WRITE_ZEROES",
	Config: omit(wire.FlagSendTrim),
})

// CacheLazy promises and does nothing.
var CacheLazy = register(Quirk{
	Name: "cache-lazy", Allowed: true, Permitted: []string{"cmd.cache.reply-early"},
	Doc: "answers NBD_CMD_CACHE with success at once, and caches nothing",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, cache: func(uint64, uint64) error { return nil }}
	}),
})

// TrimIgnored has no use for hints.
var TrimIgnored = register(Quirk{
	Name: "trim-ignored", Allowed: true, Permitted: []string{"cmd.trim.discard", "meta.allocation.hole.trimmed"},
	Doc: "answers NBD_CMD_TRIM with success and discards nothing",
	Hooks: wrap(func(e export.Export) export.Export {
		return trimming{Export: e, trim: func(uint64, uint64) error { return nil }}
	}),
})

// TrimToGarbage leaves any data in what was trimmed.
var TrimToGarbage = register(Quirk{
	Name: "trim-to-garbage", Allowed: true,
	Doc: "fills the first 64 KiB of every range of NBD_CMD_TRIM with bytes of 222",
	Hooks: wrap(func(e export.Export) export.Export {
		return trimming{Export: e, trim: func(off, n uint64) error {
			junk := make([]byte, min(n, 1<<16))
			for i := range junk {
				junk[i] = 222
			}
			return e.WriteAt(junk, off)
		}}
	}),
})

// FastZeroNotProvisioned is fast only where it may leave holes.
var FastZeroNotProvisioned = register(Quirk{
	Name: "fast-zero-not-provisioned", Allowed: true, Permitted: []string{"cmd.write-zeroes.fast-zero.depends"},
	Doc: "answers NBD_ENOTSUP to fast zero requests with NBD_CMD_FLAG_NO_HOLE",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, zero: func(off, n uint64, noHole, fast bool) error {
			if fast && noHole {
				return wire.ENOTSUP
			}
			return e.Zero(off, n, noHole, fast)
		}}
	}),
})
