package match

import (
	"fmt"

	"nbdconform/conformance/trial"
	"nbdconform/reference/wire"
)

// AsSimpleReply asks for a simple reply.
func AsSimpleReply() Property {
	return Property{"as a simple reply", func(r trial.Reply) string {
		if !r.Simple {
			return fmt.Sprintf("got %d chunks", len(r.Chunks))
		}
		return ""
	}}
}

// AsChunks asks for a structured reply.
func AsChunks() Property {
	return Property{"as structured reply chunks", func(r trial.Reply) string {
		if r.Simple {
			return "got a simple reply"
		}
		return ""
	}}
}

// WithLength asks for success and n bytes, whatever they are.
func WithLength(n uint64) Property {
	return Property{fmt.Sprintf("with %d bytes", n), func(r trial.Reply) string {
		switch {
		case r.Error != wire.OK:
			return fmt.Sprintf("got %v", r.Error)
		case r.Covered != n:
			return fmt.Sprintf("got %d bytes", r.Covered)
		}
		return ""
	}}
}

// InOnePiece asks for a single content chunk, if the reply is a success.
func InOnePiece() Property {
	return Property{"in one content chunk", func(r trial.Reply) string {
		if n := len(content(r)); n != 1 && r.Error == wire.OK {
			return fmt.Sprintf("got %d content chunks", n)
		}
		return ""
	}}
}

// WithoutContent asks that no content chunk comes.
func WithoutContent() Property {
	return Property{"without content chunks", func(r trial.Reply) string {
		if n := len(content(r)); n > 0 {
			return fmt.Sprintf("got %d content chunks", n)
		}
		return ""
	}}
}

// OnMultiplesOf asks that all content chunks start and end at multiples of n bytes.
func OnMultiplesOf(n uint64) Property {
	return Property{fmt.Sprintf("in chunks that start and end at multiples of %d bytes", n), func(r trial.Reply) string {
		for _, c := range content(r) {
			offset, length := extent(c)
			if offset%n != 0 || length%n != 0 {
				return fmt.Sprintf("got a chunk of %d bytes at %d", length, offset)
			}
		}
		return ""
	}}
}

// content are the content chunks of a reply.
func content(r trial.Reply) (list []wire.Chunk) {
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
	return Property{"with success or a defined error value", func(r trial.Reply) string {
		if !r.Error.Known() {
			return fmt.Sprintf("got error value %d", uint32(r.Error))
		}
		return ""
	}}
}
