package judge

import (
	"encoding/binary"
	"errors"
	"io"

	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// enter begins the transmission phase.
func (j *Judge) enter() {
	j.phase = phaseTransmission
	j.leaving = false
	j.described = nil
	if n := len(j.queue); n > 0 { // options that were sent behind the one that ended haggling
		j.queue = nil
		j.stray(&j.client, result.Term("options-sent-ahead"))
		j.stray(&j.server, result.Term("answered-option-unknown"))
		return
	}
	j.release(&j.client)
}

// judgeEntry drops metadata contexts that were selected for another export.
func (j *Judge) judgeEntry(o *option) {
	if !o.whole || o.faulty {
		j.selected.unknown = true
	} else if j.selected.export != o.info.Export {
		j.selected.ids = nil
	}
}

// reply handles a reply of the server in the transmission phase.
func (j *Judge) reply(b []byte) int {
	p, n, err := wire.ParseReply(b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return 0
	}
	if err != nil {
		return j.noReply(b, err)
	}
	j.broken(replyMagic, true)
	if j.padding != 0 {
		j.broken(j.padding, true)
		j.padding = 0
	}
	if p.Magic == wire.SimpleReplyMagic {
		return j.simpleReply(p.Simple, b[:n])
	}
	return j.chunkReply(p.Magic, p.Chunk, b[:n])
}

// noReply handles bytes that are no reply: zeroes behind the answer that ended
// haggling, or the end of what can be followed.
func (j *Judge) noReply(b []byte, err error) int {
	s := &j.server
	const word = 4
	if j.padding != 0 && binary.BigEndian.Uint32(b) == 0 {
		j.open(s, KindPadding, b[:word], wire.ReservedZeroes-word, &padding{judge: j})
		j.log.say(s.msg, "124 bytes of padding")
		j.accuse(s.here(), j.padding, "zeroes-before-first-reply")
		j.padding = 0
		return word
	}
	j.lose(replyMagic, "reply-magic", err)
	return 0
}

// padding skips zeroes that have no place where they are.
type padding struct{ judge *Judge }

func (d *padding) data(b []byte) int {
	for i, c := range b {
		if c != 0 {
			return i
		}
	}
	return len(b)
}

func (d *padding) end() {}

// match returns the request that a reply with a cookie answers, or nil. over
// says that the request had its whole answer before.
func (j *Judge) match(p place, cookie uint64, simple bool) (r *request, over bool) {
	j.broken(cookieEcho, true)
	same := j.pending[cookie]
	for _, r := range same {
		if simple == (r.answer.chunks == 0) {
			return r, false
		}
	}
	if len(same) > 0 {
		return same[0], false
	}
	if j.disc != nil && cookie == j.disc.Cookie {
		if j.disc.faults&(unknownFlag|strayFlag) == 0 { // which NBD_EINVAL is due for, whatever the command
			j.accuse(p, discNoReply, "reply-to-disc")
		}
		return j.disc, true
	}
	unsure := j.crowded || j.client.mode != following
	if r := j.ended.find(cookie); r != nil {
		if unsure {
			return r, true
		}
		c := cookieEcho
		if !simple && r.answer.chunks > 0 {
			c = chunkDoneClear
		}
		j.accuse(p, c, "reply-to-answered-request", cookie, r.Type)
		return r, true
	}
	switch {
	case unsure:
	case j.disc != nil && j.waiting == 0:
		j.accuse(p, discClose, "reply-after-disc", cookie)
	default:
		j.accuse(p, cookieEcho, "reply-to-no-pending-request", cookie, j.waiting)
		if j.waiting == 1 {
			for _, only := range j.pending {
				only[0].quiet = true
				return only[0], false
			}
		}
	}
	return nil, false
}

// simpleReply handles a simple reply.
func (j *Judge) simpleReply(m wire.SimpleReply, b []byte) int {
	s := &j.server
	j.open(s, KindSimpleReply, b, 0, nil)
	at := s.here()
	if j.extended {
		j.accuse(at, extendedNoSimple, "simple-reply-with-extended-headers")
	}
	r, over := j.match(at, m.Cookie, true)
	if r == nil {
		if (m.Error == wire.OK || !j.opts.Dialect.Chunks()) && j.maybeData() {
			j.unfollow(result.Term("data-behind-reply-unknown", m.Cookie))
		}
		return len(b)
	}
	if r.mixed && (m.Error == wire.OK || !j.opts.Dialect.Chunks()) {
		j.unfollow(result.Term("answered-request-unknown", m.Cookie))
		return len(b)
	}
	if r.Type == wire.CmdRead && m.Error == wire.OK {
		s.rest = r.Length
		j.log.grow(s.msg, r.Length)
	}
	if j.isLBAStatus(r) {
		j.lbaFollows(r, m.Error == wire.OK && !over && !r.quiet && !r.ambiguous)
	}
	if over {
		return len(b)
	}
	j.drop(r)
	if !r.quiet {
		j.judgeSimple(at, r, m)
	}
	return len(b)
}

// judgeSimple judges a simple reply to r.
func (j *Judge) judgeSimple(p place, r *request, m wire.SimpleReply) {
	switch {
	case j.extended, !j.structured, r.ambiguous:
	case j.isLBAStatus(r):
	case r.Type == wire.CmdRead:
		j.accuse(p, readStructured, "simple-reply-to-structured-read")
	case r.Type == wire.CmdBlockStatus && m.Error == wire.OK:
		j.accuse(p, statusStructured, "simple-success-of-block-status")
		return
	}
	if r.answer.chunks > 0 {
		j.accuse(p, chunkDoneLast, "simple-reply-after-chunks", r.answer.chunks)
	}
	if (r.Type == wire.CmdRead || j.isLBAStatus(r)) && m.Error != wire.OK {
		j.failed = true
	}
	j.outcome(p, r, m.Error != wire.OK, m.Error)
}

// maybeData reports whether data could follow a simple reply to a request that
// the judge does not know.
func (j *Judge) maybeData() bool {
	if j.structured || j.extended {
		return false
	}
	if j.crowded || j.client.mode != following {
		return true
	}
	for _, same := range j.pending {
		for _, r := range same {
			if r.Type == wire.CmdRead || j.isLBAStatus(r) {
				return true
			}
		}
	}
	return false
}

// unlike reports whether the pending requests with a cookie would be followed
// by different amounts of data.
func (j *Judge) unlike(cookie uint64) bool {
	same := j.pending[cookie]
	size := func(r *request) uint64 {
		if r.Type == wire.CmdRead {
			return r.Length
		}
		if j.isLBAStatus(r) {
			return 1<<64 - 1 // it will say
		}
		return 0
	}
	for _, r := range same {
		if size(r) != size(same[0]) {
			return true
		}
	}
	return false
}

// unfollow gives the server's stream up behind the current header. The cause is
// the last violation, if the server has any part in it.
func (j *Judge) unfollow(why result.Value) {
	s := &j.server
	if n := len(j.violations); n > 0 && j.violations[n-1].Message == s.msg {
		j.lostBy = j.violations[n-1].Clause
	}
	s.unfollow = why
}
