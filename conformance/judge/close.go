package judge

import (
	"errors"
	"fmt"
	"io"

	"nbdconform/reference/wire"
)

// ClientClosed tells that the client ended its direction: err is nil or io.EOF
// if it did so in order.
func (j *Judge) ClientClosed(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := &j.client
	if s.closed {
		return
	}
	p := j.closed(s, err)
	if !orderly(err) || j.server.closed || j.serverBroke() || s.mode != following || j.lost || j.unsized || j.overlong {
		return
	}
	switch {
	case j.phase == phaseHaggling && j.tls && j.options == j.clear:
		// It may not like the certificate, which is a handshake that failed.
	case j.phase == phaseHaggling && j.fixed() && j.mustDrop == 0:
		ends := j.aborted
		for _, o := range j.queue {
			ends = ends || o.option == wire.OptAbort || o.option == wire.OptExportName
		}
		if j.broken(haggleHangUpClient, ends) {
			j.accuse(p, haggleHangUpClient, "client-closes-without-abort")
		}
	case j.phase == phaseTransmission:
		if j.broken(hangUpClient, j.disc != nil) {
			j.accuse(p, hangUpClient, "client-closes-without-disc")
		}
	}
}

// ServerClosed tells that the server ended its direction: err is nil or io.EOF
// if it did so in order. After a reset it is not known what the server sent last.
func (j *Judge) ServerClosed(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := &j.server
	if s.closed {
		return
	}
	if j.phase == phaseGreeting && s.mode == following && len(s.buf) > 0 {
		_, _, newstyle := wire.ParseGreeting(s.buf)
		_, _, oldstyle := wire.ParseOldGreeting(s.buf)
		if !errors.Is(newstyle, io.ErrUnexpectedEOF) && !errors.Is(oldstyle, io.ErrUnexpectedEOF) {
			j.lose(greetingLayout, "greeting-magic", newstyle)
		}
	}
	p := j.closed(s, err)
	if !orderly(err) || j.client.closed || j.clientBroke() || s.mode != following || j.client.mode == astray {
		return
	}
	switch j.phase {
	case phaseHaggling:
		j.serverLeavesHaggling(p)
	case phaseTransmission:
		j.serverLeaves(p)
	}
}

func orderly(err error) bool { return err == nil || errors.Is(err, io.EOF) }

// closed puts the end of a direction into the transcript.
func (j *Judge) closed(s *stream, err error) place {
	s.closed = true
	text := "closes"
	if !orderly(err) {
		text = fmt.Sprintf("closes: %v", err)
	}
	if n := len(s.buf); n > 0 {
		text += fmt.Sprintf(", %d bytes into a message", n)
	} else if s.rest > 0 {
		text += fmt.Sprintf(", %d bytes before the end of a message", s.rest)
	}
	i := j.log.add(s.side, s.pos, KindEnd, s.buf, uint64(len(s.buf)))
	j.log.say(i, text)
	return place{s.side, s.pos, i}
}

// serverLeavesHaggling judges a server that hangs up during haggling. A server
// that nobody asked anything may have tired of waiting.
func (j *Judge) serverLeavesHaggling(p place) {
	o := j.oldest()
	if o == nil || !o.whole || j.mustDrop != 0 || !j.fixed() || o.length > wire.MaxString+64 || j.options > flood {
		return
	}
	switch o.option {
	case wire.OptExportName: // has no other way to refuse
	case wire.OptAbort:
		j.accuse(p, abortAck, "server-closes-on-abort")
	default:
		j.accuse(p, haggleHangUpServer, "server-closes-on-option", o.option)
	}
}

// serverLeaves judges a server that hangs up in the transmission phase. Short
// of a violation of the client's it may only be shutting down, and then it
// waits for the requests in flight.
func (j *Judge) serverLeaves(p place) {
	if j.crowded {
		return
	}
	if j.disc != nil {
		j.judgeUnfinished(p)
		if j.broken(discOutstanding, j.waiting == 0) {
			j.accuse(p, discOutstanding, "server-closes-on-disc-with-requests-pending", j.waiting)
		}
		return
	}
	if d, ok := j.server.sink.(*readData); ok && j.server.rest > 0 && !d.over && !j.unsized {
		j.accuse(p, readFinishChunk, "server-closes-within-offset-data", j.server.rest)
		return
	}
	if j.waiting == 0 || j.failed || j.eshut || j.unsized || j.server.rest > 0 {
		return
	}
	if j.waiting == 1 {
		for _, same := range j.pending {
			r := same[0]
			c, ok := zeroLength[r.Type]
			switch {
			case ok && r.Length == 0:
				j.accuse(p, c.stay, "server-closes-on-length-zero", r.Type)
				return
			case r.ranged() && r.Type != wire.CmdRead && r.Type != wire.CmdWrite && r.Length > j.export.maxPayload():
				j.accuse(p, effectStay, "server-closes-on-length-beyond-payload", r.Type, r.Length, j.export.maxPayload())
				return
			}
		}
	}
	j.accuse(p, shutdownWait, "server-closes-with-requests-pending", j.waiting)
}

// judgeUnfinished judges replies to NBD_CMD_READ that said everything and had
// no final chunk by the time the server hung up.
func (j *Judge) judgeUnfinished(p place) {
	for _, same := range j.pending {
		for _, r := range same {
			if a := &r.answer; r.Type == wire.CmdRead && a.chunks > 0 && !a.coarse && a.covered.total == r.Length && !r.quiet {
				j.accuse(p, chunkDoneLast, "server-closes-before-final-chunk", r.Cookie, a.chunks)
			}
		}
	}
}
