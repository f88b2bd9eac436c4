package serverquirk

import (
	"math"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ChunksShuffled sends the chunks of a read in no order at all.
var ChunksShuffled = register(Quirk{
	Name: "chunks-shuffled", Allowed: true,
	Doc: "splits reads of up to 1 MiB in chunks of 512 bytes, and sends the second, the fourth and so on before the others",
	Hooks: onRead(513, func(x *server.Exchange) {
		if x.Request.Length > 1<<20 || x.Request.Flags&wire.CmdFlagDF != 0 {
			return
		}
		var early, late []server.Message
		pieces(x, func(i int, data []byte, off uint64) {
			if i%2 == 1 {
				early = append(early, x.DataChunk(off, data))
			} else {
				late = append(late, x.DataChunk(off, data))
			}
		})
		x.Chunks(append(early, late...)...)
	}),
})

// HolesFine tells holes as small as they come.
var HolesFine = register(Quirk{
	Name: "holes-fine", Allowed: true, Permitted: []string{"chunk.offset-hole.repeat"},
	Doc: "splits reads of up to 1 MiB in pieces of 512 bytes, and sends those that are zero as holes",
	Hooks: onRead(1, func(x *server.Exchange) {
		if x.Request.Length > 1<<20 || x.Request.Flags&wire.CmdFlagDF != 0 {
			return
		}
		var list []server.Message
		pieces(x, func(_ int, data []byte, off uint64) {
			m := x.DataChunk(off, data)
			if allZero(data) {
				m = x.Chunk(wire.ChunkOffsetHole, wire.OffsetHole{Offset: off, Size: uint32(len(data))}.Append(nil))
			}
			list = append(list, m)
		})
		x.Chunks(list...)
	}),
})

// pieces calls f for what was read, cut at multiples of 512 bytes.
func pieces(x *server.Exchange, f func(i int, data []byte, off uint64)) {
	data, off := x.Content(), x.Request.Offset
	for i := 0; len(data) > 0; i++ {
		n := min(512-off%512, uint64(len(data)))
		f(i, data[:n], off)
		data, off = data[n:], off+n
	}
}

func allZero(b []byte) bool {
	for _, c := range b {
		if c != 0 {
			return false
		}
	}
	return true
}

// ErrorThenNone says that something went wrong, and then that this is all.
var ErrorThenNone = register(Quirk{
	Name: "error-then-none", Allowed: true,
	Doc: "ends every structured reply with an error by NBD_REPLY_TYPE_NONE",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Replies[0].Structured {
			x.Replies = append(x.Replies, x.Chunk(wire.ChunkNone, nil))
			x.Done()
		}
	}),
})

// ErrorTypeUnknown reports errors by a type of chunk that is yet to be defined.
var ErrorTypeUnknown = register(Quirk{
	Name: "error-type-unknown", Allowed: true,
	Doc:   "sends error chunks of type 32921, which begin as all of them do and go on with eight bytes more",
	Hooks: onErrorPayload(func(_ *server.Exchange, c *wire.Chunk) { c.Type, c.Payload = 0x8099, append(c.Payload, "whatever"...) }),
})

// ContextIDHighest gives contexts ids from the top.
var ContextIDHighest = register(Quirk{
	Name: "context-id-highest", Allowed: true,
	Doc: "gives contexts ids from 4294967295 down",
	Hooks: onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		for i, m := range x.Session.Contexts {
			m.ID = math.MaxUint32 - uint32(i)
			x.Session.Contexts[i] = m
			x.Replies[i].Data = m.Append(nil)
		}
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

// TrimToGarbage leaves behind what it likes.
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

// WriteBeyondEINVAL goes by the other sentence.
var WriteBeyondEINVAL = register(Quirk{
	Name: "write-beyond-einval", Allowed: true, // size.bounds.write is disputed
	Doc: "answers NBD_EINVAL where NBD_CMD_WRITE or NBD_CMD_WRITE_ZEROES reaches beyond the end of the export",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Is(wire.CmdWrite, wire.CmdWriteZeroes) && x.Err() == wire.ENOSPC {
			x.Fail(wire.EINVAL, "beyond the end")
		}
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

// EffectLimited takes no longer ranges than payloads.
var EffectLimited = register(Quirk{
	Name: "effect-limited", Allowed: true, Permitted: []string{"size.effect.error"},
	Doc: "answers NBD_EINVAL to NBD_CMD_TRIM, NBD_CMD_CACHE and slow NBD_CMD_WRITE_ZEROES of more than 32 MiB",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		if x.Is(wire.CmdTrim, wire.CmdCache, wire.CmdWriteZeroes) && x.Err() == wire.OK && x.Request.Length > wire.DefaultMaxPayload {
			x.Fail(wire.EINVAL, "too much at once")
		}
	}},
})
