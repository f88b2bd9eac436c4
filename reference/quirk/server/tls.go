package serverquirk

import (
	"context"
	"io"
	"net"

	"nbdconform/reference/server"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// StartTLSInTheClear acknowledges NBD_OPT_STARTTLS and goes on without TLS.
var StartTLSInTheClear = register(Quirk{
	Name: "starttls-in-the-clear", Breaks: "tls.upgrade.ready",
	Doc: "acknowledges NBD_OPT_STARTTLS and expects the next option in plaintext",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		x.Upgrade = false
	}},
})

// StartTLSTwiceAccepted starts TLS within TLS.
var StartTLSTwiceAccepted = register(Quirk{
	Name: "starttls-twice-accepted", Breaks: "tls.forced.starttls.again",
	Doc:   "acknowledges NBD_OPT_STARTTLS within TLS",
	Hooks: skip("tls.forced.starttls.again"),
})

// TLSStateKept remembers what was negotiated in plaintext.
var TLSStateKept = register(Quirk{
	Name: "tls-state-kept", Breaks: "opt.starttls.forget-state",
	Doc:   "keeps structured replies and metadata contexts that were negotiated before TLS",
	Hooks: skip("opt.starttls.forget-state"),
})

// TLSPlainTextInterpreted answers options that came in plaintext as if they
// had come within TLS, as in CVE-2021-3716.
var TLSPlainTextInterpreted = register(Quirk{
	Name: "tls-plain-text-interpreted", Breaks: "tls.upgrade.all.server",
	Doc:   "answers options within TLS that came in plaintext together with NBD_OPT_STARTTLS",
	Hooks: skip("tls.upgrade.all.client"),
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

type cut struct{ starttls.Conn }

func (c cut) Close() error { return c.NetConn().Close() }

type cutter struct{ starttls.Server }

func (s cutter) Upgrade(ctx context.Context, nc net.Conn) (starttls.Conn, error) {
	conn, err := s.Server.Upgrade(ctx, nc)
	return cut{conn}, err
}

// wrapTLS puts f around what does TLS for a server, if anything does.
func wrapTLS(f func(starttls.Server) starttls.Server) func(*server.Config) {
	return func(cfg *server.Config) {
		if cfg.TLS.Server != nil {
			cfg.TLS.Server = f(cfg.TLS.Server)
		}
	}
}

// TLSCut ends the connection and leaves the client to guess whether that is all.
var TLSCut = register(Quirk{
	Name: "tls-cut", Breaks: "cmd.disc.tls",
	Doc:    "closes connections without shutting TLS down",
	Config: wrapTLS(func(s starttls.Server) starttls.Server { return cutter{s} }),
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

// TLSHandshakeFailureIgnored keeps a connection after a failed handshake.
var TLSHandshakeFailureIgnored = register(Quirk{
	Name: "tls-handshake-failure-ignored", Breaks: "tls.handshake.failed.server",
	Doc:    "says nothing more after a failed TLS handshake, and does not close the connection",
	Config: wrapTLS(func(s starttls.Server) starttls.Server { return stubborn{s} }),
})
