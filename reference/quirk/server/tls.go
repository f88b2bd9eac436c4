package serverquirk

import (
	"context"
	"crypto/tls"
	"io"
	"net"

	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// TLSStateKept remembers what was negotiated in the clear.
var TLSStateKept = register(Quirk{
	Name: "tls-state-kept", Breaks: "opt.starttls.forget-state",
	Doc:   "keeps structured replies and metadata contexts that were negotiated before TLS",
	Hooks: skip("opt.starttls.forget-state"),
})

// TLSPlainTextInterpreted answers options that came in the clear as if they
// had come within TLS, as in CVE-2021-3716.
var TLSPlainTextInterpreted = register(Quirk{
	Name: "tls-plain-text-interpreted", Breaks: "tls.upgrade.all.server",
	Doc:   "answers options within TLS that came in the clear together with NBD_OPT_STARTTLS",
	Hooks: skip("tls.upgrade.all.client"),
})

// StartTLSTwiceAccepted starts TLS within TLS.
var StartTLSTwiceAccepted = register(Quirk{
	Name: "starttls-twice-accepted", Breaks: "tls.forced.starttls.again",
	Doc:   "acknowledges NBD_OPT_STARTTLS within TLS",
	Hooks: skip("tls.forced.starttls.again"),
})

// StartTLSInTheClear acknowledges NBD_OPT_STARTTLS and goes on without TLS.
var StartTLSInTheClear = register(Quirk{
	Name: "starttls-in-the-clear", Breaks: "tls.upgrade.ready",
	Doc: "acknowledges NBD_OPT_STARTTLS and expects the next option in the clear",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		x.Upgrade = false
	}},
})

// TLSReqdWithinTLS demands what there is.
var TLSReqdWithinTLS = register(Quirk{
	Name: "tls-reqd-within-tls", Breaks: "tls.forced.tls-reqd.after",
	Doc: "answers options that it does not know by NBD_REP_ERR_TLS_REQD within TLS",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Session.TLS && x.Failed() && x.Replies[len(x.Replies)-1].Type == wire.RepErrUnsup {
			x.Fail(wire.RepErrTLSReqd, "")
		}
	}},
})

// TLSUnknownExportTLSReqd hides within TLS which exports there are.
var TLSUnknownExportTLSReqd = register(Quirk{
	Name: "tls-unknown-export-tls-reqd", Breaks: "tls.selective.tls-reqd.after",
	Doc: "answers NBD_OPT_INFO and NBD_OPT_GO for an export that does not exist by NBD_REP_ERR_TLS_REQD within TLS",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Session.TLS && x.Is(wire.OptInfo, wire.OptGo) && x.Export == nil && x.Failed() {
			x.Fail(wire.RepErrTLSReqd, "")
		}
	}},
})

// ForcedTLSAnswersList tells in the clear which exports there are.
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

// ForcedTLSUnknownUnsup says in the clear which options it does not know.
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

// SelectiveTLSGoServed serves a TLS-only export in the clear.
var SelectiveTLSGoServed = register(Quirk{
	Name: "selective-tls-go-served", Breaks: "tls.selective.go",
	Doc:   "takes NBD_OPT_GO for a TLS-only export without TLS",
	Hooks: skip("tls.selective.go"),
})

// SelectiveTLSExportNameServed serves a TLS-only export in the clear.
var SelectiveTLSExportNameServed = register(Quirk{
	Name: "selective-tls-export-name-served", Breaks: "tls.selective.export-name",
	Doc:   "takes NBD_OPT_EXPORT_NAME for a TLS-only export without TLS",
	Hooks: skip("tls.selective.export-name"),
})

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

// TLSHandshakeFailureIgnored keeps a connection after a failed handshake.
var TLSHandshakeFailureIgnored = register(Quirk{
	Name: "tls-handshake-failure-ignored", Breaks: "tls.handshake.failed.server",
	Doc:    "says nothing more after a failed TLS handshake, and does not hang up",
	Config: wrapTLS(func(s starttls.Server) starttls.Server { return stubborn{s} }),
})

// A stubborn server does not get over a failed handshake.
type stubborn struct{ starttls.Server }

func (s stubborn) Upgrade(ctx context.Context, nc net.Conn) (starttls.Conn, error) {
	conn, err := s.Server.Upgrade(ctx, nc)
	if err != nil {
		_, _ = io.Copy(io.Discard, nc)
	}
	return conn, err
}

// TLSCut ends the connection and leaves the client to guess whether that is all.
var TLSCut = register(Quirk{
	Name: "tls-cut", Breaks: "cmd.disc.tls",
	Doc:    "closes connections without shutting TLS down",
	Config: wrapTLS(func(s starttls.Server) starttls.Server { return cutter{s} }),
})

type cutter struct{ starttls.Server }

func (s cutter) Upgrade(ctx context.Context, nc net.Conn) (starttls.Conn, error) {
	conn, err := s.Server.Upgrade(ctx, nc)
	return cut{conn}, err
}

type cut struct{ starttls.Conn }

func (c cut) Close() error { return c.NetConn().Close() }

// TLS13Only does without the version that everybody has to have.
var TLS13Only = register(Quirk{
	Name: "tls-1-3-only", Breaks: "tls.version.required.server",
	Doc:    "refuses TLS 1.2",
	Config: onX509(func(s *starttls.X509Server) { s.MinVersion = tls.VersionTLS13 }),
})

// TLS12Only does without what is new.
var TLS12Only = register(Quirk{
	Name: "tls-1-2-only", Breaks: "tls.version.later.server",
	Doc:    "does not know TLS 1.3",
	Config: onX509(func(s *starttls.X509Server) { s.MaxVersion = tls.VersionTLS12 }),
})

// TLSOldAccepted takes what is too old.
var TLSOldAccepted = register(Quirk{
	Name: "tls-old-accepted", Breaks: "tls.version.older.default.server",
	Doc:    "takes TLS 1.0 and 1.1",
	Config: onX509(func(s *starttls.X509Server) { s.MinVersion = tls.VersionTLS10 }),
})

// wrapTLS puts f around what does TLS for a server, if anything does.
func wrapTLS(f func(starttls.Server) starttls.Server) func(*server.Config) {
	return func(cfg *server.Config) {
		if cfg.TLS.Server != nil {
			cfg.TLS.Server = f(cfg.TLS.Server)
		}
	}
}

// onX509 changes a copy of what does TLS with certificates.
func onX509(f func(*starttls.X509Server)) func(*server.Config) {
	return wrapTLS(func(s starttls.Server) starttls.Server {
		if x, ok := s.(*starttls.X509Server); ok {
			changed := *x
			f(&changed)
			return &changed
		}
		return s
	})
}

// refusedForTLS reports whether the server demands TLS.
func refusedForTLS(x *server.OptionExchange) bool {
	n := len(x.Replies)
	return n > 0 && x.Replies[n-1].Type == wire.RepErrTLSReqd
}

func asksForBlockSize(x *server.OptionExchange) bool {
	q, err := wire.ParseInfoRequest(x.Request.Data)
	return err == nil && q.Wants(wire.InfoBlockSize)
}

// hasTLS reports whether an export of the server needs TLS.
func hasTLS(s *server.Session) bool {
	for _, e := range s.Exports() {
		if e.TLSOnly {
			return true
		}
	}
	return false
}

// SelectiveTLSFickle demands TLS of every other client.
var SelectiveTLSFickle = register(Quirk{
	Name: "selective-tls-fickle", Breaks: "tls.selective.tls-reqd.plain",
	Doc: "answers NBD_OPT_INFO without TLS by NBD_REP_ERR_TLS_REQD for exports that it serves in the clear",
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
