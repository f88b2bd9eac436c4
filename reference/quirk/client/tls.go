package clientquirk

import (
	"context"
	"crypto/tls"

	"nbdconform/reference/client"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

func startTLSAgain(ctx context.Context, n *client.Negotiation) {
	if n.TLS() != nil {
		_, _ = n.Say(ctx, wire.OptionRequest{Option: wire.OptStartTLS})
	}
}

// TLS.
var (
	WithoutTLS = configured("client-without-tls", "tls.client.modes",
		"never starts TLS, whatever it is told", func(c *client.Config) { c.TLS = client.TLS{} })
	StartTLSAnyway = breaking("client-starttls-anyway", "tls.client.starttls.error",
		"starts TLS although NBD_OPT_STARTTLS was refused")
	StartTLSInTheClear = breaking("client-starttls-in-the-clear", "tls.client.upgrade",
		"carries on in plaintext once NBD_OPT_STARTTLS was acknowledged")
	StartTLSNotFixed = breaking("client-starttls-not-fixed", "tls.client.starttls.not-fixed",
		"sends NBD_OPT_STARTTLS to a server that does not speak fixed newstyle")
	TLS13Only = configured("client-tls-1.3-only", "tls.version.required.client",
		"does no TLS below version 1.3", func(c *client.Config) {
			if x, ok := c.TLS.Client.(*starttls.X509Client); ok {
				x.MinVersion = tls.VersionTLS13
			}
		})
	TLSFailureIgnored = breaking("client-tls-failure-ignored", "tls.handshake.failed.client",
		"carries on in plaintext after a TLS handshake that failed")
	TLSRemembered = breaking("client-tls-remembered", "tls.mode.remembered",
		"takes it that servers have TLS if the last one had")
	AbortCutsTLS = breaking("client-abort-cuts-tls", "haggling.abort.tls-shutdown",
		"closes the connection below TLS after NBD_OPT_ABORT")
	StructuredKept = breaking("client-structured-kept", "opt.structured-reply.after-starttls",
		"negotiates structured replies, starts TLS, and goes on as if the server remembered")
	ExtendedKept = breaking("client-extended-kept", "opt.extended-headers.after-starttls",
		"negotiates extended headers, starts TLS, and goes on as if the server remembered")
	StartTLSLate = breaking("client-starttls-late", "tls.upgrade.all.client",
		"sends an option in plaintext between the acknowledgement of NBD_OPT_STARTTLS and TLS")
	StartTLSData = saying("client-starttls-data", "opt.starttls.no-data",
		"sends data with NBD_OPT_STARTTLS", wire.OptStartTLS, more)
	StartTLSTwice = register(Quirk{
		Name: "client-starttls-twice", Breaks: "tls.client.starttls.again", Doc: "sends NBD_OPT_STARTTLS within TLS",
		Hooks: client.Hooks{Negotiated: startTLSAgain},
	})
)
