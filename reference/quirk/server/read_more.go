package serverquirk

import (
	"math"
	"strings"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// content replaces a reply to NBD_CMD_READ by success and this data, in the
// form that was negotiated.
func content(x *server.Exchange, data []byte) {
	if x.Session.Structured {
		x.Chunks(x.DataChunk(x.Request.Offset, data))
	} else {
		x.Replies = []server.Message{{Simple: wire.SimpleReply{Cookie: x.Request.Cookie}, Data: data}}
	}
}

// ReadHoleForData forgets that there was data.
var ReadHoleForData = register(Quirk{
	Name: "read-hole-for-data", Breaks: "baseline.server.read",
	Doc: "sends the second half of a read of at least 1024 bytes as a hole",
	Hooks: onRead(1024, func(x *server.Exchange) {
		if x.Request.Flags&wire.CmdFlagDF == 0 {
			data, off := x.Content(), x.Request.Offset
			half := len(data) / 2
			x.Chunks(x.DataChunk(off, data[:half]), x.HoleChunk(off+uint64(half), uint32(len(data)-half)))
		}
	}),
})

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

// ReadSmallMaximum refuses payloads that everybody may ask for.
var ReadSmallMaximum = register(Quirk{
	Name: "read-small-maximum", Breaks: "size.default.max-payload",
	Doc: "answers NBD_EINVAL to NBD_CMD_READ of more than 65536 bytes",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Request.Length > 65536 {
			x.Fail(wire.EINVAL, "too long")
		}
	}),
})

// ReadLongHangup hangs up on reads that are longer than it advertised, but no attack.
var ReadLongHangup = register(Quirk{
	Name: "read-long-hangup", Breaks: "size.dos.limit.server",
	Doc: "hangs up on NBD_CMD_READ that is longer than the maximum payload size and no longer than 2^25 bytes",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if n := x.Request.Length; n > uint64(x.Session.Export.Constraints.MaxPayload) && n <= wire.DefaultMaxPayload {
			hangup(x)
		}
	}),
})

// ReadLongWhole sends in one chunk what is longer than a chunk may be.
var ReadLongWhole = register(Quirk{
	Name: "read-long-whole", Breaks: "chunk.max-payload",
	Doc: "sends reads that are longer than the maximum payload size as one chunk",
	Hooks: onError(wire.CmdRead, wire.EOVERFLOW, func(x *server.Exchange) {
		if n := x.Request.Length; n <= 2*wire.DefaultMaxPayload {
			content(x, make([]byte, n))
		}
	}),
})

// ReadRounded serves the block around what was asked for.
var ReadRounded = register(Quirk{
	Name: "read-rounded", Breaks: "size.enforce.clean",
	Doc: "answers an unaligned NBD_CMD_READ with other bytes",
	Hooks: onError(wire.CmdRead, wire.EINVAL, func(x *server.Exchange) {
		c := x.Session.Export.Constraints
		if (x.Request.Offset|x.Request.Length)%uint64(c.Minimum) != 0 && x.Request.Length < 1<<16 {
			content(x, []byte(strings.Repeat("\x99", int(x.Request.Length))))
		}
	}),
})

// ReadOnlyReadRefused confuses what may not be written with what may not be read.
var ReadOnlyReadRefused = register(Quirk{
	Name: "read-only-read-refused", Breaks: "baseline.server.read",
	Doc: "answers NBD_EPERM to NBD_CMD_READ on a read-only export",
	Hooks: onReply(wire.CmdRead, func(x *server.Exchange) {
		if x.Session.Flags&wire.FlagReadOnly != 0 {
			x.Fail(wire.EPERM, "the export is read-only")
		}
	}),
})

// ReplyTwice answers everything twice.
var ReplyTwice = register(Quirk{
	Name: "reply-twice", Breaks: "trans.cookie.echo",
	Doc:   "sends every reply twice",
	Hooks: server.Hooks{Reply: func(x *server.Exchange) { x.Replies = append(x.Replies, x.Replies...) }},
})

// RepliesCrossed gives one request what another one asked for.
var RepliesCrossed = register(Quirk{
	Name: "replies-crossed", Breaks: "baseline.server.read",
	Doc: "answers every other NBD_CMD_READ with the data of the one before, if that was as long",
	New: func() server.Hooks {
		var before []byte
		n := 0
		return onReply(wire.CmdRead, func(x *server.Exchange) {
			if x.Err() != wire.OK || x.Request.Length == 0 {
				return
			}
			data := append([]byte(nil), x.Content()...)
			if n++; n%2 == 0 && len(before) == len(data) {
				content(x, before)
			}
			before = data
		})
	},
})

// ErrorUndefined sends an error value that the document does not know.
var ErrorUndefined = register(Quirk{
	Name: "error-undefined", Breaks: "layout.error.value",
	Doc:   "reports whatever fails as error 71",
	Hooks: onAnyError(fail(71)),
})

// ErrorMessageWordy explains errors at more length than anybody needs.
var ErrorMessageWordy = register(Quirk{
	Name: "error-message-wordy", Breaks: "string.short.server",
	Doc:   "sends error chunks with messages of 257 bytes",
	Hooks: onErrorChunk(func(e *wire.ErrorChunk) { e.Message = strings.Repeat("x", wire.RecommendedString+1) }),
})

// ErrorMessageNUL explains errors as C does.
var ErrorMessageNUL = register(Quirk{
	Name: "error-message-nul", Breaks: "string.no-nul.server",
	Doc:   "sends error chunks whose messages end with a NUL",
	Hooks: onErrorChunk(func(e *wire.ErrorChunk) { e.Message += "\x00" }),
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

// UnknownCommandSwallows takes what follows an unknown command for its payload.
var UnknownCommandSwallows = register(Quirk{
	Name: "unknown-command-swallows", Breaks: "layout.request.payload",
	Doc: "waits for as many bytes behind an unknown command as its length says",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type >= wire.CmdResize && q.Length > 0 {
			q.Type, q.Offset = wire.CmdWrite, math.MaxUint64 // which is refused, and its payload thrown away
		}
	}},
})

// DiscRangeIgnored does not recognise a request to disconnect that has a range.
var DiscRangeIgnored = register(Quirk{
	Name: "disc-range-ignored", Breaks: "baseline.server.disc",
	Doc: "ignores NBD_CMD_DISC with an offset or a length",
	Hooks: onReply(wire.CmdDisc, func(x *server.Exchange) {
		x.Hangup = x.Request.Offset == 0 && x.Request.Length == 0
	}),
})

// CacheLongHangup hangs up on requests to cache more than a payload.
var CacheLongHangup = register(Quirk{
	Name: "cache-long-hangup", Breaks: "size.effect.disconnect",
	Doc: "hangs up on NBD_CMD_CACHE of more than the maximum payload size",
	Hooks: onReply(wire.CmdCache, func(x *server.Exchange) {
		if x.Request.Length > uint64(x.Session.Export.Constraints.MaxPayload) {
			hangup(x)
		}
	}),
})

// CacheENOTSUP refuses to cache, with the wrong error.
var CacheENOTSUP = register(Quirk{
	Name: "cache-enotsup", Breaks: "err.enotsup",
	Doc:   "answers NBD_ENOTSUP to NBD_CMD_CACHE",
	Hooks: onReply(wire.CmdCache, fail(wire.ENOTSUP)),
})

// CacheAnsweredWithData takes a request to cache for one to read.
var CacheAnsweredWithData = register(Quirk{
	Name: "cache-answered-with-data", Breaks: "layout.chunk.type",
	Doc: "sends data in the structured reply to NBD_CMD_CACHE",
	Hooks: onReply(wire.CmdCache, func(x *server.Exchange) {
		if x.Session.Structured && x.Err() == wire.OK {
			insert(x, x.DataChunk(x.Request.Offset, make([]byte, 512)))
		}
	}),
})
