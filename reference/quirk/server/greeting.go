package serverquirk

import (
	"io"
	"net"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// GreetingNotFixed does not say that it speaks the fixed newstyle handshake.
var GreetingNotFixed = register(Quirk{
	Name: "greeting-not-fixed", Breaks: "flag.handshake.fixed-newstyle",
	Doc: "leaves NBD_FLAG_FIXED_NEWSTYLE out of the greeting",
	Hooks: server.Hooks{Greeting: func(x *server.GreetingExchange) {
		x.Greeting.Flags &^= wire.FlagFixedNewstyle
	}},
})

// HandshakeNewstyle speaks the negotiation that was a mistake.
var HandshakeNewstyle = register(Quirk{
	Name: "handshake-newstyle", Breaks: "baseline.server.fixed-newstyle",
	Doc:    "speaks newstyle negotiation that is not fixed, and closes the connection on all options but NBD_OPT_EXPORT_NAME",
	Config: func(c *server.Config) { c.Handshake = server.Newstyle },
})

// HandshakeOldstyle speaks the oldest negotiation.
var HandshakeOldstyle = register(Quirk{
	Name: "handshake-oldstyle", Breaks: "baseline.server.fixed-newstyle",
	Doc:    "speaks oldstyle negotiation",
	Config: func(c *server.Config) { c.Handshake = server.Oldstyle },
})

// GreetingCutShort closes the connection in the middle of the greeting.
var GreetingCutShort = register(Quirk{
	Name: "greeting-cut-short", Breaks: "layout.greeting",
	Doc:   "closes the connection after ten bytes of the greeting",
	Hooks: server.Hooks{Greeting: func(x *server.GreetingExchange) { x.Truncate, x.Hangup = 10, true }},
})

// SecondConnectionRefused serves one connection in its life.
var SecondConnectionRefused = register(Quirk{
	Name: "second-connection-refused", Breaks: "trans.end.unjustified.server",
	Doc: "closes every connection but the first",
	Hooks: server.Hooks{Greeting: func(x *server.GreetingExchange) {
		x.Hangup = x.Session.ID > 1
		x.Silent = x.Hangup
	}},
})

// OldstyleNowAndThen cannot make up its mind.
var OldstyleNowAndThen = register(Quirk{
	Name: "oldstyle-now-and-then", Breaks: "handshake.port.newstyle-only",
	Doc: "greets every third connection in oldstyle",
	Hooks: server.Hooks{Greeting: func(x *server.GreetingExchange) {
		if x.Session.ID%3 == 0 {
			x.Raw = wire.OldGreeting{Size: x.Session.Exports()[0].Disk.Size(), Flags: uint32(wire.FlagHasFlags)}.Append(nil)
		}
	}},
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

// ClientFlagsGreedy reads too much with the client's flags.
var ClientFlagsGreedy = register(Quirk{
	Name: "client-flags-greedy", Breaks: "layout.option-reply.answered",
	Doc: "throws away what comes in one segment with the client's flags",
	Hooks: server.Hooks{Conn: func(_ *server.Session, c net.Conn) net.Conn {
		first := true
		return transport{Conn: c, read: func(b []byte) (int, error) {
			n, err := c.Read(b)
			if first {
				n, first = min(n, 4), false
			}
			return n, err
		}}
	}},
})

// SegmentsAsMessages takes every segment of the stream for a message.
var SegmentsAsMessages = register(Quirk{
	Name: "segments-as-messages", Breaks: "baseline.server.fixed-newstyle",
	Doc: "closes the connection when a single byte arrives, since no message is that short",
	Hooks: server.Hooks{Conn: func(_ *server.Session, c net.Conn) net.Conn {
		return transport{Conn: c, read: func(b []byte) (int, error) {
			n, err := c.Read(b)
			if n == 1 {
				return 0, io.ErrUnexpectedEOF
			}
			return n, err
		}}
	}},
})

// GreetingWrongMagic gets a byte of IHAVEOPT wrong.
var GreetingWrongMagic = register(Quirk{
	Name: "greeting-wrong-magic", Breaks: "layout.greeting",
	Doc: "gets a byte of IHAVEOPT in the greeting wrong",
	Hooks: server.Hooks{Greeting: func(x *server.GreetingExchange) {
		x.Raw = x.Greeting.Append(nil)
		x.Raw[15] ^= 1
	}},
})

// GreetingUnknownFlag sets an undefined handshake flag.
var GreetingUnknownFlag = register(Quirk{
	Name: "greeting-unknown-flag", Breaks: "flag.handshake.unknown",
	Doc:   "sets bit 9 of the handshake flags",
	Hooks: server.Hooks{Greeting: func(x *server.GreetingExchange) { x.Greeting.Flags |= 1 << 9 }},
})
