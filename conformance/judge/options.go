package judge

import (
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// optionReply handles a reply of the server to an option.
func (j *Judge) optionReply(b []byte) int {
	const magic = 8
	s := &j.server
	if len(b) < magic {
		return 0
	}
	h, n, err := wire.ParseOptionReplyHeader(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return 0
	}
	if j.broken(optionReplyMagic, err == nil) {
		j.lose(optionReplyMagic, "option-reply-magic", err)
		return 0
	}
	d := &replyData{judge: j, header: h}
	j.open(s, KindOptionReply, b[:n], uint64(h.Length), d)
	d.place = s.here()
	j.log.say(s.msg, fmt.Sprintf("%v to %v length %d", h.Type, h.Option, h.Length))
	j.judgeDropped()
	d.option = j.answered(d.place, h)
	return n
}

// answered returns the option that h answers, or nil.
func (j *Judge) answered(p place, h wire.OptionReplyHeader) *option {
	for _, o := range j.queue {
		if o.option == h.Option {
			j.broken(optionReplyOption, true)
			return o
		}
	}
	o := j.oldest()
	switch {
	case j.tls && slices.Contains(j.void, h.Option):
		j.accuse(p, tlsUpgradeServer, "reply-to-option-sent-before-tls", h.Type, h.Option)
		return nil
	case o != nil:
		j.accuse(p, optionReplyOption, "reply-to-other-option", h.Option, expect(o.option))
	case j.client.mode != following:
		// What the client asked is unknown.
	default:
		j.accuse(p, optionReplyType, "reply-without-option", h.Type, h.Option)
	}
	return o
}

// replyData collects the data of an option reply.
type replyData struct {
	judge  *Judge
	header wire.OptionReplyHeader
	place  place
	option *option // that is answered, or nil
	b      []byte
	n      int
}

func (d *replyData) data(b []byte) int {
	d.n += len(b)
	if d.n <= maxOption {
		d.b = append(d.b, b...)
	}
	return len(b)
}

func (d *replyData) end() {
	j, o, t := d.judge, d.option, d.header.Type
	if t.IsError() {
		if d.n > 0 {
			j.judgeString(d.place, result.Term("text-of-reply", t), string(d.b))
			j.log.say(d.place.msg, fmt.Sprintf("%v to %v: %q", t, d.header.Option, clip(string(d.b))))
		}
	} else if t == wire.RepAck {
		if j.broken(ackLayout, d.n == 0) {
			j.accuse(d.place, ackLayout, "ack-with-data", d.n)
		}
	}
	if o == nil {
		return
	}
	j.judgeFit(d.place, o, t)
	switch t {
	case wire.RepServer:
		j.serverReply(d)
	case wire.RepInfo:
		j.infoReply(d)
	case wire.RepMetaContext:
		j.metaReply(d)
	}
	if !t.IsFinal() {
		o.replies++
		return
	}
	j.final(d.place, o, t)
}

// serverReply judges the data of NBD_REP_SERVER.
func (j *Judge) serverReply(d *replyData) {
	if d.n > maxOption {
		return
	}
	r, err := wire.ParseServerReply(d.b)
	if j.broken(listName, err == nil) {
		j.accuse(d.place, listName, "server-reply-layout", err)
		return
	}
	j.log.say(d.place.msg, fmt.Sprintf("NBD_REP_SERVER %q %q", clip(r.Name), clip(r.Details)))
	j.judgeString(d.place, result.Term("export-name"), r.Name)
	j.judgeString(d.place, result.Term("text-behind-export-name"), r.Details)
}

// implemented are the options that every server has, by the check for it.
var implemented = map[wire.Option]check{
	wire.OptList: listImplemented, wire.OptInfo: infoImplemented, wire.OptGo: goImplemented,
}

// judgeFit asks whether a reply of type t can be an answer to o at all.
func (j *Judge) judgeFit(p place, o *option, t wire.ReplyType) {
	if !j.fixed() {
		return // whether a server honours options then is up to it
	}
	fits := t.IsError() || t == wire.RepAck
	c := optionReplyType
	switch o.option {
	case wire.OptList:
		c, fits = listReplies, fits || t == wire.RepServer
	case wire.OptInfo, wire.OptGo:
		fits = fits || t == wire.RepInfo
	case wire.OptListMetaContext:
		c, fits = listMetaReply, fits || t == wire.RepMetaContext
	case wire.OptSetMetaContext:
		c, fits = setMetaReply, fits || t == wire.RepMetaContext
	case wire.OptStartTLS:
		c = startTLSReply
	case wire.OptAbort:
		j.judgeAbort(p, o, t)
		return
	case wire.OptExportName: // judged where it was noticed
		return
	case wire.OptStructuredReply, wire.OptExtendedHeaders:
	default:
		j.judgeUnknown(p, o, t)
		return
	}
	if j.broken(c, fits) {
		j.accuse(p, c, "reply-type-of-other-option", t, o.option)
	}
	if o.option == wire.OptGo && j.extended {
		if j.broken(goExtended, t != wire.RepErrUnsup) {
			j.accuse(p, goExtended, "go-unsupported-with-extended-headers", t)
		}
	} else if c, ok := implemented[o.option]; ok && j.broken(c, t != wire.RepErrUnsup) {
		j.accuse(p, c, "required-option-not-implemented", o.option)
	}
}

// judgeAbort judges an answer to NBD_OPT_ABORT. Whether a FORCEDTLS server
// may ask for TLS here is disputed, so it may.
func (j *Judge) judgeAbort(p place, o *option, t wire.ReplyType) {
	ok := t == wire.RepAck || t == wire.RepErrTLSReqd && !j.tls && j.modes&modeForced != 0
	c := abortAck
	if o.length > 0 {
		c = abortDataIgnored
	}
	if j.broken(c, ok) {
		j.accuse(p, c, "abort-not-acknowledged", t)
	}
}

// judgeUnknown judges an answer to an option that the document does not know.
func (j *Judge) judgeUnknown(p place, o *option, t wire.ReplyType) {
	ok := false
	switch t {
	case wire.RepErrUnsup, wire.RepErrShutdown, wire.RepErrTLSReqd: // the last is judged elsewhere
		ok = true
	case wire.RepErrTooBig:
		ok = o.length > wire.MaxString
	}
	if j.broken(unknownOption, ok) {
		j.accuse(p, unknownOption, "unknown-option-not-unsupported", o.option, t)
	}
}

// final ends the answer to o with a reply of type t.
func (j *Judge) final(p place, o *option, t wire.ReplyType) {
	described := j.described
	j.described = nil
	j.remove(o)
	j.judgeMode(p, o, t)
	j.judgeExtHeaderReqd(p, o, t)
	if j.closing && o.option != wire.OptAbort && j.broken(shutdownOptions, t == wire.RepErrShutdown) {
		j.accuse(p, shutdownOptions, "reply-other-than-shutdown", o.option, t)
	}
	j.shutdown = t == wire.RepErrShutdown
	j.closing = j.closing || j.shutdown
	dataInvalid := func(c check) {
		if o.length > 0 && j.broken(c, t != wire.RepAck) {
			j.accuse(p, c, "option-with-data-acknowledged", o.option, o.length)
		}
	}
	switch o.option {
	case wire.OptAbort:
		j.aborted = true
	case wire.OptList:
		dataInvalid(listDataInvalid)
	case wire.OptStructuredReply:
		dataInvalid(structuredDataInvalid)
		j.structured = j.structured || t == wire.RepAck
	case wire.OptExtendedHeaders:
		dataInvalid(extendedDataInvalid)
		j.extended = j.extended || t == wire.RepAck
	case wire.OptStartTLS:
		j.finalStartTLS(t)
	case wire.OptListMetaContext:
		j.finalListMeta(p, o, t)
	case wire.OptSetMetaContext:
		j.finalSetMeta(p, o, t)
	case wire.OptInfo, wire.OptGo:
		j.finalInfo(p, o, t, described)
	}
	if !j.entering() && j.phase == phaseHaggling {
		j.release(&j.client)
	}
}

// exportNameReply handles the answer to NBD_OPT_EXPORT_NAME, which has no header.
func (j *Judge) exportNameReply(o *option, b []byte) int {
	s := &j.server
	if len(b) < wire.ExportNameReplySize {
		return 0
	}
	if h, _, err := wire.ParseOptionReplyHeader(b); err == nil && h.Option == wire.OptExportName {
		n := j.optionReply(b)
		j.accuse(s.here(), exportNameRefused, "option-reply-to-export-name", h.Type)
		return n
	} else if errors.Is(err, io.ErrUnexpectedEOF) {
		return 0 // an export size that begins as an option reply does, so far
	}
	e, n, err := wire.ParseExportNameReply(b[:wire.ExportNameReplySize], false)
	if err != nil {
		return 0
	}
	j.judgeDropped()
	j.remove(o)
	j.leaving = true
	var rest uint64
	var sink sink
	if !j.noZeroes() {
		rest, sink = wire.ReservedZeroes, &zeroes{judge: j}
	}
	j.open(s, KindExportNameReply, b[:n], rest, sink)
	j.log.say(s.msg, fmt.Sprintf("answer to NBD_OPT_EXPORT_NAME size %d flags %v", e.Size, e.Flags))
	j.export = export{size: e.Size, flags: e.Flags}
	j.judgeFlags(s.here(), e.Flags)
	j.judgeEntry(o)
	if j.noZeroes() {
		j.padding = handshakeNoZeroes
		j.enter()
	}
	return n
}

// zeroes looks at the reserved zeroes behind the answer to NBD_OPT_EXPORT_NAME.
type zeroes struct {
	judge *Judge
	seen  bool // one was there
	told  bool // of one that was none
}

func (z *zeroes) data(b []byte) int {
	j := z.judge
	i := slices.IndexFunc(b, func(c byte) bool { return c != 0 })
	switch {
	case i < 0:
	case i == 0 && !z.seen: // left out: what comes is a reply
		j.accuse(j.server.here(), reservedZeroes, "reserved-zeroes-missing", j.offered, j.accepted, b[0])
		return 0
	case !z.told:
		z.told = true
		j.accuse(j.server.here(), reservedZeroes, "reserved-zeroes-not-zero", b[i])
	}
	z.seen = true
	return len(b)
}

func (z *zeroes) end() {
	z.judge.broken(reservedZeroes, true)
	z.judge.enter()
}

func hasNUL(s string) bool { return strings.IndexByte(s, 0) >= 0 }

// clip shortens what is only shown.
func clip(s string) string {
	if len(s) > 80 {
		return s[:77] + "..."
	}
	return s
}
