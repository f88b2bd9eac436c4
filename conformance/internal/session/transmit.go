package session

import (
	"bytes"
	"context"
	"fmt"

	"nbdconform/conformance/internal/verdict"
	"nbdconform/reference/wire"
)

// Do sends a request, with a payload for NBD_CMD_WRITE, and waits for the
// whole reply. A zero Cookie is replaced by a fresh one.
func (s *Session) Do(q wire.Request, payload ...byte) Reply {
	return s.Await(s.Send(q, payload...))
}

// Send sends a request and returns its cookie. A zero Cookie is replaced by a fresh one.
func (s *Session) Send(q wire.Request, payload ...byte) (cookie uint64) {
	if q.Cookie == 0 {
		q.Cookie = s.next()
	}
	s.Expect(q)
	_, _ = s.patience(uint64(len(payload)), func(ctx context.Context) error {
		return s.raw.Send(ctx, s.Encode(q, payload...))
	})
	return q.Cookie
}

// Encode is a request as it goes out: in the form that was negotiated, where
// extended headers take NBD_CMD_FLAG_PAYLOAD_LEN with every NBD_CMD_WRITE.
func (s *Session) Encode(q wire.Request, payload ...byte) []byte {
	if !s.extended {
		return append(q.Append(nil), payload...)
	}
	if q.Type == wire.CmdWrite {
		q.Flags |= wire.CmdFlagPayloadLen
	}
	return append(q.AppendExtended(nil), payload...)
}

// Expect makes the session ready for the reply to a request that is sent by other means.
func (s *Session) Expect(q wire.Request) {
	if q.Type == wire.CmdRead || q.Type == wire.CmdWrite {
		s.attempt.payload = max(s.attempt.payload, q.Length)
	}
	s.awaiting[q.Cookie] = &Reply{Request: q}
}

// Await waits for the whole reply to the request with the cookie. Replies to
// other requests that come first are kept for their turn.
func (s *Session) Await(cookie uint64) Reply {
	r := s.awaiting[cookie]
	if r == nil {
		verdict.Harness("no-such-cookie", cookie)
	}
	for !r.done() {
		if s.broken != nil && s.ending(s.broken) == HungUp {
			s.broken = nil // a failed write: answers sent before may still be there
		}
		end, err := s.patience(min(r.Request.Length, maxAssembled), s.receive)
		if end != Complete {
			r.End, r.Err = end, err
			break
		}
	}
	delete(s.awaiting, cookie)
	return *r
}

func (r *Reply) done() bool { return r.Order > 0 }

// receive reads one simple reply or chunk and files it.
func (s *Session) receive(ctx context.Context) error {
	h, err := s.raw.ReplyHeader(ctx)
	if err != nil {
		return err
	}
	r := s.awaiting[h.Cookie()]
	if r == nil {
		return fmt.Errorf("a reply has cookie %#x, which no request in flight has", h.Cookie())
	}
	if r.done() {
		return fmt.Errorf("a second reply has cookie %#x", h.Cookie())
	}
	if h.Magic == wire.SimpleReplyMagic {
		r.Simple, r.Error = true, h.Simple.Error
		if r.Request.Type == wire.CmdRead && r.Error == wire.OK && !s.structured && !s.extended {
			r.Data, err = s.raw.Data(ctx, r.Request.Length)
			r.Covered = uint64(len(r.Data))
		}
		if s.isLBAStatus(r.Request) {
			err = s.lbaStatus(ctx, r)
		}
		s.complete(r)
		return err
	}
	c, err := s.raw.Chunk(ctx, h.Chunk)
	if err != nil {
		return err
	}
	if r.add(c); c.Flags&wire.ReplyFlagDone != 0 {
		s.complete(r)
	}
	return nil
}

// complete marks r as the next reply that came whole.
func (s *Session) complete(r *Reply) {
	s.completed++
	r.Order = s.completed
}

// Read returns n bytes at offset, in as many pieces as the maximum payload size
// calls for. The spec is blocked if the server does not give them.
func (s *Session) Read(offset, n uint64) []byte {
	if piece := s.piece(); n > piece {
		return append(s.Read(offset, piece), s.Read(offset+piece, n-piece)...)
	}
	r := s.Do(wire.Request{Type: wire.CmdRead, Offset: offset, Length: n})
	if !r.OK() || uint64(len(r.Data)) != n {
		verdict.Blocked(s.obstacle("baseline.server.read", r), "reading-bytes", n, offset, r)
	}
	return r.Data
}

// piece is the longest payload of whole blocks that the server takes.
func (s *Session) piece() uint64 {
	block := uint64(s.Constraints.Minimum)
	return max(uint64(s.Constraints.MaxPayload)/block, 1) * block
}

// Write writes b at offset, in as many pieces as the maximum payload size calls
// for. The spec is blocked if the server refuses.
func (s *Session) Write(offset uint64, b []byte) []byte {
	if piece := s.piece(); uint64(len(b)) > piece {
		s.Write(offset, b[:piece])
		s.Write(offset+piece, b[piece:])
		return b
	}
	r := s.Do(wire.Request{Type: wire.CmdWrite, Offset: offset, Length: uint64(len(b))}, b...)
	if !r.OK() {
		verdict.Blocked(s.obstacle("baseline.server.write", r), "writing-bytes", len(b), offset, r)
	}
	return b
}

// obstacle is the clause that a refusal of r stands for: a server that
// advertises no size constraints, and refuses what is no whole number of
// sectors, goes against a recommendation and no more.
func (s *Session) obstacle(otherwise string, r Reply) string {
	const sector = 512
	q := r.Request
	if s.Constraints == wire.DefaultSizeConstraints && r.Error == wire.EINVAL && (q.Offset|q.Length)%sector != 0 {
		return "size.default.minimum"
	}
	return otherwise
}

// Status returns the extents of base:allocation from offset on. The spec is
// blocked if the server does not give them.
func (s *Session) Status(offset, n uint64, flags wire.CommandFlags) []wire.Extent {
	r := s.Do(wire.Request{Type: wire.CmdBlockStatus, Flags: flags, Offset: offset, Length: n})
	for id, name := range s.Contexts {
		if e := r.Extents[id]; name == "base:allocation" && r.OK() && len(e) > 0 {
			return e
		}
	}
	verdict.Blocked("chunk.block-status.per-context", "asking-for-status", n, offset, r)
	return nil
}

// Disconnect sends NBD_CMD_DISC and waits for the server to end the connection.
func (s *Session) Disconnect() HangUp {
	q := wire.Request{Type: wire.CmdDisc, Cookie: s.next()}
	s.Raw(s.Encode(q))
	s.phase = over
	return s.End()
}

// Pattern is n bytes that differ from offset to offset, from run to run of a
// spec by seed, and are never zero.
func Pattern(seed byte, n uint64) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i) ^ byte(i>>8) ^ seed
		if b[i] == 0 {
			b[i] = 0xa5
		}
	}
	return b
}

// Zeroes reports whether all of b is zero.
func Zeroes(b []byte) bool { return len(bytes.Trim(b, "\x00")) == 0 }
