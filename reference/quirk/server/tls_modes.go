package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// refusedForTLS reports whether the server demands TLS.
func refusedForTLS(x *server.OptionExchange) bool {
	n := len(x.Replies)
	return n > 0 && x.Replies[n-1].Type == wire.RepErrTLSReqd
}

// ForcedTLSAnswersList tells in plaintext which exports there are.
var ForcedTLSAnswersList = register(Quirk{
	Name: "forced-tls-answers-list", Breaks: "tls.forced.other-options",
	Doc: "answers NBD_OPT_LIST without TLS in FORCEDTLS mode",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if !x.Is(wire.OptList) || !refusedForTLS(x) {
			return
		}
		x.Replies = nil
		for _, e := range x.Session.Exports() {
			x.Add(wire.RepServer, wire.ServerReply{Name: e.Name}.Append(nil))
		}
		x.Add(wire.RepAck, nil)
	}},
})

// ForcedTLSUnknownUnsup says in plaintext which options it does not know.
var ForcedTLSUnknownUnsup = register(Quirk{
	Name: "forced-tls-unknown-unsup", Breaks: "tls.forced.other-options",
	Doc: "answers unknown options by NBD_REP_ERR_UNSUP without TLS in FORCEDTLS mode",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Request.Option > wire.OptExtendedHeaders && refusedForTLS(x) {
			x.Fail(wire.RepErrUnsup, "")
		}
	}},
})

// ForcedTLSInformative describes an export before it demands TLS.
var ForcedTLSInformative = register(Quirk{
	Name: "forced-tls-informative", Breaks: "opt.info.forced-tls.no-info",
	Doc: "sends NBD_REP_INFO before NBD_REP_ERR_TLS_REQD in FORCEDTLS mode",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Is(wire.OptInfo, wire.OptGo) && refusedForTLS(x) {
			x.Insert(wire.RepInfo, wire.ExportInfo{Size: 1 << 20, Flags: wire.FlagHasFlags}.Info().Append(nil))
		}
	}},
})

// ForcedTLSExportNameServed serves those who don't ask for TLS.
var ForcedTLSExportNameServed = register(Quirk{
	Name: "forced-tls-export-name-served", Breaks: "tls.forced.export-name",
	Doc:   "takes NBD_OPT_EXPORT_NAME without TLS in FORCEDTLS mode",
	Hooks: skip("tls.forced.export-name"),
})

// SelectiveTLSInfoPolicy refuses to describe a TLS-only export, and hides why.
var SelectiveTLSInfoPolicy = register(Quirk{
	Name: "selective-tls-info-policy", Breaks: "tls.selective.info",
	Doc: "answers NBD_OPT_INFO with a request for NBD_INFO_BLOCK_SIZE for a TLS-only export by NBD_REP_ERR_POLICY without TLS",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Is(wire.OptInfo) && refusedForTLS(x) && asksForBlockSize(x) {
			x.Fail(wire.RepErrPolicy, "")
		}
	}},
})

// SelectiveTLSGoServed serves a TLS-only export in plaintext.
var SelectiveTLSGoServed = register(Quirk{
	Name: "selective-tls-go-served", Breaks: "tls.selective.go",
	Doc:   "takes NBD_OPT_GO for a TLS-only export without TLS",
	Hooks: skip("tls.selective.go"),
})

// SelectiveTLSExportNameServed serves a TLS-only export in plaintext.
var SelectiveTLSExportNameServed = register(Quirk{
	Name: "selective-tls-export-name-served", Breaks: "tls.selective.export-name",
	Doc:   "takes NBD_OPT_EXPORT_NAME for a TLS-only export without TLS",
	Hooks: skip("tls.selective.export-name"),
})

// hasTLS reports whether an export of the server needs TLS.
func hasTLS(s *server.Session) bool {
	for _, e := range s.Exports() {
		if e.TLSOnly {
			return true
		}
	}
	return false
}

// SelectiveTLSStructuredReqd demands TLS for what has nothing to do with an export.
var SelectiveTLSStructuredReqd = register(Quirk{
	Name: "selective-tls-structured-reqd", Breaks: "tls.selective.tls-reqd.other-options",
	Doc: "answers NBD_OPT_STRUCTURED_REPLY by NBD_REP_ERR_TLS_REQD without TLS in SELECTIVETLS mode",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Is(wire.OptStructuredReply) && hasTLS(x.Session) && !x.Session.TLS {
			x.Fail(wire.RepErrTLSReqd, "")
		}
	}},
})

// SelectiveTLSFickle demands TLS of every other client.
var SelectiveTLSFickle = register(Quirk{
	Name: "selective-tls-fickle", Breaks: "tls.selective.tls-reqd.plain",
	Doc: "answers NBD_OPT_INFO without TLS by NBD_REP_ERR_TLS_REQD for exports that it serves in plaintext",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Is(wire.OptInfo) && !x.Session.TLS && x.Export != nil && !x.Export.TLSOnly && hasTLS(x.Session) {
			x.Fail(wire.RepErrTLSReqd, "")
		}
	}},
})

// SelectiveTLSHalfHidden hides which exports do not exist, and describes those that do.
var SelectiveTLSHalfHidden = register(Quirk{
	Name: "selective-tls-half-hidden", Breaks: "opt.info.hide-unknown.no-info",
	Doc: "answers NBD_OPT_INFO and NBD_OPT_GO without TLS by NBD_REP_ERR_TLS_REQD for missing exports, and describes a TLS-only export before that error",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if !x.Is(wire.OptInfo, wire.OptGo) || x.Session.TLS || !x.Failed() || !hasTLS(x.Session) {
			return
		}
		if refusedForTLS(x) {
			x.Insert(wire.RepInfo, wire.ExportInfo{Size: 1 << 20, Flags: wire.FlagHasFlags}.Info().Append(nil))
		} else if x.Replies[len(x.Replies)-1].Type == wire.RepErrUnknown {
			x.Fail(wire.RepErrTLSReqd, "")
		}
	}},
})
