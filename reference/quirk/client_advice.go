package quirk

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
	ClientHandshakeFlagFatal = breaking("client-handshake-flag-fatal", "handshake.flags.unknown",
		"gives up on a handshake flag that it does not know")
	ClientTransmissionFlagFatal = breaking("client-transmission-flag-fatal", "flag.transmission.ignore-unknown",
		"gives up on a transmission flag that it does not know")
	ClientGoOnly = breaking("client-go-only", "opt.info.fallback",
		"gives up where the server does not know NBD_OPT_GO")
	ClientBlockSizeUnasked = configured("client-block-size-unasked", "size.client.announce",
		"does not ask for the size constraints", func(c *client.Config) { c.AnyBlockSize = true })
	ClientTLS12Only = onX509Client("client-tls-1.2-only", "tls.version.later.client",
		"does no TLS above version 1.2", func(x *starttls.X509Client) { x.MaxVersion = tls.VersionTLS12 })
	ClientTLSOld = onX509Client("client-tls-old", "tls.version.older.default.client",
		"does TLS 1.0 as well", func(x *starttls.X509Client) { x.MinVersion = tls.VersionTLS10 })
	ClientTrusting = onX509Client("client-trusting", "uri.tls.verify",
		"takes any certificate", func(x *starttls.X509Client) { x.NoVerify = true })
	ClientTLSOptional = configured("client-tls-optional", "tls.client.starttls.insisting",
		"goes on in the clear where it was told to use TLS and the server has none", func(c *client.Config) {
			if c.TLS.Mode == client.TLSRequire {
				c.TLS.Mode = client.TLSPrefer
			}
		})
	ClientAbortAckDemanded = breaking("client-abort-ack-demanded", "opt.abort.closed-without-reply",
		"takes it for a failure if the connection ends without a reply to NBD_OPT_ABORT")
	ClientHardCutsTLS = breaking("client-hard-cuts-tls", "haggling.hard.tls-shutdown.client",
		"closes the connection below TLS where the server breaks a rule of haggling")
	ClientHardCutsTLSLater = breaking("client-hard-cuts-tls-later", "trans.end.hard.tls-shutdown.client",
		"closes the connection below TLS where the server breaks a rule of transmission")
	ClientMultiConnAlways = breaking("client-multi-conn-always", "flag.transmission.multi-conn.absent",
		"reads by two connections in turns, whatever the server advertises")
	ClientFlushless = breaking("client-flushless", "interop.client.flush",
		"flushes nothing that it has written")
	ClientSameStatusFatal = breaking("client-same-status-fatal", "cmd.block-status.same-status",
		"gives up on neighbouring descriptors of the same status")
	ClientErrnoFatal = breaking("client-errno-fatal", "err.unexpected",
		"closes the connection on an error value that it does not know")
	ClientShyOfLength = configured("client-shy-of-length", "size.dos.limit.client",
		"takes any payload of more than 2^20 bytes for an attack", func(c *client.Config) {
			c.Limits = wire.DefaultLimits
			c.Limits.Payload = 1 << 20
		})
)

// Requests that not every server bears, in sizes that nobody agreed on.
var (
	ClientOdd         = sized("client-odd", "size.default.client.minimum", "reads 700 bytes", 700, false)
	ClientUnaskedOdd  = sized("client-unasked-odd", "interop.client.constraints", "reads 700 bytes, and does not ask for the size constraints", 700, true)
	ClientHuge        = sized("client-huge", "size.default.client.max-payload", "reads 2^25+512 bytes at once", huge, false)
	ClientUnaskedHuge = sized("client-unasked-huge", "interop.client.constraints", "reads 2^25+512 bytes at once, and does not ask for the size constraints", huge, true)
)

const huge = wire.DefaultMaxPayload + 512

// sized has the client read so many bytes, if there are so many, before
// NBD_CMD_DISC.
func sized(name, clause, doc string, length uint64, unasked bool) Quirk {
	return registerClient(Quirk{
		Name: name, Breaks: clause, Doc: doc,
		ClientConfig: func(c *client.Config) { c.AnyBlockSize = unasked },
		ClientHooks: client.Hooks{Request: func(m *client.RequestMessage) {
			if m.Request.Type == wire.CmdDisc && m.Client.Size() >= length {
				m.Before = m.Encode(wire.Request{Type: wire.CmdRead, Cookie: strayCookie, Length: length}, nil)
			}
		}},
	})
}
