package clientquirk

import (
	"crypto/tls"

	"nbdconform/reference/client"
	"nbdconform/reference/starttls"
)

// onX509Client makes a client's quirk of other certificates or versions.
func onX509Client(name, clause, doc string, f func(*starttls.X509Client)) Quirk {
	return configured(name, clause, doc, func(c *client.Config) {
		if x, ok := c.TLS.Client.(*starttls.X509Client); ok {
			f(x)
		}
	})
}

// Recommendations that the client does not follow.
var (
	HandshakeFlagFatal = breaking("client-handshake-flag-fatal", "handshake.flags.unknown",
		"gives up on a handshake flag that it does not know")
	TransmissionFlagFatal = breaking("client-transmission-flag-fatal", "flag.transmission.ignore-unknown",
		"gives up on a transmission flag that it does not know")
	GoOnly = breaking("client-go-only", "opt.info.fallback",
		"gives up where the server does not know NBD_OPT_GO")
	BlockSizeUnasked = configured("client-block-size-unasked", "size.client.announce",
		"does not ask for the size constraints", func(c *client.Config) { c.AnyBlockSize = true })
	ExportName = register(Quirk{
		Name: "client-export-name", Breaks: "size.client.go", Doc: "chooses the export with NBD_OPT_EXPORT_NAME and never tries NBD_OPT_GO",
		Hooks:  client.Hooks{Skip: map[string]bool{"size.client.go": true}},
		Config: func(c *client.Config) { c.ExtendedHeaders = false },
	})
	TLSOptional = configured("client-tls-optional", "tls.client.starttls.insisting",
		"goes on in plaintext where it was told to use TLS and the server has none", func(c *client.Config) {
			if c.TLS.Mode == client.TLSRequire {
				c.TLS.Mode = client.TLSPrefer
			}
		})
	TLS12Only = onX509Client("client-tls-1.2-only", "tls.version.later.client",
		"does no TLS above version 1.2", func(x *starttls.X509Client) { x.MaxVersion = tls.VersionTLS12 })
	TLSOld = onX509Client("client-tls-old", "tls.version.older.default.client",
		"does TLS 1.0 as well", func(x *starttls.X509Client) { x.MinVersion = tls.VersionTLS10 })
	Trusting = onX509Client("client-trusting", "uri.tls.verify",
		"takes any certificate", func(x *starttls.X509Client) { x.NoVerify = true })
)
