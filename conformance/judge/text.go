package judge

import (
	"fmt"

	"nbdconform/reference/wire"
)

// decoded is the text of a request or a reply.
func (m Message) decoded() string {
	v, n := m.parsed()
	switch v := v.(type) {
	case wire.Request:
		if m.Kind == KindExtendedRequest {
			return "extended " + v.String()
		}
		return v.String()
	case wire.SimpleReply:
		return v.String()
	case wire.ChunkHeader:
		return chunkText(m.Kind, v, m.Raw[n:])
	}
	return ""
}

// chunkText decodes a chunk from its header and the first bytes of its payload.
func chunkText(k Kind, h wire.ChunkHeader, payload []byte) string {
	text := fmt.Sprintf("%v flags %v cookie %#x length %d", h.Type, h.Flags, h.Cookie, h.Length)
	if k == KindExtendedChunk {
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
