package judge

import (
	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// modes are TLS modes of a server, section "TLS support". The judge is not
// told the mode: it keeps those that agree with every answer so far.
type modes uint8

const (
	modeNone      modes = 1 << iota // NOTLS
	modeForced                      // FORCEDTLS
	modeSelective                   // SELECTIVETLS
)

// judgeMode asks whether any mode is left that has o answered by t.
func (j *Judge) judgeMode(p place, o *option, t wire.ReplyType) {
	if j.tls {
		if j.broken(tlsReqdAfter, t != wire.RepErrTLSReqd) {
			j.accuse(p, tlsReqdAfter, "tls-reqd-within-tls", o.option)
		}
		if o.option == wire.OptStartTLS && j.broken(startTLSAgainServer, t == wire.RepErrInvalid) {
			j.accuse(p, startTLSAgainServer, "starttls-within-tls-not-rejected", t)
		}
		return
	}
	if !j.fixed() {
		starts := o.option == wire.OptStartTLS && t == wire.RepAck
		if j.broken(tlsModeNotFixed, t != wire.RepErrTLSReqd && !starts) {
			j.accuse(p, tlsModeNotFixed, "tls-reply-without-fixed-newstyle", o.option, t)
		}
		return
	}
	if o.option == wire.OptStartTLS && t == wire.RepErrTLSReqd {
		j.accuse(p, startTLSReply, "starttls-answered-by-tls-reqd")
		return
	}
	j.narrow(p, j.agreeing(o, t), o.option, t)
}

// agreeing returns the modes in which a server may answer o by t. Errors that
// any mode knows a reason for tell nothing.
func (j *Judge) agreeing(o *option, t wire.ReplyType) modes {
	const all = modeNone | modeForced | modeSelective
	switch o.option {
	case wire.OptAbort:
		return all
	case wire.OptStartTLS:
		switch t {
		case wire.RepAck:
			return modeForced | modeSelective
		case wire.RepErrUnsup, wire.RepErrPolicy, wire.RepErrPlatform:
			if o.length == 0 {
				return modeNone
			}
		}
		return all
	case wire.OptInfo, wire.OptGo:
		switch t {
		case wire.RepErrTLSReqd:
			return modeForced | modeSelective
		case wire.RepAck, wire.RepErrUnknown, wire.RepErrBlockSizeReqd:
			return modeNone | modeSelective
		}
		return all
	}
	switch t {
	case wire.RepErrTLSReqd:
		return modeForced
	case wire.RepAck, wire.RepErrUnsup:
		return modeNone | modeSelective
	}
	return all
}

// narrow keeps the modes that agree.
func (j *Judge) narrow(p place, agree modes, o wire.Option, t wire.ReplyType) {
	left := j.modes & agree
	if j.broken(tlsModeConsistent, left != 0) {
		j.accuse(p, tlsModeConsistent, "tls-mode-inconsistent", o, t, agree, expect(j.modes))
		left = agree
	}
	j.modes = left
}

func (m modes) String() string {
	var s string
	for i, name := range []string{"NOTLS", "FORCEDTLS", "SELECTIVETLS"} {
		if m&(1<<i) != 0 {
			if s != "" {
				s += " or "
			}
			s += name
		}
	}
	return s
}

// Decrypted tells that the bytes given from here on are the plain text from
// within TLS, as [Options].Decrypted does beforehand: the handshake is done, and
// was kept from the judge. Without an acknowledged NBD_OPT_STARTTLS it has no effect.
func (j *Judge) Decrypted() {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.client.mode != opaque || j.server.mode != opaque {
		return
	}
	j.tls = true
	for _, s := range []*stream{&j.client, &j.server} {
		s.mode, s.fresh = following, false
	}
}

// finalStartTLS forgets what was negotiated and leaves the plain text behind.
// Options that came in the clear behind NBD_OPT_STARTTLS are void: nobody may
// answer them.
func (j *Judge) finalStartTLS(t wire.ReplyType) {
	if t != wire.RepAck || j.tls {
		return
	}
	j.structured, j.extended = false, false
	j.selected, j.described = selection{}, nil
	for _, o := range j.queue {
		j.void = append(j.void, o.option)
	}
	j.queue = nil
	j.clear = j.options
	if j.opts.Decrypted {
		j.tls = true
		return
	}
	for _, s := range []*stream{&j.client, &j.server} {
		s.mode, s.fresh = opaque, len(s.buf) == 0
		s.pos += int64(len(s.buf))
		s.buf, s.rest, s.sink = nil, 0, nil
		s.msg = j.log.add(s.side, s.pos, KindTLS, nil, 0)
	}
}

// judgeTLS looks at the first byte behind the acknowledgement of NBD_OPT_STARTTLS,
// which opens a record of one of the types 20 to 24 of RFC 5246 and RFC 6520.
func (j *Judge) judgeTLS(s *stream, first byte) {
	s.fresh = false
	c := tlsUpgradeServer
	if s.side == clause.Client {
		c = tlsUpgradeClient
	}
	if s.mode == opaque && j.broken(c, first >= 20 && first <= 24) {
		s.start = s.pos
		j.accuse(s.here(), c, "first-byte-not-tls", first)
	}
}
