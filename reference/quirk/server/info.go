package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// InfoUnsupported does not know NBD_OPT_INFO.
var InfoUnsupported = register(Quirk{
	Name: "info-unsupported", Breaks: "baseline.server.info",
	Doc:   "answers NBD_OPT_INFO with NBD_REP_ERR_UNSUP",
	Hooks: onOption(wire.OptInfo, func(x *server.OptionExchange) { x.Fail(wire.RepErrUnsup, "") }),
})

// GoUnsupported does not know NBD_OPT_GO.
var GoUnsupported = register(Quirk{
	Name: "go-unsupported", Breaks: "baseline.server.go",
	Doc:   "answers NBD_OPT_GO with NBD_REP_ERR_UNSUP",
	Hooks: onOption(wire.OptGo, func(x *server.OptionExchange) { x.Fail(wire.RepErrUnsup, "") }),
})

// GoNotEntered grants NBD_OPT_GO and goes on haggling.
var GoNotEntered = register(Quirk{
	Name: "go-not-entered", Breaks: "baseline.server.go",
	Doc:   "answers NBD_OPT_GO with NBD_REP_ACK and waits for further options",
	Hooks: onOption(wire.OptGo, func(x *server.OptionExchange) { x.Enter = false }),
})

// GoPadding sends the zeroes that belong to NBD_OPT_EXPORT_NAME behind NBD_OPT_GO.
var GoPadding = register(Quirk{
	Name: "go-padding", Breaks: "opt.info.go-no-padding",
	Doc: "sends 124 zeroes behind the NBD_REP_ACK of NBD_OPT_GO",
	Hooks: onOption(wire.OptGo, func(x *server.OptionExchange) {
		if x.Enter {
			x.Raw = append(x.Bytes(), make([]byte, wire.ReservedZeroes)...)
		}
	}),
})

// InfoWithoutExport leaves out the one information that must be there.
var InfoWithoutExport = register(Quirk{
	Name: "info-without-export", Breaks: "opt.info.export-before-ack",
	Doc: "leaves NBD_INFO_EXPORT out",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Drop(func(r wire.OptionReply) bool {
			i, err := wire.ParseInfo(r.Data)
			return r.Type == wire.RepInfo && err == nil && i.Type == wire.InfoExport
		})
	}),
})

// InfoExportTwice sends NBD_INFO_EXPORT twice.
var InfoExportTwice = register(Quirk{
	Name: "info-export-twice", Breaks: "rep.info.once",
	Doc: "sends NBD_INFO_EXPORT twice",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoExport, func(i *wire.Info) {
			x.Insert(wire.RepInfo, i.Append(nil))
		})
	}),
})

// InfoExportLong appends something to NBD_INFO_EXPORT.
var InfoExportLong = register(Quirk{
	Name: "info-export-long", Breaks: "rep.info-export.length",
	Doc: "sends NBD_INFO_EXPORT with a length of 16",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoExport, func(i *wire.Info) { i.Payload = append(i.Payload, 0, 0, 0, 0) })
	}),
})

// InfoTooShort sends information without a type.
var InfoTooShort = register(Quirk{
	Name: "info-too-short", Breaks: "layout.rep.info",
	Doc:   "sends an NBD_REP_INFO of one byte ahead of the others",
	Hooks: onInfo(func(x *server.OptionExchange) { x.Insert(wire.RepInfo, []byte{0}) }),
})

// InfoBlockSizeShort leaves the maximum payload size out.
var InfoBlockSizeShort = register(Quirk{
	Name: "info-block-size-short", Breaks: "rep.info-block-size.length",
	Doc: "sends NBD_INFO_BLOCK_SIZE without the maximum payload size",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoBlockSize, func(i *wire.Info) { i.Payload = i.Payload[:8] })
	}),
})

// InfoUnknownRequestRejected minds requests for information that it does not know.
var InfoUnknownRequestRejected = register(Quirk{
	Name: "info-unknown-request-rejected", Breaks: "opt.info.unknown-request",
	Doc: "answers NBD_REP_ERR_INVALID to a request for information that it does not know",
	Hooks: onInfo(func(x *server.OptionExchange) {
		q, _ := wire.ParseInfoRequest(x.Request.Data)
		for _, t := range q.Infos {
			if t > wire.InfoBlockSize {
				x.Fail(wire.RepErrInvalid, "no such information")
			}
		}
	}),
})

// InfoUnknownNameDescribed tells something of exports that it does not have.
var InfoUnknownNameDescribed = register(Quirk{
	Name: "info-unknown-name-described", Breaks: "opt.info.unknown.no-info",
	Doc: "sends NBD_INFO_EXPORT ahead of NBD_REP_ERR_UNKNOWN",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Is(wire.OptInfo, wire.OptGo) && x.Export == nil {
			x.Insert(wire.RepInfo, wire.ExportInfo{Size: 1 << 20, Flags: wire.FlagHasFlags}.Info().Append(nil))
		}
	}},
})

// GoOtherSize changes its mind about the size between NBD_OPT_INFO and NBD_OPT_GO.
var GoOtherSize = register(Quirk{
	Name: "go-other-size", Breaks: "opt.info.repeatable",
	Doc: "tells another size in NBD_OPT_GO than in NBD_OPT_INFO",
	Hooks: onOption(wire.OptInfo, func(x *server.OptionExchange) {
		x.ExportInfo(func(e *wire.ExportInfo) { e.Size += 4096 })
	}),
})

// GoOtherFlags changes its mind about the flags between NBD_OPT_INFO and NBD_OPT_GO.
var GoOtherFlags = register(Quirk{
	Name: "go-other-flags", Breaks: "opt.info.repeatable",
	Doc: "tells other transmission flags in NBD_OPT_GO than in NBD_OPT_INFO",
	Hooks: onOption(wire.OptInfo, func(x *server.OptionExchange) {
		x.ExportInfo(func(e *wire.ExportInfo) { e.Flags ^= wire.FlagRotational })
	}),
})

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

// BlockSizeReqdByDefault insists on telling constraints that everybody assumes.
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

// insist makes the first export enforce constraints that a client has to ask for.
func insist(c *server.Config) {
	c.Exports[0].Constraints = wire.SizeConstraints{Minimum: 4096, Preferred: 65536, MaxPayload: 1 << 20}
	c.Exports[0].RequireBlockSize = true
}

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

// BlockSizeMaximumSmall advertises a maximum payload size of 64 KiB.
var BlockSizeMaximumSmall = register(Quirk{
	Name: "block-size-maximum-small", Breaks: "size.max-payload.min",
	Doc:   "advertises a maximum payload size of 65536 for an export that is larger than 2^20",
	Hooks: onConstraints(func(c *wire.SizeConstraints) { c.MaxPayload = max(1<<16, c.Preferred) }),
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
