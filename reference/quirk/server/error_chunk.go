package serverquirk

import (
	"strings"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ReadErrorSimple answers failed reads by simple replies in spite of structured replies.
var ReadErrorSimple = register(Quirk{
	Name: "read-error-simple", Breaks: "cmd.read.structured",
	Doc: "answers a failed NBD_CMD_READ by a simple reply although structured replies were negotiated",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Is(wire.CmdRead) {
			simple(x)
		}
	}),
})

// onErrorChunk makes hooks that change error chunks as values.
func onErrorChunk(f func(*wire.ErrorChunk)) server.Hooks {
	return server.Hooks{Reply: func(x *server.Exchange) { x.EachError(f) }}
}

// ErrorZero sends errors without an error.
var ErrorZero = register(Quirk{
	Name: "error-zero", Breaks: "chunk.error.nonzero",
	Doc:   "sends error chunks with the error value 0",
	Hooks: onErrorChunk(func(e *wire.ErrorChunk) { e.Error = wire.OK }),
})

// onErrorPayload makes hooks that change error chunks as bytes.
func onErrorPayload(f func(*server.Exchange, *wire.Chunk)) server.Hooks {
	return server.Hooks{Reply: func(x *server.Exchange) {
		x.EachChunk(wire.ChunkError, func(c *wire.Chunk) { f(x, c) })
	}}
}

// ErrorShort sends errors without the length of a message.
var ErrorShort = register(Quirk{
	Name: "error-short", Breaks: "chunk.error.length",
	Doc:   "sends error chunks of four bytes",
	Hooks: onErrorPayload(func(_ *server.Exchange, c *wire.Chunk) { c.Payload = c.Payload[:4] }),
})

// ErrorMessageOverrun announces a longer message than there is.
var ErrorMessageOverrun = register(Quirk{
	Name: "error-message-overrun", Breaks: "chunk.error.length",
	Doc:   "announces a longer message than an error chunk has room for",
	Hooks: onErrorPayload(func(_ *server.Exchange, c *wire.Chunk) { c.Payload[5]++ }),
})

// ErrorOffsetShort sends an error with an offset that has none.
var ErrorOffsetShort = register(Quirk{
	Name: "error-offset-short", Breaks: "chunk.error-offset.length",
	Doc:   "sends NBD_REPLY_TYPE_ERROR_OFFSET without an offset",
	Hooks: onErrorPayload(func(_ *server.Exchange, c *wire.Chunk) { c.Type = wire.ChunkErrorOffset }),
})

// withOffset replaces an error chunk by one with an offset.
func withOffset(c *wire.Chunk, offset uint64) {
	if e, err := wire.ParseErrorChunk(c.Type, c.Payload); err == nil {
		c.Type, c.Payload = wire.ChunkErrorOffset, wire.ErrorOffset(e.Error, e.Message, offset).Append(nil)
	}
}

// ErrorOffsetOutOfBounds says that something went wrong outside the request.
var ErrorOffsetOutOfBounds = register(Quirk{
	Name: "error-offset-out-of-bounds", Breaks: "chunk.error-offset.bounds",
	Doc: "sends NBD_REPLY_TYPE_ERROR_OFFSET with the first offset past the request",
	Hooks: onErrorPayload(func(x *server.Exchange, c *wire.Chunk) {
		withOffset(c, x.Request.Offset+x.Request.Length)
	}),
})

// ErrorMessageEndless explains errors at great length.
var ErrorMessageEndless = register(Quirk{
	Name: "error-message-endless", Breaks: "chunk.error.message-length",
	Doc:   "sends error chunks with messages of 4097 bytes",
	Hooks: onErrorChunk(func(e *wire.ErrorChunk) { e.Message = strings.Repeat("x", wire.MaxString+1) }),
})

// ErrorMessageLatin1 explains errors in another encoding.
var ErrorMessageLatin1 = register(Quirk{
	Name: "error-message-latin1", Breaks: "string.utf8.server",
	Doc:   "sends error chunks with messages in ISO 8859-1",
	Hooks: onErrorChunk(func(e *wire.ErrorChunk) { e.Message = "donn\xe9es" }),
})

// ErrorMessageNUL explains errors as C does.
var ErrorMessageNUL = register(Quirk{
	Name: "error-message-nul", Breaks: "string.no-nul.server",
	Doc:   "sends error chunks whose messages end with a NUL",
	Hooks: onErrorChunk(func(e *wire.ErrorChunk) { e.Message += "\x00" }),
})

// ErrorMessageWordy explains errors at more length than anybody needs.
var ErrorMessageWordy = register(Quirk{
	Name: "error-message-wordy", Breaks: "string.short.server",
	Doc:   "sends error chunks with messages of 257 bytes",
	Hooks: onErrorChunk(func(e *wire.ErrorChunk) { e.Message = strings.Repeat("x", wire.RecommendedString+1) }),
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

// ErrorMixed sends an error with an offset and one without.
var ErrorMixed = register(Quirk{
	Name: "error-mixed", Breaks: "chunk.error.mixed",
	Doc: "sends NBD_REPLY_TYPE_ERROR and then NBD_REPLY_TYPE_ERROR_OFFSET",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Replies[0].Structured && x.Request.Length > 0 {
			x.Replies = append(x.Replies, x.Replies[0])
			withOffset(&x.Replies[1].Chunk, x.Request.Offset)
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
