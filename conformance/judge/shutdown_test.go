package judge

import (
	"encoding/binary"

	"nbdconform/reference/wire"
)

var shutdownTrips = []trip{
	{"option is refused for another reason after NBD_REP_ERR_SHUTDOWN", []string{"client haggling.shutdown.abort", "server haggling.shutdown.error"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		c.rep(wire.OptList, wire.RepErrShutdown, "")
		if bad {
			c.opt(wire.OptStructuredReply, "")
			c.rep(wire.OptStructuredReply, wire.RepErrPolicy, "")
		}
		c.abort()
	}},
	{"request fails for another reason after NBD_ESHUTDOWN", []string{"server trans.end.shutdown.eshutdown"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(read(512))
		c.ask(wire.Request{Type: wire.CmdRead, Cookie: 2, Length: 512})
		c.ask(wire.Request{Type: wire.CmdRead, Cookie: 3, Length: 512})
		c.simple(1, wire.ESHUTDOWN, 0)
		c.simple(2, pick(bad, wire.EIO, wire.ESHUTDOWN), 0)
		c.simple(3, 0, 512)
		c.disc()
	}},
	{"server hangs up within a chunk of data", []string{"server cmd.read.finish-chunk"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		b := wire.Chunk{Type: wire.ChunkOffsetData, Flags: done, Cookie: 1, Payload: make([]byte, 8+512)}.Append(nil)
		if bad {
			c.server(b[:len(b)-1])
			c.serverCloses()
			return
		}
		c.server(b)
		c.disc()
	}},
	{"client hangs up within a chunk of data", []string{"client trans.end.unjustified.client"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		b := wire.Chunk{Type: wire.ChunkOffsetData, Flags: done, Cookie: 1, Payload: make([]byte, 8+512)}.Append(nil)
		if bad {
			c.server(b[:len(b)-1])
			c.clientCloses()
			c.serverCloses()
			return
		}
		c.server(b)
		c.disc()
	}},
	{"client hangs up within a chunk that nobody has to bear", []string{"client trans.end.unjustified.client"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(512))
		b := wire.Chunk{Type: wire.ChunkError, Flags: done, Cookie: 1, Payload: make([]byte, 6)}.Append(nil)
		binary.BigEndian.PutUint32(b[16:], pick(bad, uint32(wire.DefaultMaxPayload), 1<<26))
		c.server(b)
		c.clientCloses()
		c.serverCloses()
	}},
	{"padding behind an error is not zero", []string{"server cmd.read.padding.zero"}, func(c *conversation, bad bool) {
		c.fragments(all)
		c.ask(read(1024))
		data := make([]byte, 512)
		data[254] = 1
		data[255] = pick[byte](bad, 2, 0)
		c.chunk(wire.ChunkOffsetData, 0, 1, wire.OffsetData{Offset: 0, Data: data}.Append(nil))
		c.data(0, 1, 512, 512)
		c.failsAt(done, 1, wire.EIO, 255)
		c.disc()
	}},
}
