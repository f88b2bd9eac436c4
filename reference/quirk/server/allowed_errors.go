package serverquirk

import (
	"strings"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ErrorTextsLong explains errors at the greatest length that is allowed.
var ErrorTextsLong = register(Quirk{
	Name: "error-texts-long", Allowed: true, Permitted: []string{"rep.error.message"},
	Doc: "sends errors with texts of 256 bytes",
	Hooks: server.Hooks{
		OptionReply: func(x *server.OptionExchange) {
			if x.Failed() {
				x.Replies[len(x.Replies)-1].Data = []byte(strings.Repeat("\u00e9", 128))
			}
		},
		Reply: func(x *server.Exchange) {
			x.EachError(func(e *wire.ErrorChunk) { e.Message = strings.Repeat("\u00e9", 128) })
		},
	},
})

// ErrorTextsEmpty does not explain errors.
var ErrorTextsEmpty = register(Quirk{
	Name: "error-texts-empty", Allowed: true, Permitted: []string{"handshake.reply.empty"},
	Doc: "sends errors without a text",
	Hooks: server.Hooks{
		OptionReply: func(x *server.OptionExchange) {
			if x.Failed() {
				x.Replies[len(x.Replies)-1].Data = nil
			}
		},
		Reply: func(x *server.Exchange) { x.EachError(func(e *wire.ErrorChunk) { e.Message = "" }) },
	},
})

// ErrorsWithOffsets says where things go wrong.
var ErrorsWithOffsets = register(Quirk{
	Name: "errors-with-offsets", Allowed: true,
	Doc: "sends NBD_REPLY_TYPE_ERROR_OFFSET in place of NBD_REPLY_TYPE_ERROR where the request has a range",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Replies[0].Structured && x.Request.Length > 0 &&
			x.Is(wire.CmdRead, wire.CmdWrite, wire.CmdTrim, wire.CmdCache, wire.CmdWriteZeroes, wire.CmdBlockStatus) {
			withOffset(&x.Replies[0].Chunk, x.Request.Offset)
		}
	}),
})

// ZeroLengthRefused has no use for requests for nothing.
var ZeroLengthRefused = register(Quirk{
	Name: "zero-length-refused", Allowed: true,
	Doc: "answers NBD_EINVAL to requests for 0 bytes",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) {
		if x.Request.Length == 0 && !x.Is(wire.CmdFlush, wire.CmdDisc, wire.CmdResize) {
			x.Fail(wire.EINVAL, "a request for nothing")
		}
	}},
})

// onBrokenRead makes hooks that change structured replies to reads that reach
// beyond the end of the export and begin within it, by n bytes.
func onBrokenRead(f func(x *server.Exchange, within uint64)) server.Hooks {
	return onAnyError(func(x *server.Exchange) {
		q, size := x.Request, x.Session.Export.Disk.Size()
		if x.Is(wire.CmdRead) && x.Session.Structured && x.Err() == wire.EINVAL && q.Flags == 0 &&
			q.Offset < size && q.Length <= 1<<20 && q.Length > size-q.Offset {
			f(x, size-q.Offset)
		}
	})
}

// ErrorOffsetsSeveral says where things went wrong, all of them.
var ErrorOffsetsSeveral = register(Quirk{
	Name: "error-offsets-several", Allowed: true, Permitted: []string{"chunk.error-offset.repeat", "cmd.read.after-error-offset"},
	Doc: "fails a read beyond the end of the export by NBD_REPLY_TYPE_ERROR_OFFSET for the first byte that is missing and for the last",
	Hooks: onBrokenRead(func(x *server.Exchange, within uint64) {
		first, last := x.Replies[0], x.Replies[0]
		withOffset(&first.Chunk, x.Request.Offset+within)
		withOffset(&last.Chunk, x.Request.Offset+x.Request.Length-1)
		if within+1 < x.Request.Length {
			x.Chunks(first, last)
		}
	}),
})

// readable is the content of what there is of a read.
func readable(x *server.Exchange, within uint64) server.Message {
	data := make([]byte, within)
	if err := x.Session.Export.Disk.ReadAt(data, x.Request.Offset); err != nil {
		return x.HoleChunk(x.Request.Offset, uint32(within))
	}
	return x.DataChunk(x.Request.Offset, data)
}

// ContentAfterError sends what there is although there is not all of it.
var ContentAfterError = register(Quirk{
	Name: "content-after-error", Allowed: true, Permitted: []string{"cmd.read.content-after-error"},
	Doc: "fails a read beyond the end of the export by NBD_REPLY_TYPE_ERROR_OFFSET, and then sends what lies before the end",
	Hooks: onBrokenRead(func(x *server.Exchange, within uint64) {
		e := x.Replies[0]
		withOffset(&e.Chunk, x.Request.Offset+within)
		x.Chunks(e, readable(x, within))
	}),
})

// ErrorAfterContent comes to the end before it says so.
var ErrorAfterContent = register(Quirk{
	Name: "error-after-content", Allowed: true, Permitted: []string{"cmd.read.error-chunk.defer"},
	Doc: "sends what of a read lies before the end of the export, and then the error of the rest",
	Hooks: onBrokenRead(func(x *server.Exchange, within uint64) {
		e := x.Replies[0]
		withOffset(&e.Chunk, x.Request.Offset+within)
		x.Chunks(readable(x, within), e)
	}),
})

// ReadErrorHangup has no more to say.
var ReadErrorHangup = register(Quirk{
	Name: "read-error-hangup", Allowed: true, Permitted: []string{"cmd.read.simple.error.disconnect"},
	Doc: "closes the connection after a simple reply that says that a read failed",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Is(wire.CmdRead) && !x.Replies[0].Structured {
			x.Hangup = true
		}
	}),
})

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

// UnknownCommandHangup closes the connection on commands that it does not know.
var UnknownCommandHangup = register(Quirk{
	Name: "unknown-command-hangup", Allowed: true, // for the client broke a rule
	Doc:   "closes the connection on commands that it does not know",
	Hooks: onUnknownCommand(hangup),
})
