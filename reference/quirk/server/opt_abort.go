package serverquirk

import (
	"net"
	"time"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// AbortUnanswered closes the connection on NBD_OPT_ABORT without a reply.
var AbortUnanswered = register(Quirk{
	Name: "abort-unanswered", Breaks: "opt.abort.ack",
	Doc:   "closes the connection on NBD_OPT_ABORT without a reply",
	Hooks: onOption(wire.OptAbort, func(x *server.OptionExchange) { x.Silent = true }),
})

// AbortUnsupported does not know NBD_OPT_ABORT.
var AbortUnsupported = register(Quirk{
	Name: "abort-unsupported", Breaks: "opt.abort.ack",
	Doc: "answers NBD_OPT_ABORT with NBD_REP_ERR_UNSUP",
	Hooks: onOption(wire.OptAbort, func(x *server.OptionExchange) {
		x.Fail(wire.RepErrUnsup, "no way out")
		x.Hangup = false
	}),
})

// AbortDataRejected rejects data with NBD_OPT_ABORT.
var AbortDataRejected = register(Quirk{
	Name: "abort-data-rejected", Breaks: "opt.abort.ignore-data",
	Doc: "answers NBD_OPT_ABORT with data by NBD_REP_ERR_INVALID",
	Hooks: onOption(wire.OptAbort, func(x *server.OptionExchange) {
		if len(x.Request.Data) > 0 {
			x.Fail(wire.RepErrInvalid, "the option takes no data")
			x.Hangup = false
		}
	}),
})

// CrashOnAbortUnheard dies of a client that does not wait for the answer to its NBD_OPT_ABORT.
var CrashOnAbortUnheard = register(Quirk{
	Name: "crash-on-abort-unheard", Breaks: "opt.abort.client-gone",
	Doc: "answers NBD_OPT_ABORT 5 ms late, closes all connections and listens no more if the client is gone",
	Hooks: server.Hooks{
		Conn: func(s *server.Session, c net.Conn) net.Conn {
			return transport{Conn: c, write: func(b []byte) (int, error) {
				n, err := c.Write(b)
				if err != nil {
					s.Crash()
				}
				return n, err
			}}
		},
		OptionReply: func(x *server.OptionExchange) {
			if x.Is(wire.OptAbort) {
				x.Delay = 5 * time.Millisecond
			}
		},
	},
})
