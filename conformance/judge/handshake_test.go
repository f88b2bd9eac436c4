package judge

import (
	"strings"

	"nbdconform/reference/wire"
)

var handshakeTrips = []trip{
	{"greeting is another protocol's", []string{"server layout.greeting"}, func(c *conversation, bad bool) {
		if bad {
			c.server([]byte("HTTP/1.1 400 Bad Request\r\n"))
			return
		}
		c.hello()
		c.abort()
	}},
	{"greeting is cut short and wrong", []string{"server layout.greeting"}, func(c *conversation, bad bool) {
		c.server([]byte(pick(bad, "SSH", "NBDM")))
		c.serverCloses()
	}},
	{"greeting is wrong in its second half", []string{"server layout.greeting"}, func(c *conversation, bad bool) {
		if bad {
			c.server([]byte("NBDMAGICIHAVEOPS\x00\x03"))
		}
	}},
	{"handshake flag is undefined", []string{"server flag.handshake.unknown"}, func(c *conversation, bad bool) {
		c.greet(bothServer|pick[wire.HandshakeFlags](bad, 4, 0), bothClient)
		c.abort()
	}},
	{"server is not fixed newstyle", []string{"server baseline.server.fixed-newstyle"}, func(c *conversation, bad bool) {
		c.opts.Oldstyle = !bad
		c.greet(0, 0)
		c.clientCloses()
	}},
	{"server is oldstyle", []string{"server baseline.server.fixed-newstyle"}, func(c *conversation, bad bool) {
		c.opts.Oldstyle = !bad
		c.server(wire.OldGreeting{Size: size, Flags: uint32(all)}.Append(nil))
		c.ask(read(512))
		c.simple(1, 0, 512)
		c.disc()
	}},
	{"oldstyle flags have an upper half", []string{"server flag.handshake.oldstyle"}, func(c *conversation, bad bool) {
		c.opts.Oldstyle = true
		c.server(wire.OldGreeting{Size: size, Flags: uint32(all) | pick[uint32](bad, 1<<16, 0)}.Append(nil))
		c.disc()
	}},
	{"client flag is undefined", []string{"client flag.client.unknown"}, func(c *conversation, bad bool) {
		c.greet(bothServer, bothClient|pick[wire.ClientFlags](bad, 4, 0))
		c.serverCloses()
	}},
	{"client flag is not offered", []string{"client flag.client.no-zeroes"}, func(c *conversation, bad bool) {
		c.greet(wire.FlagFixedNewstyle, pick(bad, bothClient, wire.FlagCFixedNewstyle))
		c.serverCloses()
	}},
	{"client flags come before the greeting", nil, func(c *conversation, bad bool) {
		c.client(bothClient.Append(nil))
		c.server(wire.Greeting{Flags: bothServer}.Append(nil))
		c.abort()
	}},
	{"server carries on with an unknown client flag", []string{"client flag.client.unknown", "server flag.client.unknown.drop"}, func(c *conversation, bad bool) {
		c.greet(bothServer, bothClient|pick[wire.ClientFlags](bad, 4, 0))
		c.abort()
	}},
	{"server carries on with a client flag that it did not offer", []string{"client flag.client.no-zeroes", "server flag.client.unoffered.drop"}, func(c *conversation, bad bool) {
		c.greet(wire.FlagFixedNewstyle, pick(bad, bothClient, wire.FlagCFixedNewstyle))
		c.abort()
	}},
	{"client does not say that it is fixed newstyle", []string{"client flag.client.fixed-newstyle"}, func(c *conversation, bad bool) {
		c.greet(bothServer, pick(bad, wire.FlagCNoZeroes, bothClient))
		c.opt(wire.OptList, "")
		c.ack(wire.OptList)
	}},

	{"zeroes are sent though left out by agreement", []string{"server flag.handshake.no-zeroes"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptExportName, "disk")
		c.server(wire.ExportNameReply{Size: size, Flags: all, Zeroes: bad}.Append(nil))
		c.ask(read(512))
		c.simple(1, 0, 512)
		c.disc()
	}},
	{"zeroes are missing though the client wants them", []string{"server layout.export-name.reserved"}, func(c *conversation, bad bool) {
		c.greet(bothServer, wire.FlagCFixedNewstyle)
		c.opt(wire.OptExportName, "disk")
		c.server(wire.ExportNameReply{Size: size, Flags: all, Zeroes: !bad}.Append(nil))
		c.ask(read(512))
		c.simple(1, 0, 512)
		c.disc()
	}},
	{"zeroes are missing though nobody spoke of them", []string{"server layout.export-name.reserved"}, func(c *conversation, bad bool) {
		c.greet(wire.FlagFixedNewstyle, wire.FlagCFixedNewstyle)
		c.opt(wire.OptExportName, "disk")
		c.server(wire.ExportNameReply{Size: size, Flags: all, Zeroes: !bad}.Append(nil))
		c.ask(read(512))
		c.simple(1, 0, 512)
		c.disc()
	}},
	{"reserved bytes are not zero", []string{"server layout.export-name.reserved"}, func(c *conversation, bad bool) {
		c.greet(bothServer, wire.FlagCFixedNewstyle)
		c.opt(wire.OptExportName, "disk")
		b := wire.ExportNameReply{Size: size, Flags: all, Zeroes: true}.Append(nil)
		b[99] = pick[byte](bad, 1, 0)
		c.server(b)
		c.disc()
	}},
	{"export name is refused by an option reply", []string{"server opt.export-name.unknown"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptExportName, "disk")
		if bad {
			c.rep(wire.OptExportName, wire.RepErrUnknown, "")
		}
		c.serverCloses()
	}},

	{"client's string is not UTF-8", []string{"client string.utf8.client"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptExportName, pick(bad, "di\xffk", "dïsk"))
		c.serverCloses()
	}},
	{"client's string has a NUL", []string{"client string.no-nul.client"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptExportName, pick(bad, "disk\x00", "disk"))
		c.serverCloses()
	}},
	{"client's string is longish", []string{"client string.short.client"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptExportName, strings.Repeat("x", pick(bad, 257, 256)))
		c.serverCloses()
	}},
	{"client's string is too long", []string{"client string.max-length.client"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptExportName, strings.Repeat("x", pick(bad, 4097, 256)))
		c.serverCloses()
	}},
	{"server's string is not UTF-8", []string{"server string.utf8.server"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk"))
		c.rep(wire.OptGo, wire.RepErrUnknown, pick(bad, "\xffwrong", "wrong"))
		c.abort()
	}},
	{"server's string has a NUL", []string{"server string.no-nul.server"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		c.rep(wire.OptList, wire.RepServer, string(wire.ServerReply{Name: pick(bad, "disk\x00", "disk")}.Append(nil)))
		c.ack(wire.OptList)
		c.abort()
	}},
	{"server's string is longish", []string{"server string.short.server"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk"))
		c.info(wire.OptGo, wire.Info{Type: wire.InfoDescription, Payload: []byte(strings.Repeat("x", pick(bad, 257, 256)))})
		c.rep(wire.OptGo, wire.RepErrShutdown, "")
		c.abort()
	}},
	{"server's string is too long", []string{"server string.max-length.server"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk"))
		c.rep(wire.OptGo, wire.RepErrUnknown, strings.Repeat("x", pick(bad, 4097, 256)))
		c.abort()
	}},
}
