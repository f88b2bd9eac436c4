package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// ExportNameZeroesMissing leaves out the reserved zeroes although the client expects them.
var ExportNameZeroesMissing = register(Quirk{
	Name: "export-name-zeroes-missing", Breaks: "layout.export-name.reserved",
	Doc:   "never sends the 124 zeroes after the answer to NBD_OPT_EXPORT_NAME",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) { x.Reply.Zeroes = false }},
})

// ExportNameReservedNonzero sends something else in place of the reserved zeroes.
var ExportNameReservedNonzero = register(Quirk{
	Name: "export-name-reserved-nonzero", Breaks: "layout.export-name.reserved",
	Doc: "sends a 1 among the 124 zeroes after the answer to NBD_OPT_EXPORT_NAME",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) {
		if x.Reply.Zeroes && !x.Refused {
			x.Raw = x.Reply.Append(nil)
			x.Raw[len(x.Raw)-1] = 1
		}
	}},
})

// ExportNameZeroesUnwanted sends the reserved zeroes although both sides agreed not to.
var ExportNameZeroesUnwanted = register(Quirk{
	Name: "export-name-zeroes-unwanted", Breaks: "flag.handshake.no-zeroes",
	Doc:   "sends the 124 zeroes after the answer to NBD_OPT_EXPORT_NAME in spite of NBD_FLAG_C_NO_ZEROES",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) { x.Reply.Zeroes = true }},
})

// ExportNameRefused knows no NBD_OPT_EXPORT_NAME.
var ExportNameRefused = register(Quirk{
	Name: "export-name-refused", Breaks: "interop.server.export-name",
	Doc:   "closes the connection on NBD_OPT_EXPORT_NAME, whatever the name",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) { x.Refused, x.Hangup, x.Silent = true, true, true }},
})

// ExportNameOtherSize tells old clients of a larger export.
var ExportNameOtherSize = register(Quirk{
	Name: "export-name-other-size", Breaks: "layout.rep.info-export.same",
	Doc:   "tells a size 4096 larger in answer to NBD_OPT_EXPORT_NAME than in NBD_INFO_EXPORT",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) { x.Reply.Size += 4096 }},
})

// ExportNameOtherFlags keeps some of its features from old clients.
var ExportNameOtherFlags = register(Quirk{
	Name: "export-name-other-flags", Breaks: "layout.rep.info-export.same",
	Doc:   "leaves all but NBD_FLAG_HAS_FLAGS out of the answer to NBD_OPT_EXPORT_NAME",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) { x.Reply.Flags &= wire.FlagHasFlags }},
})

func known(s *server.Session, name string) bool {
	for _, e := range s.Exports() {
		if e.Name == name {
			return true
		}
	}
	return name == ""
}

// ExportNameUnknownServed serves the default export under any name.
var ExportNameUnknownServed = register(Quirk{
	Name: "export-name-unknown-served", Breaks: "opt.export-name.unknown",
	Doc: "takes an unknown name in NBD_OPT_EXPORT_NAME for the default export",
	Hooks: server.Hooks{Option: func(s *server.Session, o *wire.OptionRequest) {
		if o.Option == wire.OptExportName && !known(s, string(o.Data)) {
			o.Data = []byte(s.Exports()[0].Name)
		}
	}},
})

// ExportNameUnknownIgnored keeps the connection when it has no such export.
var ExportNameUnknownIgnored = register(Quirk{
	Name: "export-name-unknown-ignored", Breaks: "opt.export-name.unknown",
	Doc: "neither answers an unknown name in NBD_OPT_EXPORT_NAME nor closes the connection",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) {
		if x.Refused {
			x.Stall, x.Hangup = true, false
		}
	}},
})

// DefaultExportDiffers has one default export for old clients and another for new ones.
var DefaultExportDiffers = register(Quirk{
	Name: "default-export-differs", Breaks: "layout.opt.info.default",
	Doc: "takes the empty name for the last export in NBD_OPT_EXPORT_NAME, and for the first one elsewhere",
	Hooks: server.Hooks{Option: func(s *server.Session, o *wire.OptionRequest) {
		if all := s.Exports(); o.Option == wire.OptExportName && len(o.Data) == 0 {
			o.Data = []byte(all[len(all)-1].Name)
		}
	}},
})
