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

// FlagsWithoutHasFlags leaves NBD_FLAG_HAS_FLAGS out.
var FlagsWithoutHasFlags = register(Quirk{
	Name: "flags-without-has-flags", Breaks: "flag.transmission.has-flags",
	Doc: "leaves NBD_FLAG_HAS_FLAGS out of the transmission flags",
	Hooks: onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		return f &^ wire.FlagHasFlags
	}),
})

// OptionReplyWrongMagic gets a byte of the magic of option replies wrong.
var OptionReplyWrongMagic = register(Quirk{
	Name: "option-reply-wrong-magic", Breaks: "layout.option-reply.magic",
	Doc: "gets a byte of the magic number of option replies wrong",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		x.Raw = x.Bytes()
		x.Raw[7] ^= 1
	}},
})

// OptionReplyWrongOption answers as if another option had been sent.
var OptionReplyWrongOption = register(Quirk{
	Name: "option-reply-wrong-option", Breaks: "layout.option-reply.option",
	Doc: "puts the next option's number into its replies",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		for i := range x.Replies {
			x.Replies[i].Option++
		}
	}},
})

// UnknownExportInvalid blames the client's words for an export that it does not have.
var UnknownExportInvalid = register(Quirk{
	Name: "unknown-export-invalid", Breaks: "baseline.server.info",
	Doc: "answers NBD_OPT_INFO and NBD_OPT_GO for an unknown export with NBD_REP_ERR_INVALID",
	Hooks: onOptionError(func(r *wire.OptionReply) {
		if r.Type == wire.RepErrUnknown {
			r.Type = wire.RepErrInvalid
		}
	}),
})

// UnknownExportHangup closes the connection on a client that asks for an export that is not there.
var UnknownExportHangup = register(Quirk{
	Name: "unknown-export-hangup", Breaks: "haggling.hard.unjustified.server",
	Doc: "closes the connection after NBD_REP_ERR_UNKNOWN",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		x.Hangup = x.Hangup || x.Failed() && x.Replies[len(x.Replies)-1].Type == wire.RepErrUnknown
	}},
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

// InfoNameOther gives the export another name than the list does.
var InfoNameOther = register(Quirk{
	Name: "info-name-other", Breaks: "layout.rep.info-name.same",
	Doc: "puts a path into NBD_INFO_NAME and a plain name into NBD_REP_SERVER",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoName, func(i *wire.Info) { i.Payload = append([]byte("/dev/"), i.Payload...) })
	}),
})

// InfoDescriptionOther describes the export differently each time.
var InfoDescriptionOther = register(Quirk{
	Name: "info-description-other", Breaks: "layout.rep.info-description.same",
	Doc: "describes the export by other words in NBD_INFO_DESCRIPTION than in NBD_REP_SERVER",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoDescription, func(i *wire.Info) { i.Payload = []byte("something else") })
	}),
})

// LongNameHangup closes the connection on a client whose export name is long.
var LongNameHangup = register(Quirk{
	Name: "long-name-hangup", Breaks: "haggling.hard.unjustified.server",
	Doc: "closes the connection on NBD_OPT_INFO and NBD_OPT_GO with more than 1024 bytes of data",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Is(wire.OptInfo, wire.OptGo) && len(x.Request.Data) > 1024 {
			x.Silent, x.Hangup = true, true
		}
	}},
})

// CrashOnLongName dies of a name that is longer than 256 bytes.
var CrashOnLongName = register(Quirk{
	Name: "crash-on-long-name", Breaks: "haggling.hard.unjustified.server",
	Doc: "closes all connections and listens no more when it gets NBD_OPT_INFO or NBD_OPT_GO with more than 256 bytes of data",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Is(wire.OptInfo, wire.OptGo) && len(x.Request.Data) > 256 {
			x.Silent, x.Crash = true, true
		}
	}},
})
