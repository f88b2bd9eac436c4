package clientquirk

import (
	"nbdconform/reference/client"
	"nbdconform/reference/wire"
)

// Sizes of exports.
var (
	BeyondEnd = before("client-beyond-end", "size.bounds.client",
		"reads beyond the end of the export", func(c *client.Client) wire.Request {
			return wire.Request{Type: wire.CmdRead, Offset: c.Size() - 4096, Length: 8192}
		})
	Oversized = asking("client-oversized", "size.client.max-payload",
		"writes more than the maximum payload size", wire.CmdWrite, func(m *client.RequestMessage) {
			if c := m.Client.Constraints(); c.MaxPayload < 1<<20 {
				m.Payload = make([]byte, c.MaxPayload+c.Minimum)
				m.Request.Offset, m.Request.Length = 0, uint64(len(m.Payload))
			}
		})
	Unaligned = before("client-unaligned", "size.align.client",
		"reads half of what the minimum block size is", func(c *client.Client) wire.Request {
			return wire.Request{Type: wire.CmdRead, Length: uint64(max(c.Constraints().Minimum/2, 1))}
		})
)
