package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// GoUnsupported does not know NBD_OPT_GO.
var GoUnsupported = register(Quirk{
	Name: "go-unsupported", Breaks: "baseline.server.go",
	Doc:   "answers NBD_OPT_GO with NBD_REP_ERR_UNSUP",
	Hooks: onOption(wire.OptGo, func(x *server.OptionExchange) { x.Fail(wire.RepErrUnsup, "") }),
})

// GoNotEntered grants NBD_OPT_GO and goes on with the negotiation.
var GoNotEntered = register(Quirk{
	Name: "go-not-entered", Breaks: "baseline.server.go",
	Doc:   "answers NBD_OPT_GO with NBD_REP_ACK and waits for further options",
	Hooks: onOption(wire.OptGo, func(x *server.OptionExchange) { x.Enter = false }),
})

// GoPadding sends the zeroes that belong to NBD_OPT_EXPORT_NAME after NBD_OPT_GO.
var GoPadding = register(Quirk{
	Name: "go-padding", Breaks: "opt.info.go-no-padding",
	Doc: "sends 124 zeroes after the NBD_REP_ACK of NBD_OPT_GO",
	Hooks: onOption(wire.OptGo, func(x *server.OptionExchange) {
		if x.Enter {
			x.Raw = append(x.Bytes(), make([]byte, wire.ReservedZeroes)...)
		}
	}),
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

// FlagsDFUnnegotiated advertises NBD_FLAG_SEND_DF without structured replies.
var FlagsDFUnnegotiated = register(Quirk{
	Name: "flags-df-unnegotiated", Breaks: "flag.transmission.send-df.structured",
	Doc: "sets NBD_FLAG_SEND_DF before structured replies are negotiated",
	Hooks: onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		return f | wire.FlagSendDF
	}),
})

// FlagsFastZeroAlone advertises fast zeroes without write zeroes.
var FlagsFastZeroAlone = register(Quirk{
	Name: "flags-fast-zero-alone", Breaks: "flag.transmission.fast-zero.write-zeroes",
	Doc: "sets NBD_FLAG_SEND_FAST_ZERO without NBD_FLAG_SEND_WRITE_ZEROES",
	Hooks: onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		return f&^wire.FlagSendWriteZeroes | wire.FlagSendFastZero
	}),
})
