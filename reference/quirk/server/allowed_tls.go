package serverquirk

import (
	"slices"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// needsTLS reports whether there is an export of the name that needs TLS.
func needsTLS(s *server.Session, name string) bool {
	return slices.ContainsFunc(s.Exports(), func(e server.Export) bool { return e.TLSOnly && e.Name == name })
}

// TLSOnlyDescribed tells about an export that it does not serve in plaintext.
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

// UnknownHidden does not say in plaintext which exports there are.
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

// TLSOnlyUnlisted does not list in plaintext what needs TLS.
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
