package clientquirk

import (
	"crypto/tls"

	"nbdconform/reference/client"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// onX509Client makes a client's quirk of other certificates or versions.
func onX509Client(name, clause, doc string, f func(*starttls.X509Client)) Quirk {
	return configured(name, clause, doc, func(c *client.Config) {
		if x, ok := c.TLS.Client.(*starttls.X509Client); ok {
			f(x)
		}
	})
}

// Advice that the client does not follow.
var (
	HandshakeFlagFatal = breaking("client-handshake-flag-fatal", "handshake.flags.unknown",
		"gives up on a handshake flag that it does not know")
	TransmissionFlagFatal = breaking("client-transmission-flag-fatal", "flag.transmission.ignore-unknown",
		"gives up on a transmission flag that it does not know")
	GoOnly = breaking("client-go-only", "opt.info.fallback",
		"gives up where the server does not know NBD_OPT_GO")
	BlockSizeUnasked = configured("client-block-size-unasked", "size.client.announce",
		"does not ask for the size constraints", func(c *client.Config) { c.AnyBlockSize = true })
	TLS12Only = onX509Client("client-tls-1.2-only", "tls.version.later.client",
		"does no TLS above version 1.2", func(x *starttls.X509Client) { x.MaxVersion = tls.VersionTLS12 })
	TLSOld = onX509Client("client-tls-old", "tls.version.older.default.client",
		"does TLS 1.0 as well", func(x *starttls.X509Client) { x.MinVersion = tls.VersionTLS10 })
	Trusting = onX509Client("client-trusting", "uri.tls.verify",
		"takes any certificate", func(x *starttls.X509Client) { x.NoVerify = true })
	TLSOptional = configured("client-tls-optional", "tls.client.starttls.insisting",
		"goes on in the clear where it was told to use TLS and the server has none", func(c *client.Config) {
			if c.TLS.Mode == client.TLSRequire {
				c.TLS.Mode = client.TLSPrefer
			}
		})
	AbortAckDemanded = breaking("client-abort-ack-demanded", "opt.abort.closed-without-reply",
		"takes it for a failure if the connection ends without a reply to NBD_OPT_ABORT")
	HardCutsTLS = breaking("client-hard-cuts-tls", "haggling.hard.tls-shutdown.client",
		"closes the connection below TLS where the server breaks a rule of haggling")
	HardCutsTLSLater = breaking("client-hard-cuts-tls-later", "trans.end.hard.tls-shutdown.client",
		"closes the connection below TLS where the server breaks a rule of transmission")
	MultiConnAlways = breaking("client-multi-conn-always", "flag.transmission.multi-conn.absent",
		"reads by two connections in turns, whatever the server advertises")
	Flushless = breaking("client-flushless", "interop.client.flush",
		"flushes nothing that it has written")
	SameStatusFatal = breaking("client-same-status-fatal", "cmd.block-status.same-status",
		"gives up on neighbouring descriptors of the same status")
	ErrnoFatal = breaking("client-errno-fatal", "err.unexpected",
		"closes the connection on an error value that it does not know")
	ShyOfLength = configured("client-shy-of-length", "size.dos.limit.client",
		"takes any payload of more than 2^20 bytes for an attack", func(c *client.Config) {
			c.Limits = wire.DefaultLimits
			c.Limits.Payload = 1 << 20
		})
)

// Requests that not every server bears, in sizes that nobody agreed on.
var (
	Odd         = sized("client-odd", "size.default.client.minimum", "reads 700 bytes", 700, false)
	UnaskedOdd  = sized("client-unasked-odd", "interop.client.constraints", "reads 700 bytes, and does not ask for the size constraints", 700, true)
	Huge        = sized("client-huge", "size.default.client.max-payload", "reads 2^25+512 bytes at once", huge, false)
	UnaskedHuge = sized("client-unasked-huge", "interop.client.constraints", "reads 2^25+512 bytes at once, and does not ask for the size constraints", huge, true)
)

const huge = wire.DefaultMaxPayload + 512

// sized has the client read so many bytes, if there are so many, before
// NBD_CMD_DISC.
func sized(name, clause, doc string, length uint64, unasked bool) Quirk {
	return register(Quirk{
		Name: name, Breaks: clause, Doc: doc,
		Config: func(c *client.Config) { c.AnyBlockSize = unasked },
		Hooks: client.Hooks{Request: func(m *client.RequestMessage) {
			if m.Request.Type == wire.CmdDisc && m.Client.Size() >= length {
				m.Before = m.Encode(wire.Request{Type: wire.CmdRead, Cookie: strayCookie, Length: length}, nil)
			}
		}},
	})
}
