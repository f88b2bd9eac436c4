package judge

import (
	"fmt"

	"nbdconform/conformance/clause"
	"nbdconform/reference/wire"
)

// requestText decodes a request from its bytes.
func requestText(b []byte) string {
	q, n, err := wire.ParseRequest(b)
	if err != nil {
		q, n, err = wire.ParseExtendedRequest(b)
	}
	if err != nil {
		return err.Error()
	}
	if n == wire.ExtendedRequestSize {
		return "extended " + q.String()
	}
	return q.String()
}

// CookieAt is where a request or a reply has its cookie.
const CookieAt = 8

// HasCookie reports whether a message is a request or a reply.
func HasCookie(m Message) bool {
	if m.Side == clause.Server {
		_, _, err := wire.ParseReply(m.Raw)
		return err == nil
	}
	_, _, compact := wire.ParseRequest(m.Raw)
	_, _, extended := wire.ParseExtendedRequest(m.Raw)
	return compact == nil || extended == nil
}

// HeadOfData is how many bytes of a message precede the contents of the export
// in it, or 0 where it is no reply that carries any.
func HeadOfData(m Message) uint64 {
	if m.Side != clause.Server {
		return 0
	}
	p, n, err := wire.ParseReply(m.Raw)
	switch {
	case err != nil:
		return 0
	case p.Magic == wire.SimpleReplyMagic:
		return uint64(n)
	case p.Chunk.Type == wire.ChunkOffsetData:
		return uint64(n) + 8
	}
	return 0
}

// replyText decodes a reply from its header and the first bytes of its payload.
func replyText(b []byte) string {
	p, n, err := wire.ParseReply(b)
	if err != nil {
		return err.Error()
	}
	if p.Magic == wire.SimpleReplyMagic {
		return p.Simple.String()
	}
	h, payload := p.Chunk, b[n:]
	text := fmt.Sprintf("%v flags %v cookie %#x length %d", h.Type, h.Flags, h.Cookie, h.Length)
	if p.Magic == wire.ExtendedReply {
		text = fmt.Sprintf("extended %s offset %d", text, h.Offset)
	}
	whole := uint64(len(payload)) == h.Length
	switch {
	case h.Type == wire.ChunkOffsetData:
		if d, err := wire.ParseOffsetData(payload); err == nil {
			text += fmt.Sprintf(": %d bytes at %d", h.Length-8, d.Offset)
		}
	case h.Type == wire.ChunkOffsetHole:
		if d, err := wire.ParseOffsetHole(payload); err == nil {
			text += fmt.Sprintf(": %d bytes at %d", d.Size, d.Offset)
		}
	case h.Type == wire.ChunkBlockStatus && len(payload) >= 12:
		if s, err := wire.ParseBlockStatus(payload[:4+(len(payload)-4)/8*8]); err == nil {
			text += fmt.Sprintf(": context %d extents %v", s.ContextID, s.Extents)
		}
	case h.Type.IsError() && whole:
		if e, err := wire.ParseErrorChunk(h.Type, payload); err == nil {
			text += fmt.Sprintf(": %v %q", e.Error, e.Message)
			if offset, ok := e.Offset(); ok && h.Type == wire.ChunkErrorOffset {
				text += fmt.Sprintf(" at %d", offset)
			}
		}
	}
	return text
}
