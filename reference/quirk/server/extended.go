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

// ExtendedNeedsStructured grants extended headers only behind structured replies.
var ExtendedNeedsStructured = register(Quirk{
	Name: "extended-needs-structured", Breaks: "opt.extended-headers.alone",
	Doc: "answers NBD_REP_ERR_UNSUP to NBD_OPT_EXTENDED_HEADERS unless structured replies were negotiated",
	New: func() server.Hooks {
		structured := false
		return onAnyOption(func(x *server.OptionExchange) {
			if x.Is(wire.OptExtendedHeaders) && !structured {
				x.Session.Structured, x.Session.Extended = false, false
				x.Fail(wire.RepErrUnsup, "structured replies first")
			}
			structured = structured || x.Is(wire.OptStructuredReply) && !x.Failed()
		})
	},
})

// ExtendedDataAccepted takes NBD_OPT_EXTENDED_HEADERS with data.
var ExtendedDataAccepted = register(Quirk{
	Name: "extended-data-accepted", Breaks: "opt.extended-headers.data-invalid",
	Doc:   "acknowledges NBD_OPT_EXTENDED_HEADERS that comes with data",
	Hooks: skip("opt.extended-headers.data-invalid"),
})

// ExtendedDowngraded goes back to structured replies.
var ExtendedDowngraded = register(Quirk{
	Name: "extended-downgraded", Breaks: "trans.extended.reply",
	Doc: "acknowledges NBD_OPT_STRUCTURED_REPLY after extended headers, and forgets about them",
	Hooks: onOption(wire.OptStructuredReply, func(x *server.OptionExchange) {
		if x.Session.Extended {
			x.Session.Extended = false
			x.Replies = []wire.OptionReply{{Option: wire.OptStructuredReply, Type: wire.RepAck}}
		}
	}),
})

// ExtendedAfterStructuredIgnored sticks to what came first.
var ExtendedAfterStructuredIgnored = register(Quirk{
	Name: "extended-after-structured-ignored", Breaks: "trans.extended.reply",
	Doc: "acknowledges NBD_OPT_EXTENDED_HEADERS after structured replies, and goes on with compact headers",
	New: func() server.Hooks {
		structured := false
		return onAnyOption(func(x *server.OptionExchange) {
			if x.Is(wire.OptExtendedHeaders) && structured {
				x.Session.Extended = false
			}
			structured = structured || x.Is(wire.OptStructuredReply) && !x.Failed()
		})
	},
})

// onAnyOption makes hooks that see the answer to every option.
func onAnyOption(f func(*server.OptionExchange)) server.Hooks { return server.Hooks{OptionReply: f} }

// onOptionExtended makes hooks that change the answer to one kind of option
// once extended headers are negotiated.
func onOptionExtended(o wire.Option, f func(*server.OptionExchange)) server.Hooks {
	return onOption(o, func(x *server.OptionExchange) {
		if x.Session.Extended {
			f(x)
		}
	})
}

// ExtendedGoUnsupported has extended headers for nothing.
var ExtendedGoUnsupported = register(Quirk{
	Name: "extended-go-unsupported", Breaks: "opt.info.extended.unsup",
	Doc: "answers NBD_REP_ERR_UNSUP to NBD_OPT_GO after extended headers",
	Hooks: onOptionExtended(wire.OptGo, func(x *server.OptionExchange) {
		x.Fail(wire.RepErrUnsup, "there is NBD_OPT_EXPORT_NAME")
	}),
})

// ExtendedSelectionRefused takes extended headers for no replacement of structured replies.
var ExtendedSelectionRefused = register(Quirk{
	Name: "extended-selection-refused", Breaks: "opt.set-meta.reply",
	Doc: "answers NBD_REP_ERR_INVALID to NBD_OPT_SET_META_CONTEXT after extended headers",
	Hooks: onOptionExtended(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		x.Session.Contexts = nil
		x.Fail(wire.RepErrInvalid, "structured replies first")
	}),
})

// ExtendedListAsksAgain wants extended headers from who has them.
var ExtendedListAsksAgain = register(Quirk{
	Name: "extended-list-asks-again", Breaks: "opt.list-meta.extended.negotiated",
	Doc: "ends lists of contexts by NBD_REP_ERR_EXT_HEADER_REQD after extended headers",
	Hooks: onOptionExtended(wire.OptListMetaContext, func(x *server.OptionExchange) {
		x.Replies[len(x.Replies)-1].Type = wire.RepErrExtHeaderReqd
	}),
})

// ExtendedInfoAsksAgain does the same where there is more to lose.
var ExtendedInfoAsksAgain = register(Quirk{
	Name: "extended-info-asks-again", Breaks: "rep.err-ext-header-reqd.use",
	Doc: "answers NBD_REP_ERR_EXT_HEADER_REQD to NBD_OPT_INFO after extended headers",
	Hooks: onOptionExtended(wire.OptInfo, func(x *server.OptionExchange) {
		x.Fail(wire.RepErrExtHeaderReqd, "extended headers first")
	}),
})

// onNarrow makes hooks that refuse an option about contexts for want of extended headers.
func onNarrow(o wire.Option) server.Hooks {
	return onOption(o, func(x *server.OptionExchange) {
		if x.Session.Structured && !x.Session.Extended && !x.Failed() {
			x.Session.Contexts = nil
			x.Fail(wire.RepErrExtHeaderReqd, "extended headers first")
		}
	})
}

// ListNeedsExtended keeps its contexts from ordinary clients.
var ListNeedsExtended = register(Quirk{
	Name: "list-needs-extended", Breaks: "opt.list-meta.extended.base",
	Doc:   "answers NBD_REP_ERR_EXT_HEADER_REQD to every NBD_OPT_LIST_META_CONTEXT without extended headers",
	Hooks: onNarrow(wire.OptListMetaContext),
})

// SelectionNeedsExtended does not let ordinary clients have contexts.
var SelectionNeedsExtended = register(Quirk{
	Name: "selection-needs-extended", Breaks: "opt.set-meta.extended.base",
	Doc:   "answers NBD_REP_ERR_EXT_HEADER_REQD to every NBD_OPT_SET_META_CONTEXT without extended headers",
	Hooks: onNarrow(wire.OptSetMetaContext),
})

// PayloadFlagUnnegotiated advertises the payload of block status to everybody.
var PayloadFlagUnnegotiated = register(Quirk{
	Name: "payload-flag-unnegotiated", Breaks: "flag.transmission.block-status-payload.negotiated",
	Doc: "advertises NBD_FLAG_BLOCK_STATUS_PAYLOAD without extended headers",
	Hooks: onFlags(func(s *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		if s.Extended {
			return f
		}
		return f | wire.FlagBlockStatusPayload
	}),
})

// PayloadFlagWithoutContexts advertises what there is nothing to be filtered from.
var PayloadFlagWithoutContexts = register(Quirk{
	Name: "payload-flag-without-contexts", Breaks: "flag.transmission.block-status-payload.contexts",
	Doc: "advertises NBD_FLAG_BLOCK_STATUS_PAYLOAD to clients that selected no metadata context",
	Hooks: onFlags(func(s *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		if !s.Extended {
			return f
		}
		return f | wire.FlagBlockStatusPayload
	}),
})

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
	Doc: "hangs up on payloads that the command does not have",
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
	Doc: "hangs up on effect lengths of 2^32 bytes and more",
	Hooks: onExtended(func(x *server.Exchange) {
		if x.Request.Length>>32 != 0 {
			hangup(x)
		}
	}),
})
