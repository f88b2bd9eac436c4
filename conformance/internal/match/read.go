package match

import (
	"nbdconform/conformance/internal/session"
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// AsSimpleReply asks for a simple reply.
func AsSimpleReply() Property {
	return Property{result.Term("reply.simple"), func(r session.Reply) result.Value {
		if !r.Simple {
			return result.Term("got.chunks", len(r.Chunks))
		}
		return result.Nothing
	}}
}

// AsChunks asks for a structured reply.
func AsChunks() Property {
	return Property{result.Term("reply.chunks"), func(r session.Reply) result.Value {
		if r.Simple {
			return result.Term("got.simple-reply")
		}
		return result.Nothing
	}}
}

// WithLength asks for success and n bytes, whatever they are.
func WithLength(n uint64) Property {
	return Property{result.Term("reply.length", n), func(r session.Reply) result.Value {
		switch {
		case r.Error != wire.OK:
			return result.Term("got", r.Error)
		case r.Covered != n:
			return result.Term("got.bytes", r.Covered)
		}
		return result.Nothing
	}}
}

// InOnePiece asks for a single content chunk, if the reply is a success.
func InOnePiece() Property {
	return Property{result.Term("reply.one-content-chunk"), func(r session.Reply) result.Value {
		if n := len(content(r)); n != 1 && r.Error == wire.OK {
			return result.Term("got.content-chunks", n)
		}
		return result.Nothing
	}}
}

// WithoutContent asks that no content chunk comes.
func WithoutContent() Property {
	return Property{result.Term("reply.no-content"), func(r session.Reply) result.Value {
		if n := len(content(r)); n > 0 {
			return result.Term("got.content-chunks", n)
		}
		return result.Nothing
	}}
}

// OnMultiplesOf asks that all content chunks start and end at multiples of n bytes.
func OnMultiplesOf(n uint64) Property {
	return Property{result.Term("reply.chunks-on-multiples", n), func(r session.Reply) result.Value {
		for _, c := range content(r) {
			offset, length := extent(c)
			if offset%n != 0 || length%n != 0 {
				return result.Term("got.chunk-at", length, offset)
			}
		}
		return result.Nothing
	}}
}

// content are the content chunks of a reply.
func content(r session.Reply) (list []wire.Chunk) {
	for _, c := range r.Chunks {
		if c.Type.IsContent() {
			list = append(list, c)
		}
	}
	return list
}

// extent is what a content chunk is about.
func extent(c wire.Chunk) (offset, length uint64) {
	if c.Type == wire.ChunkOffsetHole {
		h, _ := wire.ParseOffsetHole(c.Payload)
		return h.Offset, uint64(h.Size)
	}
	d, _ := wire.ParseOffsetData(c.Payload)
	return d.Offset, uint64(len(d.Data))
}

// WithDefinedError asks for success or an error value that the document defines.
func WithDefinedError() Property {
	return Property{result.Term("reply.defined-error"), func(r session.Reply) result.Value {
		if !r.Error.Known() {
			return result.Term("got.error-value", uint32(r.Error))
		}
		return result.Nothing
	}}
}
