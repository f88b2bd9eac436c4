package clientquirk

import (
	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// ShyOfLength has its own limit for what the server may send at once.
var ShyOfLength = configured("client-shy-of-length", "size.dos.limit.client",
	"takes any payload of more than 2^20 bytes for an attack", func(c *client.Config) {
		c.Limits = wire.DefaultLimits
		c.Limits.Payload = 1 << 20
	})

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

// Requests of sizes that were not negotiated.
var (
	Odd         = sized("client-odd", "size.default.client.minimum", "reads 700 bytes", 700, false)
	UnaskedOdd  = sized("client-unasked-odd", "interop.client.constraints", "reads 700 bytes, and does not ask for the size constraints", 700, true)
	Huge        = sized("client-huge", "size.default.client.max-payload", "reads 2^25+512 bytes at once", huge, false)
	UnaskedHuge = sized("client-unasked-huge", "interop.client.constraints", "reads 2^25+512 bytes at once, and does not ask for the size constraints", huge, true)
)
