package serverquirk

import (
	"bytes"
	"errors"
	"io"
	"net"
	"time"

	"nbdconform/reference/server"
	"nbdconform/reference/wire"
)

// A transport is a connection whose calls go through functions.
type transport struct {
	net.Conn
	read  func(b []byte) (int, error)
	write func(b []byte) (int, error)
}

func (t transport) Read(b []byte) (int, error) {
	if t.read != nil {
		return t.read(b)
	}
	return t.Conn.Read(b)
}

func (t transport) Write(b []byte) (int, error) {
	if t.write != nil {
		return t.write(b)
	}
	return t.Conn.Write(b)
}

// CrashOnClientGone dies of a client that leaves during the handshake.
var CrashOnClientGone = register(Quirk{
	Name: "crash-on-client-gone", Breaks: "baseline.server.fixed-newstyle",
	Doc: "closes all connections and listens no more when a client that has said something hangs up during the handshake",
	Hooks: server.Hooks{Conn: func(s *server.Session, c net.Conn) net.Conn {
		said := 0
		return transport{Conn: c, read: func(b []byte) (int, error) {
			n, err := c.Read(b)
			if said += n; errors.Is(err, io.EOF) && said > 0 && s.Export == nil {
				s.Crash()
			}
			return n, err
		}, write: func(b []byte) (int, error) {
			n, err := c.Write(b)
			if err != nil && s.Export == nil {
				s.Crash()
			}
			return n, err
		}}
	}},
})

// CrashOnAbortUnheard dies of a client that does not wait for the answer to its NBD_OPT_ABORT.
var CrashOnAbortUnheard = register(Quirk{
	Name: "crash-on-abort-unheard", Breaks: "opt.abort.client-gone",
	Doc: "answers NBD_OPT_ABORT 5 ms late, closes all connections and listens no more if nobody is there to hear it",
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

// CrashOnHugeOption dies of an option that announces all the data in the world.
var CrashOnHugeOption = register(Quirk{
	Name: "crash-on-huge-option", Breaks: "baseline.server.fixed-newstyle",
	Doc: "closes all connections and listens no more when an option announces 0xffffffff bytes of data",
	Hooks: server.Hooks{Conn: func(s *server.Session, c net.Conn) net.Conn {
		return transport{Conn: c, read: func(b []byte) (int, error) {
			n, err := c.Read(b)
			if i := bytes.Index(b[:n], []byte("IHAVEOPT")); i >= 0 && i+16 <= n && bytes.Equal(b[i+12:i+16], []byte("\xff\xff\xff\xff")) {
				s.Crash()
			}
			return n, err
		}}
	}},
})

// SegmentsAsMessages takes every segment of the stream for a message.
var SegmentsAsMessages = register(Quirk{
	Name: "segments-as-messages", Breaks: "baseline.server.fixed-newstyle",
	Doc: "hangs up when a single byte arrives, since no message is that short",
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

// ExportNameRefused knows no NBD_OPT_EXPORT_NAME.
var ExportNameRefused = register(Quirk{
	Name: "export-name-refused", Breaks: "interop.server.export-name",
	Doc:   "hangs up on NBD_OPT_EXPORT_NAME, whatever the name",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) { x.Refused, x.Hangup, x.Silent = true, true, true }},
})

// ExportNameOtherSize tells old clients of a larger export.
var ExportNameOtherSize = register(Quirk{
	Name: "export-name-other-size", Breaks: "layout.rep.info-export.same",
	Doc:   "tells a size 4096 larger in answer to NBD_OPT_EXPORT_NAME than in NBD_INFO_EXPORT",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) { x.Reply.Size += 4096 }},
})

// ExportNameOtherFlags keeps some of its features from old clients.
var ExportNameOtherFlags = register(Quirk{
	Name: "export-name-other-flags", Breaks: "layout.rep.info-export.same",
	Doc:   "leaves all but NBD_FLAG_HAS_FLAGS out of the answer to NBD_OPT_EXPORT_NAME",
	Hooks: server.Hooks{ExportName: func(x *server.ExportNameExchange) { x.Reply.Flags &= wire.FlagHasFlags }},
})

// DefaultExportDiffers has one default export for old clients and another for new ones.
var DefaultExportDiffers = register(Quirk{
	Name: "default-export-differs", Breaks: "layout.opt.info.default",
	Doc: "takes the empty name for the last export in NBD_OPT_EXPORT_NAME, and for the first one elsewhere",
	Hooks: server.Hooks{Option: func(s *server.Session, o *wire.OptionRequest) {
		if all := s.Exports(); o.Option == wire.OptExportName && len(o.Data) == 0 {
			o.Data = []byte(all[len(all)-1].Name)
		}
	}},
})

// ListInventsExport lists an export that is not there.
var ListInventsExport = register(Quirk{
	Name: "list-invents-export", Breaks: "layout.rep.server.usable",
	Doc: "lists an export that it does not know otherwise",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) {
		if !x.Failed() {
			x.Insert(wire.RepServer, wire.ServerReply{Name: "ghost"}.Append(nil))
		}
	}),
})

// ListTwice lists every export twice.
var ListTwice = register(Quirk{
	Name: "list-twice", Breaks: "layout.opt.list.replies",
	Doc: "lists every export twice",
	Hooks: onOption(wire.OptList, func(x *server.OptionExchange) {
		x.Each(wire.RepServer, func(r *wire.OptionReply) { x.Insert(wire.RepServer, r.Data) })
	}),
})

// StartTLSDataUnanswered waits for something that makes sense.
var StartTLSDataUnanswered = register(Quirk{
	Name: "starttls-data-unanswered", Breaks: "layout.option-reply.answered",
	Doc: "does not answer NBD_OPT_STARTTLS with data",
	Hooks: onOption(wire.OptStartTLS, func(x *server.OptionExchange) {
		x.Silent = len(x.Request.Data) > 0
	}),
})

// StartTLSNotFixed grants TLS to a client that can't ask for it.
var StartTLSNotFixed = register(Quirk{
	Name: "starttls-not-fixed", Breaks: "tls.mode.not-fixed",
	Doc: "answers NBD_REP_ACK to NBD_OPT_STARTTLS from a client that did not set NBD_FLAG_C_FIXED_NEWSTYLE",
	Hooks: onOption(wire.OptStartTLS, func(x *server.OptionExchange) {
		if x.Session.ClientFlags&wire.FlagCFixedNewstyle == 0 {
			x.Replies = nil
			x.Add(wire.RepAck, nil)
		}
	}),
})

// onMalformedInfo makes hooks that change the answer to NBD_OPT_INFO and
// NBD_OPT_GO whose data does not have its layout.
func onMalformedInfo(f func(*server.OptionExchange)) server.Hooks {
	return server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if _, err := wire.ParseInfoRequest(x.Request.Data); err != nil && x.Is(wire.OptInfo, wire.OptGo) {
			f(x)
		}
	}}
}

// InfoMalformedUnanswered does not answer what it can't parse.
var InfoMalformedUnanswered = register(Quirk{
	Name: "info-malformed-unanswered", Breaks: "layout.option-reply.answered",
	Doc:   "does not answer NBD_OPT_INFO and NBD_OPT_GO whose data does not have its layout",
	Hooks: onMalformedInfo(func(x *server.OptionExchange) { x.Silent = true }),
})

// InfoMalformedAnsweredTwice complains of every mistake on its own.
var InfoMalformedAnsweredTwice = register(Quirk{
	Name: "info-malformed-answered-twice", Breaks: "layout.option-reply.type",
	Doc: "answers NBD_OPT_INFO and NBD_OPT_GO whose data does not have its layout by two errors",
	Hooks: onMalformedInfo(func(x *server.OptionExchange) {
		x.Add(wire.RepErrInvalid, []byte("and another thing"))
	}),
})

// UnknownExportInvalid blames the client's words for an export that it does not have.
var UnknownExportInvalid = register(Quirk{
	Name: "unknown-export-invalid", Breaks: "baseline.server.info",
	Doc: "answers NBD_OPT_INFO and NBD_OPT_GO for an unknown export with NBD_REP_ERR_INVALID",
	Hooks: onOptionError(func(r *wire.OptionReply) {
		if r.Type == wire.RepErrUnknown {
			r.Type = wire.RepErrInvalid
		}
	}),
})

// UnknownExportHangup hangs up on a client that asks for an export that is not there.
var UnknownExportHangup = register(Quirk{
	Name: "unknown-export-hangup", Breaks: "haggling.hard.unjustified.server",
	Doc: "hangs up behind NBD_REP_ERR_UNKNOWN",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		x.Hangup = x.Hangup || x.Failed() && x.Replies[len(x.Replies)-1].Type == wire.RepErrUnknown
	}},
})

// PolicyHangup refuses every export, and hangs up.
var PolicyHangup = register(Quirk{
	Name: "policy-hangup", Breaks: "haggling.hard.unjustified.server",
	Doc: "answers NBD_OPT_GO with NBD_REP_ERR_POLICY and hangs up",
	Hooks: onOption(wire.OptGo, func(x *server.OptionExchange) {
		if !x.Failed() {
			x.Fail(wire.RepErrPolicy, "not for you")
			x.Hangup = true
		}
	}),
})

// LongNameHangup hangs up on a client whose export name is long.
var LongNameHangup = register(Quirk{
	Name: "long-name-hangup", Breaks: "haggling.hard.unjustified.server",
	Doc: "hangs up on NBD_OPT_INFO and NBD_OPT_GO with more than 1024 bytes of data",
	Hooks: server.Hooks{OptionReply: func(x *server.OptionExchange) {
		if x.Is(wire.OptInfo, wire.OptGo) && len(x.Request.Data) > 1024 {
			x.Silent, x.Hangup = true, true
		}
	}},
})

// InfoNameOther gives the export another name than the list does.
var InfoNameOther = register(Quirk{
	Name: "info-name-other", Breaks: "layout.rep.info-name.same",
	Doc: "puts a path into NBD_INFO_NAME and a plain name into NBD_REP_SERVER",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoName, func(i *wire.Info) { i.Payload = append([]byte("/dev/"), i.Payload...) })
	}),
})

// InfoDescriptionOther describes the export differently each time.
var InfoDescriptionOther = register(Quirk{
	Name: "info-description-other", Breaks: "layout.rep.info-description.same",
	Doc: "describes the export by other words in NBD_INFO_DESCRIPTION than in NBD_REP_SERVER",
	Hooks: onInfo(func(x *server.OptionExchange) {
		x.Infos(wire.InfoDescription, func(i *wire.Info) { i.Payload = []byte("something else") })
	}),
})

// StructuredReplyRefusedKept refuses structured replies and sends them.
var StructuredReplyRefusedKept = register(Quirk{
	Name: "structured-reply-refused-kept", Breaks: "trans.structured.unnegotiated",
	Doc: "refuses NBD_OPT_STRUCTURED_REPLY with data, and sends structured replies nevertheless",
	Hooks: onOption(wire.OptStructuredReply, func(x *server.OptionExchange) {
		x.Session.Structured = true
	}),
})

// StructuredReplyToggled takes a second NBD_OPT_STRUCTURED_REPLY for the opposite of the first.
var StructuredReplyToggled = register(Quirk{
	Name: "structured-reply-toggled", Breaks: "cmd.read.structured",
	Doc: "sends simple replies after a second NBD_OPT_STRUCTURED_REPLY",
	New: func() server.Hooks {
		n := 0
		return onOption(wire.OptStructuredReply, func(x *server.OptionExchange) {
			n++
			x.Session.Structured = n%2 == 1
		})
	},
})

// StructuredReplyInvalid finds fault with a client that asks for structured replies.
var StructuredReplyInvalid = register(Quirk{
	Name: "structured-reply-invalid", Breaks: "layout.option-reply.type",
	Doc:   "answers NBD_OPT_STRUCTURED_REPLY with NBD_REP_ERR_INVALID",
	Hooks: onOption(wire.OptStructuredReply, func(x *server.OptionExchange) { x.Fail(wire.RepErrInvalid, "") }),
})

// StartTLSRefusedHangup wants nothing to do with clients that like TLS.
var StartTLSRefusedHangup = register(Quirk{
	Name: "starttls-refused-hangup", Breaks: "baseline.unsup.continue",
	Doc:   "hangs up behind its refusal of NBD_OPT_STARTTLS",
	Hooks: onOption(wire.OptStartTLS, func(x *server.OptionExchange) { x.Hangup = x.Failed() }),
})

// StartTLSNeedsTLS demands TLS of a client that asks for it.
var StartTLSNeedsTLS = register(Quirk{
	Name: "starttls-needs-tls", Breaks: "tls.notls.starttls",
	Doc:   "answers NBD_OPT_STARTTLS with NBD_REP_ERR_TLS_REQD",
	Hooks: onOption(wire.OptStartTLS, func(x *server.OptionExchange) { x.Fail(wire.RepErrTLSReqd, "") }),
})

// ExtendedHeadersInvalid finds fault with a client that asks for what it does not have.
var ExtendedHeadersInvalid = register(Quirk{
	Name: "extended-headers-invalid", Breaks: "baseline.unsup",
	Doc:   "answers NBD_OPT_EXTENDED_HEADERS, which it does not have, with NBD_REP_ERR_INVALID",
	Hooks: onOption(wire.OptExtendedHeaders, func(x *server.OptionExchange) { x.Fail(wire.RepErrInvalid, "") }),
})
