package serverquirk

import (
	"bytes"
	"fmt"
	"slices"

	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// GoReversed tells the same as before, the other way round.
var GoReversed = register(Quirk{
	Name: "go-reversed", Allowed: true, Permitted: []string{"opt.info.repeat-order"},
	Doc: "sends information in the reverse order in reply to NBD_OPT_GO alone",
	Hooks: onOption(wire.OptGo, func(x *server.OptionExchange) {
		if !x.Failed() {
			slices.Reverse(x.Replies[:len(x.Replies)-1])
		}
	}),
})

// InfoCounts tells something new whenever something else came in between.
var InfoCounts = register(Quirk{
	Name: "info-counts", Allowed: true, Permitted: []string{"opt.info.repeat-differ"},
	Doc: "sends information of an unknown type about how many options came that were not the same request for information as the one before",
	New: func() server.Hooks {
		n := 0
		var last []byte
		return server.Hooks{OptionReply: func(x *server.OptionExchange) {
			if !x.Is(wire.OptInfo, wire.OptGo) {
				n++
				last = nil
				return
			}
			if last == nil || !bytes.Equal(last, x.Request.Data) {
				n++
				last = append([]byte{}, x.Request.Data...)
			}
			if !x.Failed() {
				x.Insert(wire.RepInfo, wire.Info{Type: 0x7ffe, Payload: fmt.Appendf(nil, "the state after %d options", n)}.Append(nil))
			}
		}}
	},
})

// GoRefusedLater grants what was asked about last, and nothing else.
var GoRefusedLater = register(Quirk{
	Name: "go-refused-later", Allowed: true, Permitted: []string{"opt.info.repeat-fail"},
	Doc: "answers NBD_REP_ERR_POLICY to NBD_OPT_GO where NBD_OPT_INFO about the export succeeded and NBD_OPT_LIST came in between",
	New: func() server.Hooks {
		informed, listed := false, false
		return server.Hooks{OptionReply: func(x *server.OptionExchange) {
			switch {
			case x.Is(wire.OptInfo):
				informed, listed = informed || !x.Failed(), false
			case x.Is(wire.OptList):
				listed = true
			case x.Is(wire.OptGo) && informed && listed && !x.Failed():
				x.Fail(wire.RepErrPolicy, "too late")
			}
		}}
	},
})

// ShutdownSoon is about to end all the time.
var ShutdownSoon = register(Quirk{
	Name: "shutdown-soon", Allowed: true, Permitted: []string{"haggling.shutdown.inflight"},
	Doc: "answers NBD_REP_ERR_SHUTDOWN to the 33rd option of a connection and to those behind it, but NBD_OPT_ABORT",
	New: func() server.Hooks {
		n := 0
		return server.Hooks{OptionReply: func(x *server.OptionExchange) {
			if n++; n > 32 && !x.Is(wire.OptAbort) {
				x.Fail(wire.RepErrShutdown, "closing time")
			}
		}}
	},
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
	Doc: "hangs up behind a simple reply that says that a read failed",
	Hooks: onAnyError(func(x *server.Exchange) {
		if x.Is(wire.CmdRead) && !x.Replies[0].Structured {
			x.Hangup = true
		}
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

// ZeroesTrim has holes, and no way to ask for them.
var ZeroesTrim = register(Quirk{
	Name: "zeroes-trim", Allowed: true, Permitted: []string{"cmd.write-zeroes.trim"},
	Doc:    "does not advertise NBD_FLAG_SEND_TRIM, and makes holes of ranges of NBD_CMD_WRITE_ZEROES",
	Config: omit(wire.FlagSendTrim),
})

func omit(f wire.TransmissionFlags) func(*server.Config) {
	return func(c *server.Config) {
		for i := range c.Exports {
			c.Exports[i].Omit |= f
		}
	}
}

// constrained makes an allowed quirk of size constraints.
func constrained(name, doc string, s wire.SizeConstraints, clauses ...string) Quirk {
	return Quirk{
		Name: name, Allowed: true, Permitted: clauses, Doc: doc,
		Config: func(c *server.Config) {
			c.Exports[0].Constraints = s
			c.PayloadLimit = max(s.MaxPayload, wire.DefaultMaxPayload) // what is advertised is honoured
		},
	}
}

// Size constraints that nobody has.
var (
	MaxPayloadOdd = register(constrained("max-payload-odd", "advertises a maximum payload size of 5000000 bytes",
		wire.SizeConstraints{Minimum: 1, Preferred: 4096, MaxPayload: 5000000}, "size.max-payload.any"))
	PreferredHuge = register(constrained("preferred-huge", "advertises a preferred block size of 2^30 bytes, which is more than the export has",
		wire.SizeConstraints{Minimum: 1, Preferred: 1 << 30, MaxPayload: 1<<32 - 1}, "size.preferred.over-export", "size.preferred.export-size"))
	Minimum512 = register(constrained("minimum-512", "has a minimum block size of 512 bytes",
		wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: wire.DefaultMaxPayload}, "interop.default-512"))
)

// ChunksFull puts as much into a chunk as goes into one.
var ChunksFull = register(Quirk{
	Name: "chunks-full", Allowed: true, Permitted: []string{"size.max-payload.overhead"},
	Doc: "advertises a maximum payload size of 2^20 and sends reads of that size as one chunk, with eight bytes of offset before the data",
	Config: func(c *server.Config) {
		c.Exports[0].Constraints = wire.SizeConstraints{Minimum: 1, Preferred: 4096, MaxPayload: 1 << 20}
	},
	Hooks: onRead(1<<20, func(x *server.Exchange) {
		if x.Request.Length == 1<<20 {
			x.Chunks(x.DataChunk(x.Request.Offset, x.Content()))
		}
	}),
})

// StructuredBehindExtended has no way back.
var StructuredBehindExtended = register(Quirk{
	Name: "structured-behind-extended", Allowed: true, Permitted: []string{"opt.structured-reply.extended"},
	Doc: "answers NBD_REP_ERR_EXT_HEADER_REQD to NBD_OPT_STRUCTURED_REPLY after extended headers",
	Hooks: onOptionExtended(wire.OptStructuredReply, func(x *server.OptionExchange) {
		x.Fail(wire.RepErrExtHeaderReqd, "extended headers are better")
	}),
})

// ExtendedBlockSizeInsisted wants clients of extended headers to know how far they may go.
var ExtendedBlockSizeInsisted = register(Quirk{
	Name: "extended-block-size-insisted", Allowed: true, Permitted: []string{"opt.extended-headers.block-size-reqd"},
	Doc: "answers NBD_REP_ERR_BLOCK_SIZE_REQD to NBD_OPT_GO after extended headers unless it asks for NBD_INFO_BLOCK_SIZE",
	Hooks: onOptionExtended(wire.OptGo, func(x *server.OptionExchange) {
		if !x.Failed() && !asksForBlockSize(x) {
			x.Fail(wire.RepErrBlockSizeReqd, "ask for the sizes")
			x.Insert(wire.RepInfo, wire.DefaultSizeConstraints.Info().Append(nil))
		}
	}),
})

// ContextsFew takes two contexts at once.
var ContextsFew = register(Quirk{
	Name: "contexts-few", Allowed: true, Permitted: []string{"opt.set-meta.too-big"},
	Doc: "answers NBD_REP_ERR_TOO_BIG to NBD_OPT_SET_META_CONTEXT with more than two queries",
	Hooks: onOption(wire.OptSetMetaContext, func(x *server.OptionExchange) {
		if q, err := wire.ParseMetaContextRequest(x.Request.Data); err == nil && len(q.Queries) > 2 && !x.Failed() {
			x.Fail(wire.RepErrTooBig, "too many")
			x.Session.Contexts = nil
		}
	}),
})

// TLSOnlyDescribed tells about an export that it does not serve in the clear.
var TLSOnlyDescribed = register(Quirk{
	Name: "tls-only-described", Allowed: true, Permitted: []string{"opt.info.selective-tls.info"}, Profile: "tls",
	Doc: "describes an export that needs TLS, in reply to NBD_OPT_INFO and NBD_OPT_GO, before it says so",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		q, err := wire.ParseInfoRequest(x.Request.Data)
		if x.Is(wire.OptInfo, wire.OptGo) && err == nil && refusedForTLS(x) && needsTLS(x.Session, q.Export) {
			x.Insert(wire.RepInfo, wire.ExportInfo{Size: 1 << 20, Flags: wire.FlagHasFlags}.Info().Append(nil))
		}
	}},
})

// UnknownHidden does not say in the clear which exports there are.
var UnknownHidden = register(Quirk{
	Name: "unknown-hidden", Allowed: true, Permitted: []string{"opt.info.hide-unknown"}, Profile: "tls",
	Doc: "answers NBD_REP_ERR_TLS_REQD to NBD_OPT_INFO and NBD_OPT_GO without TLS for exports that do not exist",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		hides := !x.Session.TLS && x.Session.ClientFlags&wire.FlagCFixedNewstyle != 0 && hasTLS(x.Session)
		if x.Is(wire.OptInfo, wire.OptGo) && hides && x.Failed() && x.Replies[len(x.Replies)-1].Type == wire.RepErrUnknown {
			x.Fail(wire.RepErrTLSReqd, "")
		}
	}},
})

// TLSOnlyUnlisted does not list in the clear what needs TLS.
var TLSOnlyUnlisted = register(Quirk{
	Name: "tls-only-unlisted", Allowed: true, Permitted: []string{"opt.list.omit-tls-only"}, Profile: "tls",
	Doc: "leaves exports that need TLS out of the answer to NBD_OPT_LIST without TLS",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) {
		if x.Session.TLS {
			return
		}
		x.Drop(func(r wire.OptionReply) bool {
			e, err := wire.ParseServerReply(r.Data)
			return r.Type == wire.RepServer && err == nil && needsTLS(x.Session, e.Name)
		})
	}),
})

// needsTLS reports whether there is an export of the name that needs TLS.
func needsTLS(s *server.Session, name string) bool {
	return slices.ContainsFunc(s.Exports(), func(e server.Export) bool { return e.TLSOnly && e.Name == name })
}

// CacheLazy promises and does nothing.
var CacheLazy = register(Quirk{
	Name: "cache-lazy", Allowed: true, Permitted: []string{"cmd.cache.reply-early"},
	Doc: "answers NBD_CMD_CACHE with success at once, and caches nothing",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, cache: func(uint64, uint64) error { return nil }}
	}),
})
