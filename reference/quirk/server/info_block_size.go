package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// BlockSizeReqdThoughRequested insists on what the client did.
var BlockSizeReqdThoughRequested = register(Quirk{
	Name: "block-size-reqd-though-requested", Breaks: "opt.info.block-size-reqd.requested",
	Doc: "answers NBD_REP_ERR_BLOCK_SIZE_REQD to clients that ask for NBD_INFO_BLOCK_SIZE",
	Hooks: onInfo(func(x *server.OptionExchange) {
		if q, _ := wire.ParseInfoRequest(x.Request.Data); q.Wants(wire.InfoBlockSize) {
			x.Fail(wire.RepErrBlockSizeReqd, "")
		}
	}),
})

// BlockSizeReqdByDefault insists on telling constraints that are the default.
var BlockSizeReqdByDefault = register(Quirk{
	Name: "block-size-reqd-by-default", Breaks: "opt.info.block-size-reqd.default",
	Doc: "answers NBD_REP_ERR_BLOCK_SIZE_REQD to clients that don't ask, with default constraints",
	Hooks: onInfo(func(x *server.OptionExchange) {
		if q, _ := wire.ParseInfoRequest(x.Request.Data); !q.Wants(wire.InfoBlockSize) {
			x.Fail(wire.RepErrBlockSizeReqd, "")
			x.Insert(wire.RepInfo, wire.DefaultSizeConstraints.Info().Append(nil))
		}
	}),
})

// insist makes the first export enforce constraints that a client has to ask for.
func insist(c *server.Config) {
	c.Exports[0].Constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 65536, MaxPayload: 1 << 20}
	c.Exports[0].RequireBlockSize = true
}

// BlockSizeReqdUntold insists on constraints, and does not tell them with the error.
var BlockSizeReqdUntold = register(Quirk{
	Name: "block-size-reqd-untold", Breaks: "opt.info.block-size-reqd.info-first",
	Doc: "sends no NBD_INFO_BLOCK_SIZE ahead of NBD_REP_ERR_BLOCK_SIZE_REQD",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if n := len(x.Replies); n > 0 && x.Replies[n-1].Type == wire.RepErrBlockSizeReqd {
			x.Replies = x.Replies[n-1:]
		}
	}},
	Config: insist,
})

// InfoBlockSizeShort leaves the maximum payload size out.
var InfoBlockSizeShort = register(Quirk{
	Name: "info-block-size-short", Breaks: "rep.info-block-size.length",
	Doc: "sends NBD_INFO_BLOCK_SIZE without the maximum payload size",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoBlockSize, func(i *wire.Info) { i.Payload = i.Payload[:8] })
	}),
})

// BlockSizeMinimumOdd advertises a minimum block size of 1000.
var BlockSizeMinimumOdd = register(Quirk{
	Name: "block-size-minimum-odd", Breaks: "size.minimum.power-of-2",
	Doc:   "advertises a minimum block size of 1000",
	Hooks: onConstraints(func(c *wire.SizeConstraints) { c.Minimum = 1000 }),
})

// BlockSizeMinimumLarge advertises a minimum block size of 128 KiB.
var BlockSizeMinimumLarge = register(Quirk{
	Name: "block-size-minimum-large", Breaks: "size.minimum.max",
	Doc:   "advertises a minimum block size of 131072",
	Hooks: onConstraints(func(c *wire.SizeConstraints) { c.Minimum, c.Preferred = 1<<17, 1<<17 }),
})

// BlockSizePreferredOdd advertises a preferred block size of 5000.
var BlockSizePreferredOdd = register(Quirk{
	Name: "block-size-preferred-odd", Breaks: "size.preferred.power-of-2",
	Doc:   "advertises a preferred block size of 5000",
	Hooks: onConstraints(func(c *wire.SizeConstraints) { c.Preferred = 5000 }),
})

// BlockSizePreferredSmall advertises a preferred block size of 256.
var BlockSizePreferredSmall = register(Quirk{
	Name: "block-size-preferred-small", Breaks: "size.preferred.min",
	Doc:   "advertises a minimum block size of 1 and a preferred one of 256",
	Hooks: onConstraints(func(c *wire.SizeConstraints) { c.Minimum, c.Preferred = 1, 256 }),
})

// BlockSizeMaximumTiny advertises a maximum payload size below the preferred block size.
var BlockSizeMaximumTiny = register(Quirk{
	Name: "block-size-maximum-tiny", Breaks: "size.max-payload.preferred",
	Doc:   "advertises a maximum payload size one byte below the preferred block size",
	Hooks: onConstraints(func(c *wire.SizeConstraints) { c.MaxPayload = c.Preferred - 1 }),
})

// BlockSizeNotAFactor advertises a size that is no multiple of the minimum block size.
var BlockSizeNotAFactor = register(Quirk{
	Name: "block-size-not-a-factor", Breaks: "size.minimum.export-size",
	Doc: "advertises a minimum block size of 512 and a size that is not a multiple of it",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoBlockSize, func(i *wire.Info) {
			*i = wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: wire.DefaultMaxPayload}.Info()
			x.ExportInfo(func(e *wire.ExportInfo) { e.Size = (e.Size-1)&^511 + 1 })
		})
	}),
})

// BlockSizeMaximumSmall advertises a maximum payload size of 64 KiB.
var BlockSizeMaximumSmall = register(Quirk{
	Name: "block-size-maximum-small", Breaks: "size.max-payload.min",
	Doc:   "advertises a maximum payload size of 65536 for an export that is larger than 2^20",
	Hooks: onConstraints(func(c *wire.SizeConstraints) { c.MaxPayload = max(1<<16, c.Preferred) }),
})

// BlockSizeUntold enforces constraints that it does not tell.
var BlockSizeUntold = register(Quirk{
	Name: "block-size-untold", Breaks: "rep.info-block-size.enforced",
	Doc: "enforces a minimum block size of 4096 and never sends NBD_INFO_BLOCK_SIZE",
	Config: func(c *server.Config) {
		c.Exports[0].Constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 65536, MaxPayload: 1 << 20}
	},
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Drop(func(r wire.OptionReply) bool {
			i, err := wire.ParseInfo(r.Data)
			return r.Type == wire.RepInfo && err == nil && i.Type == wire.InfoBlockSize
		})
	}),
})

func asksForBlockSize(x *server.OptionExchange) bool {
	q, err := wire.ParseInfoRequest(x.Request.Data)
	return err == nil && q.Wants(wire.InfoBlockSize)
}
