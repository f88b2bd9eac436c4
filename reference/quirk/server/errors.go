package serverquirk

import (
	"math"
	"strings"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// onErrorChunk makes hooks that change error chunks as values.
func onErrorChunk(f func(*wire.ErrorChunk)) server.Hooks {
	return server.Hooks{Reply: func(x *server.Exchange) { x.EachError(f) }}
}

// onErrorPayload makes hooks that change error chunks as bytes.
func onErrorPayload(f func(*server.Exchange, *wire.Chunk)) server.Hooks {
	return server.Hooks{Reply: func(x *server.Exchange) {
		x.EachChunk(wire.ChunkError, func(c *wire.Chunk) { f(x, c) })
	}}
}

// ErrorZero sends errors without an error.
var ErrorZero = register(Quirk{
	Name: "error-zero", Breaks: "chunk.error.nonzero",
	Doc:   "sends error chunks with the error value 0",
	Hooks: onErrorChunk(func(e *wire.ErrorChunk) { e.Error = wire.OK }),
})

// ErrorMessageEndless explains errors at great length.
var ErrorMessageEndless = register(Quirk{
	Name: "error-message-endless", Breaks: "chunk.error.message-length",
	Doc:   "sends error chunks with messages of 4097 bytes",
	Hooks: onErrorChunk(func(e *wire.ErrorChunk) { e.Message = strings.Repeat("x", wire.MaxString+1) }),
})

// ErrorMessageOverrun announces a longer message than there is.
var ErrorMessageOverrun = register(Quirk{
	Name: "error-message-overrun", Breaks: "chunk.error.length",
	Doc:   "announces a longer message than an error chunk has room for",
	Hooks: onErrorPayload(func(_ *server.Exchange, c *wire.Chunk) { c.Payload[5]++ }),
})

// ErrorShort sends errors without the length of a message.
var ErrorShort = register(Quirk{
	Name: "error-short", Breaks: "chunk.error.length",
	Doc:   "sends error chunks of four bytes",
	Hooks: onErrorPayload(func(_ *server.Exchange, c *wire.Chunk) { c.Payload = c.Payload[:4] }),
})

// ErrorMessageLatin1 explains errors in another encoding.
var ErrorMessageLatin1 = register(Quirk{
	Name: "error-message-latin1", Breaks: "string.utf8.server",
	Doc:   "sends error chunks with messages in ISO 8859-1",
	Hooks: onErrorChunk(func(e *wire.ErrorChunk) { e.Message = "donn\xe9es" }),
})

// withOffset replaces an error chunk by one with an offset.
func withOffset(c *wire.Chunk, offset uint64) {
	if e, err := wire.ParseErrorChunk(c.Type, c.Payload); err == nil {
		c.Type, c.Payload = wire.ChunkErrorOffset, wire.ErrorOffset(e.Error, e.Message, offset).Append(nil)
	}
}

// ErrorOffsetOutOfBounds says that something went wrong where nobody looked.
var ErrorOffsetOutOfBounds = register(Quirk{
	Name: "error-offset-out-of-bounds", Breaks: "chunk.error-offset.bounds",
	Doc: "sends NBD_REPLY_TYPE_ERROR_OFFSET with the first offset behind the request",
	Hooks: onErrorPayload(func(x *server.Exchange, c *wire.Chunk) {
		withOffset(c, x.Request.Offset+x.Request.Length)
	}),
})

// ErrorOffsetShort sends an error with an offset that has none.
var ErrorOffsetShort = register(Quirk{
	Name: "error-offset-short", Breaks: "chunk.error-offset.length",
	Doc:   "sends NBD_REPLY_TYPE_ERROR_OFFSET without an offset",
	Hooks: onErrorPayload(func(_ *server.Exchange, c *wire.Chunk) { c.Type = wire.ChunkErrorOffset }),
})

// ErrorTwice says twice that something went wrong.
var ErrorTwice = register(Quirk{
	Name: "error-twice", Breaks: "chunk.error.once",
	Doc: "sends NBD_REPLY_TYPE_ERROR twice",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Replies[0].Structured {
			x.Replies = append(x.Replies, x.Replies[0])
			x.Done()
		}
	}),
})

// ErrorOffsetTwice says twice that something went wrong at the same place.
var ErrorOffsetTwice = register(Quirk{
	Name: "error-offset-twice", Breaks: "chunk.error-offset.same-offset",
	Doc: "sends NBD_REPLY_TYPE_ERROR_OFFSET twice for the offset of the request",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Replies[0].Structured && x.Request.Length > 0 {
			withOffset(&x.Replies[0].Chunk, x.Request.Offset)
			x.Replies = append(x.Replies, x.Replies[0])
			x.Done()
		}
	}),
})

// ErrorsSimple sends all errors but those of reads by simple replies.
var ErrorsSimple = register(Quirk{
	Name: "errors-simple", Breaks: "trans.structured.errors",
	Doc: "answers whatever fails, but reads, by simple replies although structured replies were negotiated",
	Hooks: onAnyError(func(x *server.Exchange) {
		if !x.Is(wire.CmdRead) {
			simple(x)
		}
	}),
})

// onUnknownCommand makes hooks that change the reply to commands that the server does not know.
func onUnknownCommand(f func(*server.Exchange)) server.Hooks {
	return server.Hooks{Reply: func(x *server.Exchange) {
		resize := x.Session.Flags&wire.FlagSendResize != 0
		if x.Request.Type > wire.CmdResize || x.Is(wire.CmdResize) && !resize {
			f(x)
		}
	}}
}

// UnknownCommandAccepted reports commands that it does not know as done.
var UnknownCommandAccepted = register(Quirk{
	Name: "unknown-command-accepted", Breaks: "err.unknown-command",
	Doc:   "reports commands that it does not know as done",
	Hooks: skip("err.unknown-command"),
})

// UnknownCommandENOTSUP refuses commands that it does not know with the wrong error.
var UnknownCommandENOTSUP = register(Quirk{
	Name: "unknown-command-enotsup", Breaks: "err.enotsup",
	Doc:   "answers NBD_ENOTSUP to commands that it does not know",
	Hooks: onUnknownCommand(fail(wire.ENOTSUP)),
})

// UnknownCommandEIO refuses commands that it does not know with the wrong error.
var UnknownCommandEIO = register(Quirk{
	Name: "unknown-command-eio", Breaks: "err.unknown-command",
	Doc:   "answers NBD_EIO to commands that it does not know",
	Hooks: onUnknownCommand(fail(wire.EIO)),
})

// UnknownCommandHangup hangs up on commands that it does not know.
var UnknownCommandHangup = register(Quirk{
	Name: "unknown-command-hangup", Allowed: true, // for the client broke a rule
	Doc:   "hangs up on commands that it does not know",
	Hooks: onUnknownCommand(hangup),
})

// UnknownFlagAccepted ignores command flags that it does not know.
var UnknownFlagAccepted = register(Quirk{
	Name: "unknown-flag-accepted", Breaks: "err.unknown-flag",
	Doc:   "ignores command flags that it does not know",
	Hooks: skip("err.unknown-flag"),
})

// InapplicableFlagAccepted ignores command flags that belong to another command.
var InapplicableFlagAccepted = register(Quirk{
	Name: "inapplicable-flag-accepted", Breaks: "err.inapplicable-flag",
	Doc:   "ignores command flags that the command does not have",
	Hooks: skip("err.inapplicable-flag"),
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

// ReadUnalignedAccepted serves reads below the minimum block size.
var ReadUnalignedAccepted = register(Quirk{
	Name: "read-unaligned-accepted", Breaks: "err.read.align",
	Doc:   "serves an NBD_CMD_READ that is not aligned to the minimum block size",
	Hooks: skip("err.read.align"),
})

// WriteUnalignedAccepted serves writes below the minimum block size.
var WriteUnalignedAccepted = register(Quirk{
	Name: "write-unaligned-accepted", Breaks: "err.write.align",
	Doc:   "serves an NBD_CMD_WRITE that is not aligned to the minimum block size",
	Hooks: skip("err.write.align"),
})

// ZeroesUnalignedAccepted serves trims and zeroes below the minimum block size.
var ZeroesUnalignedAccepted = register(Quirk{
	Name: "zeroes-unaligned-accepted", Breaks: "size.align.server",
	Doc:   "serves an NBD_CMD_TRIM or NBD_CMD_WRITE_ZEROES that is not aligned to the minimum block size",
	Hooks: skip("size.align.server"),
})

// StatusUnalignedAccepted serves cache and block status requests below the minimum block size.
var StatusUnalignedAccepted = register(Quirk{
	Name: "status-unaligned-accepted", Allowed: true, // size.align.server.other is disputed
	Doc:   "serves an NBD_CMD_CACHE or NBD_CMD_BLOCK_STATUS that is not aligned to the minimum block size",
	Hooks: skip("size.align.server.other"),
})

// UnalignedTorn refuses an unaligned write and writes the aligned part of it.
var UnalignedTorn = register(Quirk{
	Name: "unaligned-torn", Breaks: "size.enforce.clean",
	Doc: "answers NBD_EINVAL to an unaligned NBD_CMD_WRITE, and overwrites the export's first bytes with it",
	Hooks: onError(wire.CmdWrite, wire.EINVAL, func(x *server.Exchange) {
		junk := make([]byte, min(x.Request.Length, 4096))
		_ = x.Session.Export.Disk.WriteAt(junk, 0)
	}),
})

// WriteEOVERFLOW finds writes too long.
var WriteEOVERFLOW = register(Quirk{
	Name: "write-eoverflow", Breaks: "err.eoverflow",
	Doc:   "answers NBD_EOVERFLOW to NBD_CMD_WRITE beyond the end of the export",
	Hooks: onError(wire.CmdWrite, wire.ENOSPC, fail(wire.EOVERFLOW)),
})

// ReadENOMEM has no memory for long reads.
var ReadENOMEM = register(Quirk{
	Name: "read-enomem", Breaks: "err.enomem",
	Doc: "answers NBD_ENOMEM to NBD_CMD_READ of more than 65536 bytes",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Request.Length > 65536 {
			x.Fail(wire.ENOMEM, "out of memory")
		}
	}),
})
