package judge

import (
	"slices"

	"nbdconform/reference/wire"
)

var small = wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: 1 << 20}

// asks is a conversation with simple replies in which one request fails with EINVAL.
func asks(f wire.TransmissionFlags, q func(bad bool) wire.Request) func(*conversation, bool) {
	return func(c *conversation, bad bool) {
		c.plain(f)
		c.ask(q(bad))
		c.simple(1, wire.EINVAL, 0)
		c.disc()
	}
}

func command(t wire.Command, f wire.CommandFlags, offset, n uint64) wire.Request {
	return wire.Request{Type: t, Flags: f, Cookie: 1, Offset: offset, Length: n}
}

// zeroLengths trips the client's rule against a length of zero, for each
// command that has one. What the server makes of it is unspecified.
var zeroLengths = func() []trip {
	var out []trip
	for t, id := range map[wire.Command]string{
		wire.CmdRead: "cmd.read", wire.CmdWrite: "cmd.write", wire.CmdTrim: "cmd.trim",
		wire.CmdWriteZeroes: "cmd.write-zeroes", wire.CmdBlockStatus: "cmd.block-status",
	} {
		out = append(out, trip{t.String() + " is about nothing", []string{"client " + id + ".zero-length"}, func(c *conversation, bad bool) {
			c.contexts(all)
			c.ask(command(t, 0, 0, pick[uint64](bad, 0, 512)))
			c.fails(done, 1, wire.EIO)
			c.disc()
		}}, trip{"server hangs up on " + t.String() + " about nothing", []string{"client " + id + ".zero-length", "server " + id + ".zero-length.stay"}, func(c *conversation, bad bool) {
			c.contexts(all)
			if bad {
				c.ask(command(t, 0, 0, 0))
			}
			c.serverCloses()
		}})
	}
	return out
}()

var requestTrips = slices.Concat(zeroLengths, []trip{
	{"request has another magic number", []string{"client layout.request.magic"}, func(c *conversation, bad bool) {
		c.plain(all)
		if bad {
			c.client(read(512).AppendExtended(nil))
			return
		}
		c.disc()
	}},
	{"command is unknown", []string{"client baseline.client.negotiate"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(command(pick[wire.Command](bad, 99, wire.CmdCache), 0, 0, 512))
		c.simple(1, wire.EINVAL, 0)
		c.disc()
	}},
	{"cookie is in use for another command", []string{"client trans.cookie.unique"}, func(c *conversation, bad bool) {
		c.contexts(all)
		zeroes := wire.Request{Type: wire.CmdWriteZeroes, Cookie: 1, Length: 512}
		status := wire.Request{Type: wire.CmdBlockStatus, Cookie: pick[uint64](bad, 1, 2), Length: 512}
		c.ask(zeroes)
		c.ask(status)
		c.fails(done, status.Cookie, wire.EINVAL)
		c.simple(1, 0, 0)
		c.disc()
	}},
	{"cookie is in use, and who has data coming is unknown", []string{"client trans.cookie.unique"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(read(512))
		cache := wire.Request{Type: wire.CmdCache, Cookie: pick[uint64](bad, 1, 2), Length: 512}
		c.ask(cache)
		c.simple(cache.Cookie, wire.EIO, 0)
		c.simple(1, 0, 512)
		c.serverCloses()
		c.clientCloses()
	}},
	{"cookie is in use", []string{"client trans.cookie.unique"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(read(512))
		if !bad {
			c.simple(1, 0, 512)
		}
		c.ask(read(512))
		if bad {
			c.simple(1, 0, 512)
		}
		c.simple(1, 0, 512)
		c.disc()
	}},
	{"flag is for another command", []string{"client cmdflag.documented"}, asks(all, func(bad bool) wire.Request {
		return command(pick(bad, wire.CmdTrim, wire.CmdWriteZeroes), wire.CmdFlagNoHole, 0, 512)
	})},
	{"payload flag goes with compact headers", []string{"client cmdflag.documented"}, asks(all, func(bad bool) wire.Request {
		return command(wire.CmdWrite, pick[wire.CommandFlags](bad, wire.CmdFlagPayloadLen, 0), 0, 512)
	})},
	{"NBD_CMD_FLAG_FUA is not advertised", []string{"client flag.transmission.client-use"}, func(c *conversation, bad bool) {
		asks(all&^pick[wire.TransmissionFlags](bad, wire.FlagSendFUA, 0), func(bool) wire.Request { return command(wire.CmdWrite, wire.CmdFlagFUA, 0, 512) })(c, bad)
	}},
	{"NBD_CMD_FLAG_FUA goes with a read", []string{"client cmdflag.fua.only-writes"}, asks(all, func(bad bool) wire.Request {
		return command(pick(bad, wire.CmdRead, wire.CmdTrim), wire.CmdFlagFUA, 0, 512)
	})},
	{"NBD_CMD_FLAG_DF is not advertised", []string{"client cmdflag.df.needs-flag"}, func(c *conversation, bad bool) {
		c.fragments(pick(bad, all, allDF))
		c.ask(command(wire.CmdRead, wire.CmdFlagDF, 0, 512))
		c.data(done, 1, 0, 512)
		c.disc()
	}},
	{"NBD_CMD_FLAG_FAST_ZERO is not advertised", []string{"client cmdflag.fast-zero.needs-flag"}, func(c *conversation, bad bool) {
		c.plain(all | pick[wire.TransmissionFlags](bad, 0, wire.FlagSendFastZero))
		c.ask(command(wire.CmdWriteZeroes, wire.CmdFlagFastZero, 0, 512))
		c.simple(1, pick(bad, wire.EINVAL, wire.ENOTSUP), 0)
		c.disc()
	}},
	{"flush is not advertised", []string{"client cmd.flush.needs-flag"}, func(c *conversation, bad bool) {
		asks(pick(bad, wire.FlagHasFlags, all), func(bool) wire.Request { return command(wire.CmdFlush, 0, 0, 0) })(c, bad)
	}},
	{"trim is not advertised", []string{"client cmd.trim.needs-flag"}, func(c *conversation, bad bool) {
		asks(pick(bad, wire.FlagHasFlags, all), func(bool) wire.Request { return command(wire.CmdTrim, 0, 0, 512) })(c, bad)
	}},
	{"write of zeroes is not advertised", []string{"client cmd.write-zeroes.needs-flag"}, func(c *conversation, bad bool) {
		asks(pick(bad, wire.FlagHasFlags, all), func(bool) wire.Request { return command(wire.CmdWriteZeroes, 0, 0, 512) })(c, bad)
	}},
	{"cache is not advertised", nil, asks(wire.FlagHasFlags, func(bool) wire.Request { return command(wire.CmdCache, 0, 0, 512) })},
	{"flush has a range", []string{"client cmd.flush.zero"}, asks(all, func(bad bool) wire.Request {
		return command(wire.CmdFlush, 0, 0, pick[uint64](bad, 512, 0))
	})},
	{"disconnect has a range", []string{"client cmd.disc.zero"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(command(wire.CmdDisc, 0, 0, pick[uint64](bad, 512, 0)))
		c.serverCloses()
	}},
	{"disconnect does not wait", []string{"client trans.end.soft.inflight"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(read(512))
		if bad {
			c.ask(wire.Request{Type: wire.CmdDisc})
		}
		c.simple(1, 0, 512)
		if !bad {
			c.ask(wire.Request{Type: wire.CmdDisc})
		}
		c.serverCloses()
	}},
	{"client goes on after a disconnect", []string{"client cmd.disc.silence"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(wire.Request{Type: wire.CmdDisc})
		if bad {
			c.ask(command(wire.CmdFlush, 0, 0, 0))
		}
		c.serverCloses()
	}},
	{"block status without contexts", []string{"client cmd.block-status.needs-context"}, func(c *conversation, bad bool) {
		pick(bad, c.fragments, c.contexts)(all)
		c.ask(command(wire.CmdBlockStatus, 0, 0, 512))
		c.fails(done, 1, wire.EINVAL)
		c.disc()
	}},
	{"contexts were selected for another export", []string{"client cmd.block-status.needs-context"}, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.opt(wire.OptSetMetaContext, meta(pick(bad, "other", "disk"), "base:allocation"))
		c.context(wire.OptSetMetaContext, 1, "base:allocation")
		c.ack(wire.OptSetMetaContext)
		c.enter(all)
		c.ask(command(wire.CmdBlockStatus, 0, 0, 512))
		c.fails(done, 1, wire.EINVAL)
		c.disc()
	}},
	{"request reaches beyond the end", []string{"client size.bounds.client"}, asks(all, func(bad bool) wire.Request {
		return command(wire.CmdRead, 0, size-512, pick[uint64](bad, 513, 512))
	})},
	{"request reaches around the end of the numbers", []string{"client size.bounds.client"}, asks(all, func(bad bool) wire.Request {
		return command(wire.CmdRead, 0, pick[uint64](bad, 1<<64-256, 0), 512)
	})},
	{"request is not aligned", []string{"client size.align.client"}, func(c *conversation, bad bool) {
		c.hello()
		c.enterSized(all, size, small)
		c.ask(command(wire.CmdRead, 0, pick[uint64](bad, 100, 512), 512))
		c.simple(1, wire.EINVAL, 0)
		c.disc()
	}},
	{"request is not aligned to constraints that nobody asked for", nil, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk"))
		c.export(wire.OptGo, size, all)
		c.info(wire.OptGo, small.Info())
		c.ack(wire.OptGo)
		c.ask(command(wire.CmdRead, 0, 100, 512))
		c.simple(1, 0, 512)
		c.disc()
	}},
	{"payload is too large", []string{"client size.client.max-payload"}, func(c *conversation, bad bool) {
		c.hello()
		c.enterSized(all, 1<<22, small)
		c.ask(read(pick[uint64](bad, 1<<20+512, 1<<20)))
		c.simple(1, wire.EINVAL, 0)
		c.disc()
	}},
	{"large read is split by structured replies", nil, func(c *conversation, bad bool) {
		c.hello()
		c.structured()
		c.enterSized(all, 1<<22, small)
		c.ask(read(1<<20 + 512))
		c.data(0, 1, 512, 1<<20)
		c.data(done, 1, 0, 512)
		c.disc()
	}},
})

var closeTrips = []trip{
	{"client hangs up during haggling", []string{"client haggling.hard.unjustified.client"}, func(c *conversation, bad bool) {
		c.hello()
		if bad {
			c.clientCloses()
			return
		}
		c.abort()
	}},
	{"client hangs up after the server broke a rule", []string{"server layout.option-reply.type"}, func(c *conversation, bad bool) {
		c.hello()
		if bad {
			c.ack(wire.OptList)
			c.clientCloses()
			return
		}
		c.abort()
	}},
	{"server hangs up during haggling", []string{"server haggling.hard.unjustified.server"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(pick(bad, wire.OptList, wire.OptExportName), "")
		c.serverCloses()
	}},
	{"client hangs up", []string{"client trans.end.unjustified.client"}, func(c *conversation, bad bool) {
		c.plain(all)
		if bad {
			c.clientCloses()
			return
		}
		c.disc()
	}},
	{"server hangs up with a request unanswered", []string{"server trans.end.shutdown.wait"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(read(512))
		if !bad {
			c.simple(1, wire.ESHUTDOWN, 0)
		}
		c.serverCloses()
	}},
	{"server hangs up on a client that broke a rule", []string{"client cmd.flush.zero"}, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(command(wire.CmdFlush, 0, pick[uint64](bad, 1, 0), 0))
		if !bad {
			c.simple(1, 0, 0)
		}
		c.serverCloses()
	}},
	{"server hangs up in the middle of the data of a simple reply", nil, func(c *conversation, bad bool) {
		c.plain(all)
		c.ask(read(512))
		c.simple(1, 0, 100)
		c.serverCloses()
	}},
	{"server hangs up on a long request without payload", []string{"server size.effect.disconnect"}, func(c *conversation, bad bool) {
		c.hello()
		c.enterSized(all, 1<<22, small)
		c.ask(command(wire.CmdWriteZeroes, 0, 0, 1<<21))
		if !bad {
			c.simple(1, wire.EOVERFLOW, 0)
		}
		c.serverCloses()
	}},
	{"disconnect leaves a request unanswered", []string{"client trans.end.soft.inflight", "server cmd.disc.outstanding"}, func(c *conversation, bad bool) {
		c.plain(all)
		if bad {
			c.ask(read(512))
		}
		c.disc()
	}},
}
