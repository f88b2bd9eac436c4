package judge

import (
	"nbdconform/conformance/clause"
	"nbdconform/reports/result"
)

// A mode is what is done with the bytes of a stream.
type mode uint8

const (
	following mode = iota // cut into messages
	holding               // kept until the other side has said what they mean
	opaque                // counted: within TLS
	astray                // counted: where the next message starts is unknown
)

// A stream is one direction of the connection.
type stream struct {
	side     clause.Side
	header   func(b []byte) int // handles the header at the start of b; returns its size, or 0 if more is needed
	mode     mode
	pos      int64        // bytes before the current message's unread part
	start    int64        // where the current message starts
	msg      int          // index of the current message in the transcript
	buf      []byte       // a header that is not complete yet
	held     []byte       // while holding
	rest     uint64       // bytes of payload still to come
	sink     sink         // what looks at the payload; nil: nothing does
	closed   bool         // this direction has ended
	unfollow result.Value // why the stream is given up behind the current header, or none
	fresh    bool         // nothing came since TLS was to start
}

// A sink looks at a payload as it passes.
type sink interface {
	// data gets the next bytes of the payload and returns how many of them
	// belong to it; fewer than all of them ends the payload.
	data(b []byte) int
	// end is called when the payload is complete.
	end()
}

const (
	maxHeader = 256     // no fixed part of a message is longer
	maxHeld   = 1 << 20 // bytes that are held
)

// feed follows s through b.
func (j *Judge) feed(s *stream, b []byte) {
	for len(b) > 0 {
		switch {
		case s.mode == opaque || s.mode == astray:
			if s.fresh {
				j.judgeTLS(s, b[0])
			}
			s.pos += int64(len(b))
			j.log.extend(s.msg, b)
			return
		case s.mode == holding:
			if len(s.held)+len(b) > maxHeld {
				j.stray(s, result.Term("held-beyond-limit"))
				continue
			}
			s.held = append(s.held, b...)
			return
		case s.rest > 0:
			b = b[j.payload(s, b):]
		default:
			b = j.message(s, b)
		}
	}
}

// payload gives the next bytes of the current payload to its sink, and returns how many it took.
func (j *Judge) payload(s *stream, b []byte) int {
	b = b[:min(s.rest, uint64(len(b)))]
	n := len(b)
	if s.sink != nil {
		if n = s.sink.data(b); s.mode != following {
			return 0 // what it saw led the judge astray
		}
	}
	j.log.extend(s.msg, b[:n])
	s.pos += int64(n)
	s.rest -= uint64(n)
	if n < len(b) {
		s.rest = 0
	}
	if s.rest == 0 {
		j.finish(s)
	}
	return n
}

// finish ends the current payload.
func (j *Judge) finish(s *stream) {
	if sink := s.sink; sink != nil {
		s.sink = nil
		sink.end()
	}
}

// message handles the header at the start of b, or keeps b until there is
// more of it, and returns what follows.
func (j *Judge) message(s *stream, b []byte) []byte {
	s.start = s.pos
	had := len(s.buf)
	in := b
	if had > 0 {
		s.buf = append(s.buf, b[:min(len(b), maxHeader-had)]...)
		in = s.buf
	}
	n := s.header(in)
	switch {
	case s.mode == holding: // header changed it
		s.held = append(s.held, s.buf[:had]...)
		s.buf = s.buf[:0]
		return b
	case s.mode != following:
		s.buf = s.buf[:0]
		j.log.extend(s.msg, in[:had])
		s.pos += int64(had)
		return b
	case n == 0:
		if had == 0 {
			s.buf = append(s.buf[:0], b...)
		}
		return nil
	}
	s.pos += int64(n)
	if why := s.unfollow; why.Type != "" {
		s.unfollow = result.Value{}
		j.stray(s, why)
	}
	if n >= had {
		s.buf = s.buf[:0]
	} else { // the header turned out shorter than what was kept of it
		left := append([]byte(nil), s.buf[n:had]...)
		s.buf = s.buf[:0]
		if s.rest == 0 {
			j.finish(s)
		}
		j.feed(s, left)
		return b
	}
	if s.rest == 0 {
		j.finish(s)
	}
	return b[n-had:]
}

// open starts a message in the transcript: a header, with rest bytes of
// payload to come that sink looks at.
func (j *Judge) open(s *stream, k Kind, header []byte, rest uint64, sink sink) {
	s.rest, s.sink = rest, sink
	s.msg = j.log.add(s.side, s.start, k, header, uint64(len(header))+rest)
}

// release lets go what was held of s.
func (j *Judge) release(s *stream) {
	if s.mode != holding {
		return
	}
	held := s.held
	s.mode, s.held = following, nil
	j.feed(s, held)
}

// stray gives s up: what is a message in it can't be told any more.
func (j *Judge) stray(s *stream, why result.Value) {
	s.mode, s.rest, s.sink = astray, 0, nil
	s.msg = j.log.add(s.side, s.pos, KindStray, nil, 0)
	j.log.explain(s.msg, why)
	held := s.held
	s.held = nil
	s.pos += int64(len(held))
	j.log.extend(s.msg, held)
	if s.side == clause.Server {
		j.lost = true
	}
}

// lose gives the server's stream up because of c.
func (j *Judge) lose(c check, code string, values ...any) {
	s := &j.server
	j.stray(s, result.Term("see-violation"))
	j.lostBy = table[c].id
	j.accuse(place{s.side, s.start, s.msg}, c, code, values...)
}
