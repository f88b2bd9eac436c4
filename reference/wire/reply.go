package wire

import (
	"bufio"
	"fmt"
)

// Sizes of a reply header, in bytes.
const (
	SimpleReplySize   = 16
	ChunkSize         = 20 // structured
	ExtendedChunkSize = 32
)

// A SimpleReply is the header of a simple reply. The data of a successful
// NBD_CMD_READ follows it. Section "Simple reply message".
type SimpleReply struct {
	Error  Errno
	Cookie uint64
}

// Append appends the encoded header to b.
func (p SimpleReply) Append(b []byte) []byte {
	b = be.AppendUint32(b, SimpleReplyMagic)
	b = be.AppendUint32(b, uint32(p.Error))
	return be.AppendUint64(b, p.Cookie)
}

// ParseSimpleReply parses a simple reply header at the start of b.
func ParseSimpleReply(b []byte) (p SimpleReply, n int, err error) {
	if err := magic32(b, SimpleReplyMagic, "layout.reply.magic", "simple reply"); err != nil {
		return p, 0, err
	}
	if len(b) < SimpleReplySize {
		return p, 0, errShort
	}
	return SimpleReply{Error: Errno(be.Uint32(b[4:])), Cookie: be.Uint64(b[8:])}, SimpleReplySize, nil
}

// ReadSimpleReply reads a simple reply header.
func ReadSimpleReply(r *bufio.Reader) (SimpleReply, error) {
	return readFixed(r, SimpleReplySize, ParseSimpleReply)
}

func (p SimpleReply) String() string {
	return fmt.Sprintf("simple reply %v cookie %#x", p.Error, p.Cookie)
}

// A ChunkHeader opens a chunk of a structured or an extended reply.
// Sections "Structured reply chunk message" and "Extended reply chunk message".
type ChunkHeader struct {
	Flags  ReplyFlags
	Type   ChunkType
	Cookie uint64
	Offset uint64 // of the request; extended replies only, and 0 in others
	Length uint64 // of the payload, in bytes; a structured reply carries the lower 32 bits
}

// Append appends the header of a structured reply chunk to b.
func (h ChunkHeader) Append(b []byte) []byte {
	b = be.AppendUint32(b, StructuredMagic)
	b = be.AppendUint16(b, uint16(h.Flags))
	b = be.AppendUint16(b, uint16(h.Type))
	b = be.AppendUint64(b, h.Cookie)
	return be.AppendUint32(b, uint32(h.Length))
}

// AppendExtended appends the header of an extended reply chunk to b.
func (h ChunkHeader) AppendExtended(b []byte) []byte {
	b = be.AppendUint32(b, ExtendedReply)
	b = be.AppendUint16(b, uint16(h.Flags))
	b = be.AppendUint16(b, uint16(h.Type))
	b = be.AppendUint64(b, h.Cookie)
	b = be.AppendUint64(b, h.Offset)
	return be.AppendUint64(b, h.Length)
}

// ParseChunkHeader parses the header of a structured reply chunk at the start of b.
func ParseChunkHeader(b []byte) (h ChunkHeader, n int, err error) {
	if err := magic32(b, StructuredMagic, "layout.reply.magic", "structured reply"); err != nil {
		return h, 0, err
	}
	if len(b) < ChunkSize {
		return h, 0, errShort
	}
	return ChunkHeader{
		Flags: ReplyFlags(be.Uint16(b[4:])), Type: ChunkType(be.Uint16(b[6:])),
		Cookie: be.Uint64(b[8:]), Length: uint64(be.Uint32(b[16:])),
	}, ChunkSize, nil
}

// ParseExtendedChunkHeader parses the header of an extended reply chunk at the start of b.
func ParseExtendedChunkHeader(b []byte) (h ChunkHeader, n int, err error) {
	if err := magic32(b, ExtendedReply, "layout.reply.magic", "extended reply"); err != nil {
		return h, 0, err
	}
	if len(b) < ExtendedChunkSize {
		return h, 0, errShort
	}
	return ChunkHeader{
		Flags: ReplyFlags(be.Uint16(b[4:])), Type: ChunkType(be.Uint16(b[6:])),
		Cookie: be.Uint64(b[8:]), Offset: be.Uint64(b[16:]), Length: be.Uint64(b[24:]),
	}, ExtendedChunkSize, nil
}

// A Chunk is a chunk of a structured or an extended reply with its payload.
type Chunk struct {
	Flags   ReplyFlags
	Type    ChunkType
	Cookie  uint64
	Offset  uint64 // as in ChunkHeader
	Payload []byte
}

// Header is the header that announces c.
func (c Chunk) Header() ChunkHeader {
	return ChunkHeader{Flags: c.Flags, Type: c.Type, Cookie: c.Cookie, Offset: c.Offset, Length: uint64(len(c.Payload))}
}

// Append appends c as a structured reply chunk to b.
func (c Chunk) Append(b []byte) []byte { return append(c.Header().Append(b), c.Payload...) }

// AppendExtended appends c as an extended reply chunk to b.
func (c Chunk) AppendExtended(b []byte) []byte {
	return append(c.Header().AppendExtended(b), c.Payload...)
}

// Validate holds the chunk against the rules for its type that need no request:
// flags, length, layout of the payload. Unknown types are fine, except that
// error chunks have to begin like all error chunks.
func (c Chunk) Validate() error {
	if extra := c.Flags &^ ReplyFlagDone; extra != 0 {
		return malformed("chunk.flag.unknown", "%v has undefined flags %#x", c.Type, uint16(extra))
	}
	switch {
	case c.Type == ChunkNone && len(c.Payload) > 0:
		return malformed("chunk.none.length", "NBD_REPLY_TYPE_NONE has length %d, 0 is due", len(c.Payload))
	case c.Type == ChunkNone && c.Flags&ReplyFlagDone == 0:
		return malformed("chunk.none.done", "NBD_REPLY_TYPE_NONE lacks NBD_REPLY_FLAG_DONE")
	case c.Type == ChunkOffsetData:
		_, err := ParseOffsetData(c.Payload)
		return err
	case c.Type == ChunkOffsetHole:
		return validate(ParseOffsetHole(c.Payload))
	case c.Type == ChunkBlockStatus:
		return validate(ParseBlockStatus(c.Payload))
	case c.Type == ChunkBlockStatusExt:
		return validate(ParseBlockStatusExt(c.Payload))
	case c.Type.IsError():
		return validate(ParseErrorChunk(c.Type, c.Payload))
	}
	return nil
}

func (c Chunk) String() string {
	return fmt.Sprintf("%v flags %v cookie %#x length %d", c.Type, c.Flags, c.Cookie, len(c.Payload))
}

// A Reply is what a server sends in the transmission phase: a simple reply or
// one chunk.
type Reply struct {
	Magic  uint32      // SimpleReplyMagic, StructuredMagic or ExtendedReply
	Simple SimpleReply // of a simple reply
	Chunk  ChunkHeader // of the others
}

// Cookie is the cookie of the request that is answered.
func (p Reply) Cookie() uint64 {
	if p.Magic == SimpleReplyMagic {
		return p.Simple.Cookie
	}
	return p.Chunk.Cookie
}

// ParseReply parses the header of whatever reply stands at the start of b.
func ParseReply(b []byte) (p Reply, n int, err error) {
	if len(b) < 4 {
		return p, 0, errShort
	}
	switch p.Magic = be.Uint32(b); p.Magic {
	case SimpleReplyMagic:
		p.Simple, n, err = ParseSimpleReply(b)
	case StructuredMagic:
		p.Chunk, n, err = ParseChunkHeader(b)
	case ExtendedReply:
		p.Chunk, n, err = ParseExtendedChunkHeader(b)
	default:
		err = malformed("layout.reply.magic", "reply has magic %#010x, which is none of %#x, %#x, %#x",
			p.Magic, SimpleReplyMagic, StructuredMagic, ExtendedReply)
	}
	return p, n, err
}

// ReadReply reads the header of whatever reply comes next.
func ReadReply(r *bufio.Reader) (Reply, error) { return readFixed(r, ExtendedChunkSize, ParseReply) }

// ReadChunkPayload reads the payload that h announces, within lim.Payload.
func ReadChunkPayload(r *bufio.Reader, h ChunkHeader, lim Limits) (Chunk, error) {
	b, err := payload(r, h.Type.String(), h.Length, lim.Payload)
	return Chunk{Flags: h.Flags, Type: h.Type, Cookie: h.Cookie, Offset: h.Offset, Payload: b}, err
}
