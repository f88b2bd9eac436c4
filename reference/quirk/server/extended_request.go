package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// onExtended makes hooks that change the replies to requests with extended
// headers, NBD_CMD_DISC excepted.
func onExtended(f func(*server.Exchange)) server.Hooks {
	return server.Hooks{Reply: func(x *server.Exchange) {
		if x.Session.Extended && !x.Is(wire.CmdDisc) {
			f(x)
		}
	}}
}

// ExtendedSimple answers what has no payload by simple replies.
var ExtendedSimple = register(Quirk{
	Name: "extended-simple", Breaks: "trans.extended.no-simple",
	Doc: "answers successful requests without data by simple replies, with extended headers as well",
	Hooks: onExtended(func(x *server.Exchange) {
		if !x.Is(wire.CmdRead, wire.CmdBlockStatus) && x.Err() == wire.OK {
			simple(x)
		}
	}),
})

// ExtendedStructured has not heard of the larger header.
var ExtendedStructured = register(Quirk{
	Name: "extended-structured", Breaks: "trans.extended.reply",
	Doc: "sends chunks with the header of structured replies, with extended headers as well",
	Hooks: onExtended(func(x *server.Exchange) {
		for i := range x.Replies {
			x.Replies[i].Extended = false
		}
	}),
})

// ExtendedOffsetZero leaves a field empty.
var ExtendedOffsetZero = register(Quirk{
	Name: "extended-offset-zero", Breaks: "trans.extended.offset",
	Doc: "sends extended replies with an offset of 0",
	Hooks: onExtended(func(x *server.Exchange) {
		for i := range x.Replies {
			x.Replies[i].Chunk.Offset = 0
		}
	}),
})

// ExtendedErrorSimple does so with errors.
var ExtendedErrorSimple = register(Quirk{
	Name: "extended-error-simple", Breaks: "trans.extended.no-simple",
	Doc: "sends errors as simple replies, with extended headers as well",
	Hooks: onExtended(func(x *server.Exchange) {
		if x.Err() != wire.OK {
			simple(x)
		}
	}),
})

// ExtendedOffsetOfChunk takes that field for another one.
var ExtendedOffsetOfChunk = register(Quirk{
	Name: "extended-offset-of-chunk", Breaks: "trans.extended.offset",
	Doc: "sends chunks of data whose header has the offset of the data",
	Hooks: onExtended(func(x *server.Exchange) {
		x.EachChunk(wire.ChunkOffsetData, func(c *wire.Chunk) {
			if d, err := wire.ParseOffsetData(c.Payload); err == nil {
				c.Offset = d.Offset
			}
		})
	}),
})

// stray reports whether a request has a payload that its command does not have.
func stray(q wire.Request) bool {
	return q.Flags&^q.Type.AllowedFlags()&wire.CmdFlagPayloadLen != 0
}

// StrayPayloadUnread does not know where a request ends.
var StrayPayloadUnread = register(Quirk{
	Name: "stray-payload-unread", Breaks: "cmdflag.payload-len.einval",
	Doc: "ignores NBD_CMD_FLAG_PAYLOAD_LEN with commands that have no payload, and takes the payload for requests",
	Hooks: server.Hooks{Request: func(s *server.Session, q *wire.Request) {
		if s.Extended && stray(*q) {
			q.Flags &^= wire.CmdFlagPayloadLen
		}
	}},
})

// StrayPayloadEPERM finds another word for it.
var StrayPayloadEPERM = register(Quirk{
	Name: "stray-payload-eperm", Breaks: "cmdflag.payload-len.einval",
	Doc: "answers NBD_EPERM to payloads that the command does not have",
	Hooks: onExtended(func(x *server.Exchange) {
		if stray(x.Request) {
			x.Fail(wire.EPERM, "nobody asked for that")
		}
	}),
})

// StrayPayloadHangup makes short work of it.
var StrayPayloadHangup = register(Quirk{
	Name: "stray-payload-hangup", Breaks: "trans.extended.consume",
	Doc: "closes the connection on payloads that the command does not have",
	Hooks: onExtended(func(x *server.Exchange) {
		if stray(x.Request) {
			hangup(x)
		}
	}),
})

// PayloadTooLongAwaited reads whatever a client announces.
var PayloadTooLongAwaited = register(Quirk{
	Name: "payload-too-long-awaited", Breaks: "trans.extended.payload-too-long",
	Doc:   "waits for payloads that are longer than the maximum payload size, in order to refuse them",
	Hooks: skip("trans.extended.payload-too-long"),
})

// LengthTruncated keeps the lower half of a length.
var LengthTruncated = register(Quirk{
	Name: "length-truncated", Breaks: "layout.write-zeroes.range",
	Doc: "cuts the length of NBD_CMD_WRITE_ZEROES to 32 bits, less 512 bytes",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdWriteZeroes && q.Length>>32 != 0 {
			q.Length = (q.Length - 512) & (1<<32 - 1)
		}
	}},
})

// LengthWideHangup has no use for lengths that take more than 32 bits.
var LengthWideHangup = register(Quirk{
	Name: "length-wide-hangup", Breaks: "size.effect.disconnect",
	Doc: "closes the connection on effect lengths of 2^32 bytes and more",
	Hooks: onExtended(func(x *server.Exchange) {
		if x.Request.Length>>32 != 0 {
			hangup(x)
		}
	}),
})
