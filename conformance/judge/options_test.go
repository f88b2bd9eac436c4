package judge

import (
	"nbdconform/reference/wire"
)

var optionTrips = []trip{
	{"abort of a client that did not ask for the fixed newstyle is refused", []string{"client flag.client.fixed-newstyle"}, func(c *conversation, bad bool) {
		c.greet(bothServer, pick(bad, wire.FlagCNoZeroes, bothClient))
		c.opt(wire.OptAbort, "")
		c.rep(wire.OptAbort, pick(bad, wire.RepErrInvalid, wire.RepAck), "")
		c.serverCloses()
		c.clientCloses()
	}},
	{"option has another magic number", []string{"client layout.option.magic"}, func(c *conversation, bad bool) {
		c.hello()
		c.client([]byte(pick(bad, "I WANT TO READ", "")))
		if !bad {
			c.abort()
		}
	}},
	{"option is sent while one is pending", []string{"client handshake.option.one-at-a-time"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		if bad {
			c.opt(wire.OptStructuredReply, "")
			c.ack(wire.OptList)
		} else {
			c.ack(wire.OptList)
			c.opt(wire.OptStructuredReply, "")
		}
		c.ack(wire.OptStructuredReply)
		c.abort()
	}},
	{"state is changed again", []string{"client handshake.option.repeat"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptStructuredReply, "")
		c.rep(wire.OptStructuredReply, pick(bad, wire.RepAck, wire.RepErrPolicy), "")
		c.opt(wire.OptStructuredReply, "")
		c.ack(wire.OptStructuredReply)
		c.abort()
	}},
	{"state is changed again by extended headers", []string{"client handshake.option.repeat"}, func(c *conversation, bad bool) {
		c.hello()
		c.extended()
		if bad {
			c.extended()
		}
		c.abort()
	}},
	{"client goes on after NBD_OPT_ABORT", []string{"client haggling.abort.drop"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptAbort, "")
		c.ack(wire.OptAbort)
		if bad {
			c.opt(wire.OptList, "")
			c.ack(wire.OptList)
		}
	}},
	{"client goes on after NBD_REP_ERR_SHUTDOWN", []string{"client haggling.shutdown.abort"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		c.rep(wire.OptList, wire.RepErrShutdown, "")
		if bad {
			c.opt(wire.OptStructuredReply, "")
			c.rep(wire.OptStructuredReply, wire.RepErrShutdown, "")
		}
		c.abort()
	}},

	{"option reply has another magic number", []string{"server layout.option-reply.magic"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		if bad {
			c.server([]byte("IHAVEOPT, have I not"))
			c.opt(wire.OptAbort, "") // what else is there to say
			return
		}
		c.ack(wire.OptList)
		c.abort()
	}},
	{"option reply names another option", []string{"server layout.option-reply.option"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		c.rep(pick(bad, wire.OptGo, wire.OptList), wire.RepAck, "")
		c.abort()
	}},
	{"option reply answers nothing", []string{"server layout.option-reply.type"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		c.ack(wire.OptList)
		if bad {
			c.ack(wire.OptList)
		}
		c.abort()
	}},
	{"NBD_REP_ACK has data", []string{"server layout.rep.ack"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		c.rep(wire.OptList, wire.RepAck, pick(bad, "ok", ""))
		c.abort()
	}},
	{"option reply is of no known type", []string{"server layout.option-reply.type"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptStructuredReply, "")
		if bad {
			c.rep(wire.OptStructuredReply, 99, "")
		}
		c.ack(wire.OptStructuredReply)
		c.abort()
	}},
	{"unknown option is acknowledged", []string{"server baseline.unsup"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(0xbeef, "data")
		c.rep(0xbeef, pick(bad, wire.RepAck, wire.RepErrUnsup), "")
		c.abort()
	}},
	{"unknown option is called invalid", []string{"server baseline.unsup"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptPeekExport, "data")
		c.rep(wire.OptPeekExport, pick(bad, wire.RepErrInvalid, wire.RepErrShutdown), "")
		c.abort()
	}},
	{"unknown option runs into a server that insists on TLS", nil, func(c *conversation, bad bool) {
		c.hello()
		c.opt(0xbeef, "")
		c.rep(0xbeef, wire.RepErrTLSReqd, "")
		c.abort()
	}},

	{"NBD_OPT_ABORT fails", []string{"server opt.abort.ack"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptAbort, "")
		c.rep(wire.OptAbort, pick(bad, wire.RepErrPolicy, wire.RepAck), "")
	}},
	{"server hangs up on NBD_OPT_ABORT", []string{"server opt.abort.ack"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptAbort, "")
		if !bad {
			c.ack(wire.OptAbort)
		}
		c.serverCloses()
	}},
	{"NBD_OPT_ABORT has data", []string{"client opt.abort.no-data"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptAbort, pick(bad, "bye", ""))
		c.ack(wire.OptAbort)
	}},
	{"NBD_OPT_ABORT with data fails", []string{"client opt.abort.no-data", "server opt.abort.ignore-data"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptAbort, pick(bad, "bye", ""))
		c.rep(wire.OptAbort, pick(bad, wire.RepErrInvalid, wire.RepAck), "")
	}},
	{"NBD_OPT_LIST is unknown", []string{"server baseline.server.list"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		c.rep(wire.OptList, pick(bad, wire.RepErrUnsup, wire.RepErrPolicy), "")
		c.abort()
	}},
	{"NBD_OPT_LIST gives information", []string{"server layout.opt.list.replies"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		if bad {
			c.export(wire.OptList, size, all)
		} else {
			c.rep(wire.OptList, wire.RepServer, string(wire.ServerReply{Name: "disk", Details: "a disk"}.Append(nil)))
		}
		c.ack(wire.OptList)
		c.abort()
	}},
	{"NBD_OPT_LIST has data", []string{"client opt.list.no-data"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, pick(bad, "all", ""))
		c.rep(wire.OptList, pick(bad, wire.RepErrInvalid, wire.RepAck), "")
		c.abort()
	}},
	{"NBD_OPT_LIST with data succeeds", []string{"client opt.list.no-data", "server opt.list.data-invalid"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, pick(bad, "all", ""))
		c.ack(wire.OptList)
		c.abort()
	}},
	{"name in the list is longer than its message", []string{"server rep.server.name-length"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		c.rep(wire.OptList, wire.RepServer, pick(bad, "\x00\x00\x00\x05disk", "\x00\x00\x00\x04disk"))
		c.ack(wire.OptList)
		c.abort()
	}},
	{"NBD_OPT_STRUCTURED_REPLY has data", []string{"client opt.structured-reply.no-data"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptStructuredReply, pick(bad, "please", ""))
		c.rep(wire.OptStructuredReply, pick(bad, wire.RepErrInvalid, wire.RepAck), "")
		c.abort()
	}},
	{"NBD_OPT_STRUCTURED_REPLY with data succeeds", []string{"client opt.structured-reply.no-data", "server opt.structured-reply.data-invalid"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptStructuredReply, pick(bad, "please", ""))
		c.ack(wire.OptStructuredReply)
		c.abort()
	}},

	{"NBD_OPT_STARTTLS has data", []string{"client opt.starttls.no-data"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptStartTLS, pick(bad, "1.3", ""))
		c.rep(wire.OptStartTLS, wire.RepErrInvalid, "")
		c.abort()
	}},
	{"NBD_OPT_STARTTLS comes behind what it undoes", []string{"client opt.starttls.defer-stateful"}, func(c *conversation, bad bool) {
		c.hello()
		if bad {
			c.structured()
		}
		c.opt(wire.OptStartTLS, "")
		c.rep(wire.OptStartTLS, wire.RepErrPolicy, "")
		c.abort()
	}},
	{"NBD_OPT_STARTTLS gets another reply", []string{"server opt.starttls.reply"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptStartTLS, "")
		if bad {
			c.rep(wire.OptStartTLS, wire.RepServer, string(wire.ServerReply{}.Append(nil)))
		}
		c.rep(wire.OptStartTLS, wire.RepErrPolicy, "")
		c.abort()
	}},
	{"NBD_OPT_STARTTLS needs TLS", []string{"server opt.starttls.reply"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptStartTLS, "")
		c.rep(wire.OptStartTLS, pick(bad, wire.RepErrTLSReqd, wire.RepErrUnsup), "")
		c.abort()
	}},
	{"NBD_OPT_STARTTLS is sent without fixed newstyle", []string{"client flag.client.fixed-newstyle", "client tls.client.starttls.not-fixed"}, func(c *conversation, bad bool) {
		c.greet(bothServer, pick(bad, wire.FlagCNoZeroes, bothClient))
		c.opt(wire.OptStartTLS, "")
		c.rep(wire.OptStartTLS, wire.RepErrPolicy, "")
	}},
	{"TLS is started without fixed newstyle", []string{"client flag.client.fixed-newstyle", "client tls.client.starttls.not-fixed", "server tls.mode.not-fixed"}, func(c *conversation, bad bool) {
		c.greet(bothServer, pick(bad, wire.FlagCNoZeroes, bothClient))
		c.opt(wire.OptStartTLS, "")
		c.ack(wire.OptStartTLS)
	}},
	{"NBD_OPT_STARTTLS is sent within TLS", []string{"client tls.client.starttls.again"}, func(c *conversation, bad bool) {
		c.opts.Decrypted = true
		c.hello()
		c.opt(wire.OptStartTLS, "")
		c.ack(wire.OptStartTLS)
		if bad {
			c.opt(wire.OptStartTLS, "")
			c.rep(wire.OptStartTLS, wire.RepErrInvalid, "")
		}
		c.structured()
		c.abort()
	}},
	{"NBD_OPT_STARTTLS succeeds within TLS", []string{"client tls.client.starttls.again", "server tls.forced.starttls.again"}, func(c *conversation, bad bool) {
		c.opts.Decrypted = true
		c.hello()
		c.opt(wire.OptStartTLS, "")
		c.ack(wire.OptStartTLS)
		if bad {
			c.opt(wire.OptStartTLS, "")
			c.ack(wire.OptStartTLS)
		}
		c.abort()
	}},
	{"TLS is demanded within TLS", []string{"server tls.forced.tls-reqd.after"}, func(c *conversation, bad bool) {
		c.opts.Decrypted = true
		c.hello()
		c.opt(wire.OptStartTLS, "")
		c.ack(wire.OptStartTLS)
		c.opt(wire.OptGo, info("disk"))
		c.rep(wire.OptGo, pick(bad, wire.RepErrTLSReqd, wire.RepErrUnknown), "")
		c.abort()
	}},
	{"TLS is demanded for one option after another went without", []string{"server tls.mode.consistent"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		c.rep(wire.OptList, pick(bad, wire.RepAck, wire.RepErrTLSReqd), "")
		c.opt(wire.OptStructuredReply, "")
		c.rep(wire.OptStructuredReply, wire.RepErrTLSReqd, "")
		c.abort()
	}},
	{"TLS is demanded for an export after it was refused", []string{"server tls.mode.consistent"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptStartTLS, "")
		c.rep(wire.OptStartTLS, pick(bad, wire.RepErrUnsup, wire.RepErrInvalid), "")
		c.opt(wire.OptGo, info("disk"))
		c.rep(wire.OptGo, wire.RepErrTLSReqd, "")
		c.abort()
	}},
	{"TLS is demanded for one export and not for another", nil, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptList, "")
		c.ack(wire.OptList)
		c.opt(wire.OptGo, info("secret"))
		c.rep(wire.OptGo, wire.RepErrTLSReqd, "")
		c.enter(all)
		c.disc()
	}},
	{"server goes on in the clear", []string{"server tls.upgrade.all.server"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptStartTLS, "")
		c.ack(wire.OptStartTLS)
		c.client([]byte{22, 3, 1, 0, 200})
		c.server(pick(bad, []byte{0, 3, 0xe8}, []byte{22, 3, 3, 0, 122}))
	}},
	{"option from the clear is answered within TLS", []string{"client handshake.option.one-at-a-time", "server tls.upgrade.all.server"}, func(c *conversation, bad bool) {
		c.opts.Decrypted = true
		c.hello()
		c.opt(wire.OptStartTLS, "")
		if bad {
			c.opt(wire.OptList, "")
		}
		c.ack(wire.OptStartTLS)
		if bad {
			c.ack(wire.OptList)
		}
		c.abort()
	}},
	{"client goes on in the clear", []string{"client tls.upgrade.all.client"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptStartTLS, "")
		c.ack(wire.OptStartTLS)
		c.client([]byte(pick(bad, "IHAVEOPT", "\x16\x03\x01")))
	}},
}

var infoTrips = []trip{
	{"NBD_OPT_INFO is unknown", []string{"server baseline.server.info"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptInfo, info("disk"))
		c.rep(wire.OptInfo, pick(bad, wire.RepErrUnsup, wire.RepErrUnknown), "")
		c.abort()
	}},
	{"NBD_OPT_GO gives a list", []string{"server layout.option-reply.type"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk"))
		if bad {
			c.rep(wire.OptGo, wire.RepServer, string(wire.ServerReply{Name: "disk"}.Append(nil)))
		}
		c.export(wire.OptGo, size, all)
		c.ack(wire.OptGo)
		c.disc()
	}},
	{"NBD_OPT_GO is unknown", []string{"server baseline.server.go"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk"))
		c.rep(wire.OptGo, pick(bad, wire.RepErrUnsup, wire.RepErrPolicy), "")
		c.abort()
	}},
	{"name in NBD_OPT_GO is longer than its message", []string{"client opt.info.name-length"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, pick(bad, "\x00\x00\x00\x09disk\x00\x00", info("disk")))
		c.rep(wire.OptGo, wire.RepErrInvalid, "")
		c.abort()
	}},
	{"NBD_OPT_GO counts wrong", []string{"client layout.opt.info"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk", wire.InfoName)+pick(bad, "x", ""))
		c.rep(wire.OptGo, wire.RepErrInvalid, "")
		c.abort()
	}},
	{"NBD_OPT_INFO is too short for anything", []string{"client layout.opt.info"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptInfo, pick(bad, "", info("")))
		c.rep(wire.OptInfo, wire.RepErrInvalid, "")
		c.abort()
	}},
	{"information is requested twice", []string{"client opt.info.requests-unique"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptInfo, info("disk", wire.InfoName, wire.InfoBlockSize, pick(bad, wire.InfoName, wire.InfoDescription)))
		c.rep(wire.OptInfo, wire.RepErrUnknown, "")
		c.abort()
	}},
	{"export is acknowledged without NBD_INFO_EXPORT", []string{"server opt.info.export-before-ack"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptInfo, info("disk"))
		c.info(wire.OptInfo, wire.Info{Type: wire.InfoName, Payload: []byte("disk")})
		c.info(wire.OptInfo, wire.Info{Type: 77, Payload: []byte("whatever")})
		if !bad {
			c.export(wire.OptInfo, size, all)
		}
		c.ack(wire.OptInfo)
		c.abort()
	}},
	{"unknown export is described", []string{"server opt.info.unknown.no-info"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptInfo, info("disk"))
		if bad {
			c.export(wire.OptInfo, size, all)
		}
		c.rep(wire.OptInfo, wire.RepErrUnknown, "no such export")
		c.abort()
	}},
	{"server that insists on TLS describes an export", []string{"server opt.info.forced-tls.no-info"}, func(c *conversation, bad bool) {
		c.hello()
		if bad {
			c.opt(wire.OptList, "")
			c.rep(wire.OptList, wire.RepErrTLSReqd, "")
		}
		c.opt(wire.OptInfo, info("disk"))
		c.export(wire.OptInfo, size, all)
		c.rep(wire.OptInfo, wire.RepErrTLSReqd, "")
		c.abort()
	}},
	{"size constraints are required though requested", []string{"server opt.info.block-size-reqd.requested"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk", pick(bad, wire.InfoBlockSize, wire.InfoName)))
		c.info(wire.OptGo, wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: 1 << 25}.Info())
		c.rep(wire.OptGo, wire.RepErrBlockSizeReqd, "")
		c.abort()
	}},
	{"size constraints are required and not told", []string{"server opt.info.block-size-reqd.info-first"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk"))
		if !bad {
			c.info(wire.OptGo, wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: 1 << 25}.Info())
		}
		c.rep(wire.OptGo, wire.RepErrBlockSizeReqd, "")
		c.abort()
	}},
	{"default size constraints are required", []string{"server opt.info.block-size-reqd.default"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk"))
		c.info(wire.OptGo, wire.SizeConstraints{Minimum: pick[uint32](bad, 1, 512), Preferred: 4096, MaxPayload: 1 << 25}.Info())
		c.rep(wire.OptGo, wire.RepErrBlockSizeReqd, "")
		c.abort()
	}},
	{"NBD_OPT_GO tells other than NBD_OPT_INFO", []string{"server opt.info.repeatable"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptInfo, info("disk", wire.InfoName))
		c.export(wire.OptInfo, size, pick(bad, all&^wire.FlagSendTrim, all))
		c.info(wire.OptInfo, wire.Info{Type: wire.InfoName, Payload: []byte("disk")})
		c.ack(wire.OptInfo)
		c.opt(wire.OptGo, info("disk", wire.InfoName))
		c.info(wire.OptGo, wire.Info{Type: wire.InfoName, Payload: []byte("disk")})
		c.export(wire.OptGo, size, all)
		c.ack(wire.OptGo)
		c.disc()
	}},
	{"NBD_OPT_GO has filters of NBD_CMD_BLOCK_STATUS less than NBD_OPT_INFO", []string{"server opt.info.repeatable"}, func(c *conversation, bad bool) {
		c.hello()
		c.extended()
		c.opt(wire.OptInfo, info("disk"))
		c.export(wire.OptInfo, size, pick(bad, allDF&^wire.FlagSendTrim, allDF)|wire.FlagBlockStatusPayload)
		c.ack(wire.OptInfo)
		c.enter(allDF)
		c.xdisc()
	}},
	{"NBD_OPT_GO tells other than NBD_OPT_INFO, with an option between", nil, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptInfo, info("disk"))
		c.export(wire.OptInfo, size, all)
		c.ack(wire.OptInfo)
		c.structured()
		c.enter(allDF)
		c.disc()
	}},
	{"information comes twice", []string{"server rep.info.once"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk"))
		c.export(wire.OptGo, size, all)
		if bad {
			c.export(wire.OptGo, size, all)
		}
		c.ack(wire.OptGo)
		c.disc()
	}},
	{"information comes as often as it was requested", []string{"client opt.info.requests-unique"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptInfo, info("disk", wire.InfoName, pick(bad, wire.InfoName, wire.InfoDescription)))
		for range pick(bad, 2, 1) {
			c.info(wire.OptInfo, wire.Info{Type: wire.InfoName, Payload: []byte("disk")})
		}
		c.export(wire.OptInfo, size, all)
		c.ack(wire.OptInfo)
		c.abort()
	}},
	{"NBD_INFO_EXPORT is too long", []string{"server rep.info-export.length", "server opt.info.export-before-ack"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptInfo, info("disk"))
		i := wire.ExportInfo{Size: size, Flags: all}.Info()
		i.Payload = append(i.Payload, pick(bad, "x", "")...)
		c.info(wire.OptInfo, i)
		c.ack(wire.OptInfo)
		c.abort()
	}},
	{"NBD_INFO_BLOCK_SIZE is too short", []string{"server rep.info-block-size.length"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptInfo, info("disk"))
		i := wire.DefaultSizeConstraints.Info()
		i.Payload = i.Payload[:pick(bad, 8, 12)]
		c.export(wire.OptInfo, size, all)
		c.info(wire.OptInfo, i)
		c.ack(wire.OptInfo)
		c.abort()
	}},
	{"NBD_REP_INFO has no type", []string{"server layout.rep.info"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptInfo, info("disk"))
		c.rep(wire.OptInfo, wire.RepInfo, pick(bad, "x", "\x00\x02"))
		c.rep(wire.OptInfo, wire.RepErrPolicy, "")
		c.abort()
	}},
	{"zeroes come behind NBD_OPT_GO", []string{"server opt.info.go-no-padding"}, func(c *conversation, bad bool) {
		c.greet(bothServer, wire.FlagCFixedNewstyle)
		c.enter(all)
		c.server(make([]byte, pick(bad, 124, 0)))
		c.ask(read(512))
		c.simple(1, 0, 512)
		c.disc()
	}},
	{"option follows a successful NBD_OPT_GO", []string{"client opt.info.go-no-more-options"}, func(c *conversation, bad bool) {
		c.plain(all)
		if bad {
			c.opt(wire.OptList, "")
			return
		}
		c.disc()
	}},
	{"request comes ahead of the answer to NBD_OPT_GO", nil, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk"))
		c.ask(read(512))
		c.export(wire.OptGo, size, all)
		c.ack(wire.OptGo)
		c.simple(1, 0, 512)
		c.disc()
	}},
	{"request comes ahead of a refusal of NBD_OPT_GO", []string{"client layout.option.magic"}, func(c *conversation, bad bool) {
		c.hello()
		c.opt(wire.OptGo, info("disk"))
		if bad {
			c.ask(read(512))
		}
		c.rep(wire.OptGo, wire.RepErrUnknown, "")
	}},

	{"minimum block size is no power of 2", []string{"server size.minimum.power-of-2"}, sized(func(bad bool) wire.SizeConstraints {
		return wire.SizeConstraints{Minimum: pick[uint32](bad, 0, 512), Preferred: 4096, MaxPayload: 1 << 25}
	})},
	{"minimum block size is huge", []string{"server size.minimum.max"}, sized(func(bad bool) wire.SizeConstraints {
		return wire.SizeConstraints{Minimum: pick[uint32](bad, 1<<17, 1<<16), Preferred: 1 << 17, MaxPayload: 1 << 25}
	})},
	{"minimum block size does not divide the export", []string{"server size.minimum.export-size"}, func(c *conversation, bad bool) {
		c.hello()
		c.enterSized(all, pick[uint64](bad, size+1, size), wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: 1 << 25})
		c.disc()
	}},
	{"preferred block size is no power of 2", []string{"server size.preferred.power-of-2"}, sized(func(bad bool) wire.SizeConstraints {
		return wire.SizeConstraints{Minimum: 512, Preferred: pick[uint32](bad, 5000, 8192), MaxPayload: 1 << 25}
	})},
	{"preferred block size is small", []string{"server size.preferred.min"}, sized(func(bad bool) wire.SizeConstraints {
		return wire.SizeConstraints{Minimum: 1, Preferred: pick[uint32](bad, 256, 512), MaxPayload: 1 << 25}
	})},
	{"maximum payload size is below the preferred block size", []string{"server size.max-payload.preferred"}, sized(func(bad bool) wire.SizeConstraints {
		return wire.SizeConstraints{Minimum: 512, Preferred: 1 << 22, MaxPayload: pick[uint32](bad, 1<<21, 1<<22)}
	})},
	{"maximum payload size is below that of the export", []string{"server size.max-payload.min"}, sized(func(bad bool) wire.SizeConstraints {
		return wire.SizeConstraints{Minimum: 512, Preferred: 4096, MaxPayload: pick[uint32](bad, 1<<19, 1<<20)}
	})},
	{"transmission flags lack NBD_FLAG_HAS_FLAGS", []string{"server flag.transmission.has-flags"}, func(c *conversation, bad bool) {
		c.plain(pick(bad, wire.FlagSendFlush, all))
		c.disc()
	}},
	{"NBD_FLAG_SEND_DF is set without structured replies", []string{"server flag.transmission.send-df.structured"}, func(c *conversation, bad bool) {
		c.plain(all | pick[wire.TransmissionFlags](bad, wire.FlagSendDF, 0))
		c.disc()
	}},
	{"NBD_FLAG_SEND_FAST_ZERO is set without NBD_FLAG_SEND_WRITE_ZEROES", []string{"server flag.transmission.fast-zero.write-zeroes"}, func(c *conversation, bad bool) {
		c.plain(wire.FlagHasFlags | wire.FlagSendFastZero | pick[wire.TransmissionFlags](bad, 0, wire.FlagSendWriteZeroes))
		c.disc()
	}},
}

func sized(s func(bad bool) wire.SizeConstraints) func(*conversation, bool) {
	return func(c *conversation, bad bool) {
		c.hello()
		c.enterSized(all, size, s(bad))
		c.disc()
	}
}
