package serverquirk

import (
	"nbdconform/reference/export"
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

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

// CacheENOTSUP refuses to cache, with the wrong error.
var CacheENOTSUP = register(Quirk{
	Name: "cache-enotsup", Breaks: "err.enotsup",
	Doc:   "answers NBD_ENOTSUP to NBD_CMD_CACHE",
	Hooks: onReply(wire.CmdCache, fail(wire.ENOTSUP)),
})

// CacheDestroys zeroes what the client only wanted to have at hand.
var CacheDestroys = register(Quirk{
	Name: "cache-destroys", Breaks: "cmd.cache.no-effect",
	Doc: "zeroes the range of NBD_CMD_CACHE",
	Hooks: wrap(func(e export.Export) export.Export {
		return disk{Export: e, cache: func(off, n uint64) error { return e.Zero(off, n, false, false) }}
	}),
})

// CacheBeyondAccepted caches beyond the end.
var CacheBeyondAccepted = register(Quirk{
	Name: "cache-beyond-accepted", Breaks: "size.bounds.cache",
	Doc:   "reports NBD_CMD_CACHE beyond the end of the export as done",
	Hooks: skip("size.bounds.cache"),
})

// CacheFlagsIgnored takes any flag with NBD_CMD_CACHE.
var CacheFlagsIgnored = register(Quirk{
	Name: "cache-flags-ignored", Breaks: "cmd.cache.flags",
	Doc: "ignores all flags of NBD_CMD_CACHE",
	Hooks: server.Hooks{Request: func(_ *server.Session, q *wire.Request) {
		if q.Type == wire.CmdCache {
			q.Flags = 0
		}
	}},
})

// CacheLongHangup closes the connection on requests to cache more than a payload.
var CacheLongHangup = register(Quirk{
	Name: "cache-long-hangup", Breaks: "size.effect.disconnect",
	Doc: "closes the connection on NBD_CMD_CACHE of more than the maximum payload size",
	Hooks: onReply(wire.CmdCache, func(x *server.Exchange) {
		if x.Request.Length > uint64(x.Session.Export.Constraints.MaxPayload) {
			hangup(x)
		}
	}),
})
