package session

import (
	"encoding/hex"

	"nbdconform/reference/wire"
	"nbdconform/reports/render/words"
)

// A Reply is all that a server says to one request.
type Reply struct {
	Request wire.Request
	Simple  bool         // a simple reply; else chunks
	Error   wire.Errno   // of a simple reply, or of the first error chunk
	Message string       // of the first error chunk
	Chunks  []wire.Chunk // in the order in which they came
	// Data are the bytes of a read without an error, Covered how many of
	// them the server described. Holes are zeroes.
	Data    []byte
	Covered uint64
	// Extents are those of a block status, by metadata context ID.
	Extents map[uint32][]wire.Extent
	// LBA is what NBD_CMD_GET_LBA_STATUS is answered with, as far as it can be parsed.
	LBA   wire.LBAStatus
	Order int // how many replies were completed before this one
	End   End
	Err   error
}

// OK reports whether the reply is complete and without an error.
func (r Reply) OK() bool { return r.End == Complete && r.Error == wire.OK }

// add takes a chunk over. Chunks that make no sense are kept in Chunks alone: the judge has seen them.
func (r *Reply) add(c wire.Chunk) {
	r.Chunks = append(r.Chunks, c)
	switch {
	case c.Type.IsError():
		if r.Error == wire.OK {
			r.Error = wire.EINVAL // as good as any where the chunk can't be parsed
			if e, err := wire.ParseErrorChunk(c.Type, c.Payload); err == nil && e.Error != wire.OK {
				r.Error, r.Message = e.Error, e.Message
			}
		}
	case c.Type == wire.ChunkOffsetData:
		if d, err := wire.ParseOffsetData(c.Payload); err == nil {
			r.place(d.Offset, uint64(len(d.Data)), d.Data)
		}
	case c.Type == wire.ChunkOffsetHole:
		if h, err := wire.ParseOffsetHole(c.Payload); err == nil {
			r.place(h.Offset, uint64(h.Size), nil)
		}
	case c.Type == wire.ChunkBlockStatus:
		r.status(wire.ParseBlockStatus(c.Payload))
	case c.Type == wire.ChunkBlockStatusExt:
		r.status(wire.ParseBlockStatusExt(c.Payload))
	}
}

// status takes extents over, if they could be parsed.
func (r *Reply) status(b wire.BlockStatus, err error) {
	if err != nil {
		return
	}
	if r.Extents == nil {
		r.Extents = map[uint32][]wire.Extent{}
	}
	r.Extents[b.ContextID] = b.Extents
}

// place puts n bytes of content at an offset of the export into Data.
func (r *Reply) place(offset, n uint64, content []byte) {
	if r.Request.Type != wire.CmdRead || offset < r.Request.Offset {
		return
	}
	at := offset - r.Request.Offset
	if at > r.Request.Length || n > r.Request.Length-at || r.Request.Length > maxAssembled {
		return
	}
	if r.Data == nil {
		r.Data = make([]byte, r.Request.Length)
	}
	copy(r.Data[at:at+n], content)
	r.Covered += n
}

// maxAssembled bounds the reads that are put together, in bytes.
const maxAssembled = 1 << 26

func (r Reply) String() string { return words.Phrase(r.Value()) }

// excerpt prints the first bytes in hex.
func excerpt(b []byte) string {
	const show = 32
	if len(b) <= show {
		return hex.EncodeToString(b)
	}
	return hex.EncodeToString(b[:show]) + "..."
}
