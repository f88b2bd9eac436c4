package server

import (
	"fmt"
	"strings"

	"nbdconform/reference/wire"
)

// An option is one option while it is answered.
type option struct {
	*conn
	req     wire.OptionRequest
	tooLong bool    // the data was longer than the limit, and is missing
	export  *Export // that was asked for and found
	replies []wire.OptionReply
	enter   bool // the transmission phase follows
	upgrade bool // TLS follows
	hangup  bool
}

// option reads and answers one option. enter says that the transmission phase
// follows, done that the session is to end. Section "Option types".
func (c *conn) option() (enter, done bool, err error) {
	o := option{conn: c}
	if err := o.read(); err != nil {
		return false, true, err
	}
	if c.hooks.Option != nil {
		c.hooks.Option(&c.Session, &o.req)
	}
	if o.req.Option == wire.OptExportName {
		return o.exportName()
	}
	if c.srv.cfg.Handshake == Newstyle { // there are no replies to refuse it with
		return false, true, violation("opt.export-name.fixed-newstyle", "%v is sent without fixed newstyle negotiation", o.req.Option)
	}
	o.answer()
	x := OptionExchange{
		Answer:  Answer{Hangup: o.hangup},
		Session: &c.Session, Request: o.req, Export: o.export, Replies: o.replies, Enter: o.enter, Upgrade: o.upgrade,
	}
	if c.hooks.OptionReply != nil {
		c.hooks.OptionReply(&x)
	}
	if err := c.send(&x.Answer, x.Bytes()); err != nil {
		return false, true, fmt.Errorf("answering %v: %w", o.req.Option, err)
	}
	if done, err = c.after(&x.Answer); o.upgrade && x.Upgrade && !done {
		err = c.upgradeToTLS()
	}
	return o.enter && x.Enter && !done, done, err
}

// read reads the option. Data beyond the limit is dropped.
func (o *option) read() error {
	h, err := wire.ReadOptionHeader(o.br)
	if err != nil {
		return err
	}
	o.req.Option = h.Option
	limit := o.srv.cfg.OptionLimit
	if h.Option == wire.OptExportName {
		limit = wire.MaxString
	}
	if o.tooLong = h.Length > limit; o.tooLong {
		return o.discard(h.Option.String(), uint64(h.Length))
	}
	o.req.Data, err = wire.ReadOptionData(o.br, h, wire.Limits{Option: limit})
	return err
}

// answer makes the replies to any option but NBD_OPT_EXPORT_NAME.
func (o *option) answer() {
	if o.srv.stopping.Load() && o.req.Option != wire.OptAbort {
		o.fail(wire.RepErrShutdown, "the server is shutting down")
		return
	}
	if o.waitsForTLS() {
		return
	}
	if o.srv.cfg.NoStructuredReplies && o.needsStructured() {
		o.unknown()
		return
	}
	switch o.req.Option {
	case wire.OptAbort:
		o.abort()
	case wire.OptList:
		o.list()
	case wire.OptInfo, wire.OptGo:
		o.info()
	case wire.OptStructuredReply:
		o.structuredReply()
	case wire.OptExtendedHeaders:
		o.extendedHeaders()
	case wire.OptListMetaContext:
		o.listMetaContext()
	case wire.OptSetMetaContext:
		o.setMetaContext()
	case wire.OptStartTLS:
		o.startTLS()
	default:
		o.unknown()
	}
}

// needsStructured reports whether the option is unknown to servers without
// structured replies.
func (o *option) needsStructured() bool {
	switch o.req.Option {
	case wire.OptStructuredReply, wire.OptListMetaContext, wire.OptSetMetaContext:
		return true
	}
	return false
}

func (o *option) unknown() {
	o.fail(wire.RepErrUnsup, fmt.Sprintf("this server does not know %v", o.req.Option))
}

func (o *option) reply(t wire.ReplyType, data []byte) {
	o.replies = append(o.replies, wire.OptionReply{Option: o.req.Option, Type: t, Data: data})
}

// fail adds a final error reply with a text for people.
func (o *option) fail(t wire.ReplyType, text string) { o.reply(t, []byte(shorten(text))) }

// shorten cuts a text for people to what a string should not exceed.
func shorten(text string) string {
	if len(text) <= wire.RecommendedString {
		return text
	}
	return strings.ToValidUTF8(text[:wire.RecommendedString-len("...")], "") + "..."
}

// noData refuses an option that has data although the clause forbids it.
func (o *option) noData(clause string) bool {
	if o.enforce(clause, len(o.req.Data) == 0 && !o.tooLong) {
		return true
	}
	o.fail(wire.RepErrInvalid, "the option takes no data")
	return false
}

// fits refuses an option with more data than the limit.
func (o *option) fits() bool {
	if o.tooLong {
		o.fail(wire.RepErrTooBig, fmt.Sprintf("the option has more than %d bytes of data", o.srv.cfg.OptionLimit))
	}
	return !o.tooLong
}
