package serverquirk

import (
	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// GreetingWrongMagic gets a byte of IHAVEOPT wrong.
var GreetingWrongMagic = register(Quirk{
	Name: "greeting-wrong-magic", Breaks: "layout.greeting",
	Doc: "gets a byte of IHAVEOPT in the greeting wrong",
	Hooks: server.Hooks{Greeting: func(x *server.GreetingExchange) {
		x.Raw = x.Greeting.Append(nil)
		x.Raw[15] ^= 1
	}},
})

// GreetingCutShort hangs up in the middle of the greeting.
var GreetingCutShort = register(Quirk{
	Name: "greeting-cut-short", Breaks: "layout.greeting",
	Doc:   "hangs up behind ten bytes of the greeting",
	Hooks: server.Hooks{Greeting: func(x *server.GreetingExchange) { x.Truncate, x.Hangup = 10, true }},
})

// GreetingNotFixed does not say that it speaks the fixed newstyle handshake.
var GreetingNotFixed = register(Quirk{
	Name: "greeting-not-fixed", Breaks: "flag.handshake.fixed-newstyle",
	Doc: "leaves NBD_FLAG_FIXED_NEWSTYLE out of the greeting",
	Hooks: server.Hooks{Greeting: func(x *server.GreetingExchange) {
		x.Greeting.Flags &^= wire.FlagFixedNewstyle
	}},
})

// GreetingUnknownFlag sets a handshake flag that nobody defined.
var GreetingUnknownFlag = register(Quirk{
	Name: "greeting-unknown-flag", Breaks: "flag.handshake.unknown",
	Doc:   "sets bit 9 of the handshake flags",
	Hooks: server.Hooks{Greeting: func(x *server.GreetingExchange) { x.Greeting.Flags |= 1 << 9 }},
})

// ClientFlagsUnknownAccepted goes on with a client that sets unknown flags.
var ClientFlagsUnknownAccepted = register(Quirk{
	Name: "client-flags-unknown-accepted", Breaks: "flag.client.unknown.drop",
	Doc:   "goes on with a client that sets unknown client flags",
	Hooks: skip("flag.client.unknown.drop"),
})

// ClientFlagsUnofferedAccepted does not offer NBD_FLAG_NO_ZEROES and goes on
// with a client that takes it nevertheless.
var ClientFlagsUnofferedAccepted = register(Quirk{
	Name: "client-flags-unoffered-accepted", Breaks: "flag.client.unoffered.drop",
	Doc: "does not offer NBD_FLAG_NO_ZEROES and accepts NBD_FLAG_C_NO_ZEROES",
	Hooks: server.Hooks{
		Greeting: func(x *server.GreetingExchange) { x.Greeting.Flags &^= wire.FlagNoZeroes },
		Skip:     map[string]bool{"flag.client.unoffered.drop": true},
	},
})

// ExportNameZeroesUnwanted sends the reserved zeroes although both sides agreed not to.
var ExportNameZeroesUnwanted = register(Quirk{
	Name: "export-name-zeroes-unwanted", Breaks: "flag.handshake.no-zeroes",
	Doc:   "sends the 124 zeroes behind the answer to NBD_OPT_EXPORT_NAME in spite of NBD_FLAG_C_NO_ZEROES",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) { x.Reply.Zeroes = true }},
})

// ExportNameZeroesMissing leaves out the reserved zeroes although the client expects them.
var ExportNameZeroesMissing = register(Quirk{
	Name: "export-name-zeroes-missing", Breaks: "layout.export-name.reserved",
	Doc:   "never sends the 124 zeroes behind the answer to NBD_OPT_EXPORT_NAME",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) { x.Reply.Zeroes = false }},
})

// ExportNameReservedNonzero sends something else in place of the reserved zeroes.
var ExportNameReservedNonzero = register(Quirk{
	Name: "export-name-reserved-nonzero", Breaks: "layout.export-name.reserved",
	Doc: "sends a 1 among the 124 zeroes behind the answer to NBD_OPT_EXPORT_NAME",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) {
		if x.Reply.Zeroes && !x.Refused {
			x.Raw = x.Reply.Append(nil)
			x.Raw[len(x.Raw)-1] = 1
		}
	}},
})

// ExportNameUnknownServed serves the default export under any name.
var ExportNameUnknownServed = register(Quirk{
	Name: "export-name-unknown-served", Breaks: "opt.export-name.unknown",
	Doc: "takes an unknown name in NBD_OPT_EXPORT_NAME for the default export",
	Hooks: server.Hooks{Option: func(s *server.Session, o *wire.OptionRequest) {
		if o.Option == wire.OptExportName && !known(s, string(o.Data)) {
			o.Data = []byte(s.Exports()[0].Name)
		}
	}},
})

func known(s *server.Session, name string) bool {
	for _, e := range s.Exports() {
		if e.Name == name {
			return true
		}
	}
	return name == ""
}

// ExportNameUnknownIgnored keeps the connection when it has no such export.
var ExportNameUnknownIgnored = register(Quirk{
	Name: "export-name-unknown-ignored", Breaks: "opt.export-name.unknown",
	Doc: "neither answers an unknown name in NBD_OPT_EXPORT_NAME nor hangs up",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) {
		if x.Refused {
			x.Stall, x.Hangup = true, false
		}
	}},
})

// FlagsWithoutHasFlags leaves NBD_FLAG_HAS_FLAGS out.
var FlagsWithoutHasFlags = register(Quirk{
	Name: "flags-without-has-flags", Breaks: "flag.transmission.has-flags",
	Doc: "leaves NBD_FLAG_HAS_FLAGS out of the transmission flags",
	Hooks: onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		return f &^ wire.FlagHasFlags
	}),
})

// FlagsDFUnnegotiated advertises NBD_FLAG_SEND_DF without structured replies.
var FlagsDFUnnegotiated = register(Quirk{
	Name: "flags-df-unnegotiated", Breaks: "flag.transmission.send-df.structured",
	Doc: "sets NBD_FLAG_SEND_DF before structured replies are negotiated",
	Hooks: onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		return f | wire.FlagSendDF
	}),
})

// FlagsDFHidden supports NBD_CMD_FLAG_DF and does not say so.
var FlagsDFHidden = register(Quirk{
	Name: "flags-df-hidden", Breaks: "flag.transmission.send-df",
	Doc: "leaves NBD_FLAG_SEND_DF out, but accepts NBD_CMD_FLAG_DF",
	Hooks: onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		return f &^ wire.FlagSendDF
	}),
})

// FlagsFastZeroHidden supports NBD_CMD_FLAG_FAST_ZERO and does not say so.
var FlagsFastZeroHidden = register(Quirk{
	Name: "flags-fast-zero-hidden", Breaks: "flag.transmission.fast-zero",
	Doc: "leaves NBD_FLAG_SEND_FAST_ZERO out, but accepts NBD_CMD_FLAG_FAST_ZERO",
	Hooks: onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		return f &^ wire.FlagSendFastZero
	}),
})

// FlagsFastZeroAlone advertises fast zeroes without write zeroes.
var FlagsFastZeroAlone = register(Quirk{
	Name: "flags-fast-zero-alone", Breaks: "flag.transmission.fast-zero.write-zeroes",
	Doc: "sets NBD_FLAG_SEND_FAST_ZERO without NBD_FLAG_SEND_WRITE_ZEROES",
	Hooks: onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		return f&^wire.FlagSendWriteZeroes | wire.FlagSendFastZero
	}),
})

// FlagsReadOnlyWithTrim advertises trim on a read-only export.
var FlagsReadOnlyWithTrim = register(Quirk{
	Name: "flags-read-only-with-trim", Breaks: "flag.transmission.unsupported.read-only",
	Doc: "sets NBD_FLAG_SEND_TRIM and NBD_FLAG_SEND_WRITE_ZEROES on a read-only export",
	Hooks: onFlags(func(_ *server.Session, f wire.TransmissionFlags) wire.TransmissionFlags {
		return f | wire.FlagSendTrim | wire.FlagSendWriteZeroes
	}),
})

// TrimAdvertisedOnly advertises NBD_CMD_TRIM and refuses it.
var TrimAdvertisedOnly = register(Quirk{
	Name: "trim-advertised-only", Breaks: "flag.transmission.unsupported",
	Doc:   "sets NBD_FLAG_SEND_TRIM and answers every NBD_CMD_TRIM with NBD_EINVAL",
	Hooks: onReply(wire.CmdTrim, fail(wire.EINVAL)),
})

// FlushAdvertisedOnly advertises NBD_CMD_FLUSH and refuses it.
var FlushAdvertisedOnly = register(Quirk{
	Name: "flush-advertised-only", Breaks: "flag.transmission.unsupported",
	Doc:   "sets NBD_FLAG_SEND_FLUSH and answers every NBD_CMD_FLUSH with NBD_EINVAL",
	Hooks: onReply(wire.CmdFlush, fail(wire.EINVAL)),
})

// WriteZeroesAdvertisedOnly advertises NBD_CMD_WRITE_ZEROES and refuses it.
var WriteZeroesAdvertisedOnly = register(Quirk{
	Name: "write-zeroes-advertised-only", Breaks: "flag.transmission.unsupported",
	Doc:   "sets NBD_FLAG_SEND_WRITE_ZEROES and answers every NBD_CMD_WRITE_ZEROES with NBD_EINVAL",
	Hooks: onReply(wire.CmdWriteZeroes, fail(wire.EINVAL)),
})
