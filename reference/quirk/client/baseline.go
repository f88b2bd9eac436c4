package clientquirk

import (
	"nbdconform/reference/client"
	"nbdconform/reference/starttls"
	"nbdconform/reference/wire"
)

// flagged has the client set a flag, whether the server advertises it or not.
func flagged(name, clause, doc string, t wire.Command, f wire.CommandFlags) Quirk {
	return asking(name, clause, doc, t, func(m *client.RequestMessage) { m.Request.Flags |= f })
}

// Requests, and what the client does without extensions.
var (
	OldstyleOnly = breaking("client-oldstyle-only", "baseline.client.fixed-newstyle",
		"speaks nothing but oldstyle negotiation")
	ReadShifted = asking("client-read-shifted", "baseline.client.read",
		"reads one block off", wire.CmdRead, func(m *client.RequestMessage) {
			m.Request.Offset ^= 4096
		})
	WriteShifted = asking("client-write-shifted", "baseline.client.write",
		"writes one block off", wire.CmdWrite, func(m *client.RequestMessage) {
			m.Request.Offset ^= 4096
		})
	FastZeroUnadvertised = flagged("client-fast-zero-unadvertised", "cmdflag.fast-zero.needs-flag",
		"writes zeroes with NBD_CMD_FLAG_FAST_ZERO whatever the server advertises", wire.CmdWriteZeroes, wire.CmdFlagFastZero)
	StructuredOnly = breaking("client-structured-only", "baseline.client.simple-reply",
		"gives up where it is refused structured replies")
	InsistsOnTLS = configured("client-insists-on-tls", "baseline.client.notls",
		"gives up without TLS, whatever it is told", func(c *client.Config) {
			c.TLS = client.TLS{Mode: client.TLSRequire, Client: &starttls.X509Client{NoVerify: true}}
		})
	Discless = asking("client-discless", "trans.end.unjustified.client",
		"closes the connection where it should send NBD_CMD_DISC", wire.CmdDisc, func(m *client.RequestMessage) {
			m.Raw = []byte{}
		})
	AfterDisc = asking("client-after-disc", "cmd.disc.silence",
		"sends a request after NBD_CMD_DISC", wire.CmdDisc, func(m *client.RequestMessage) {
			m.Behind = m.Encode(wire.Request{Type: wire.CmdRead, Cookie: strayCookie, Length: 512}, nil)
		})
	WriteShort = asking("client-write-short", "cmd.write.payload",
		"sends less data after a write than its header announces", wire.CmdWrite, func(m *client.RequestMessage) {
			b := m.Encode(m.Request, m.Payload)
			m.Raw = b[:len(b)-512]
		})
	DFUnadvertised = flagged("client-df-unadvertised", "cmdflag.df.needs-flag",
		"reads with NBD_CMD_FLAG_DF whatever the server advertises", wire.CmdRead, wire.CmdFlagDF)
	FUAUnadvertised = flagged("client-fua-unadvertised", "flag.transmission.client-use",
		"writes with NBD_CMD_FLAG_FUA whatever the server advertises", wire.CmdWrite, wire.CmdFlagFUA)
	FlushUnadvertised = before("client-flush-unadvertised", "cmd.flush.needs-flag",
		"flushes whatever the server advertises", func(*client.Client) wire.Request { return wire.Request{Type: wire.CmdFlush} })
	StatusUnselected = before("client-status-unselected", "cmd.block-status.needs-context",
		"asks for block status whatever was selected", func(*client.Client) wire.Request {
			return wire.Request{Type: wire.CmdBlockStatus, Length: 4096}
		})
	ZeroesUnadvertised = before("client-zeroes-unadvertised", "cmd.write-zeroes.needs-flag",
		"writes zeroes whatever the server advertises", func(*client.Client) wire.Request {
			return wire.Request{Type: wire.CmdWriteZeroes, Length: 4096}
		})
	TrimUnadvertised = before("client-trim-unadvertised", "cmd.trim.needs-flag",
		"trims whatever the server advertises", func(*client.Client) wire.Request { return wire.Request{Type: wire.CmdTrim, Length: 4096} })
	RequestMagic = asking("client-request-magic", "layout.request.magic",
		"opens NBD_CMD_DISC with another magic", wire.CmdDisc, func(m *client.RequestMessage) {
			m.Raw = m.Encode(m.Request, nil)
			m.Raw[0] ^= 0xff
		})
	CommandUnknown = before("client-command-unknown", "baseline.client.negotiate",
		"sends an undefined command", func(*client.Client) wire.Request { return wire.Request{Type: 0x77} })
	FlushRange = before("client-flush-range", "cmd.flush.zero",
		"flushes a range", func(c *client.Client) wire.Request { return wire.Request{Type: wire.CmdFlush, Length: 4096} })
	FlagUndocumented = flagged("client-flag-undocumented", "cmdflag.documented",
		"reads with NBD_CMD_FLAG_REQ_ONE", wire.CmdRead, wire.CmdFlagReqOne)
)
