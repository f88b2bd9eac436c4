package wire

// OffsetData is the payload of NBD_REPLY_TYPE_OFFSET_DATA.
type OffsetData struct {
	Offset uint64 // from the start of the export, bytes
	Data   []byte
}

// Append appends the encoded payload to b.
func (d OffsetData) Append(b []byte) []byte { return append(be.AppendUint64(b, d.Offset), d.Data...) }

// ParseOffsetData parses b, the whole payload of the chunk. Data aliases b.
func ParseOffsetData(b []byte) (d OffsetData, err error) {
	if len(b) < 9 {
		return d, malformed("chunk.offset-data.length", "NBD_REPLY_TYPE_OFFSET_DATA has length %d, at least 9 is due", len(b))
	}
	return OffsetData{Offset: be.Uint64(b), Data: b[8:]}, nil
}

// OffsetHole is the payload of NBD_REPLY_TYPE_OFFSET_HOLE.
type OffsetHole struct {
	Offset uint64 // from the start of the export, bytes
	Size   uint32 // bytes
}

// Append appends the encoded payload to b.
func (h OffsetHole) Append(b []byte) []byte {
	return be.AppendUint32(be.AppendUint64(b, h.Offset), h.Size)
}

// ParseOffsetHole parses b, the whole payload of the chunk.
func ParseOffsetHole(b []byte) (h OffsetHole, err error) {
	if len(b) != 12 {
		return h, malformed("chunk.offset-hole.length", "NBD_REPLY_TYPE_OFFSET_HOLE has length %d, 12 is due", len(b))
	}
	return OffsetHole{Offset: be.Uint64(b), Size: be.Uint32(b[8:])}, nil
}

// Validate reports a hole of size zero.
func (h OffsetHole) Validate() error {
	if h.Size == 0 {
		return malformed("chunk.offset-hole.nonzero", "NBD_REPLY_TYPE_OFFSET_HOLE has a hole of size 0 at offset %d", h.Offset)
	}
	return nil
}

// An ErrorChunk is the payload of NBD_REPLY_TYPE_ERROR, of
// NBD_REPLY_TYPE_ERROR_OFFSET, and the common part of error chunks to come.
type ErrorChunk struct {
	Error   Errno
	Message string
	Rest    []byte // what stands behind the message: the offset of NBD_REPLY_TYPE_ERROR_OFFSET
}

// ErrorOffset is the payload of NBD_REPLY_TYPE_ERROR_OFFSET.
func ErrorOffset(e Errno, message string, offset uint64) ErrorChunk {
	return ErrorChunk{Error: e, Message: message, Rest: be.AppendUint64(nil, offset)}
}

// Append appends the encoded payload to b.
func (e ErrorChunk) Append(b []byte) []byte {
	b = be.AppendUint32(b, uint32(e.Error))
	b = be.AppendUint16(b, uint16(len(e.Message)))
	b = append(b, e.Message...)
	return append(b, e.Rest...)
}

// ParseErrorChunk parses b, the whole payload of an error chunk of type t,
// which may be an unknown one. Rest aliases b. The document sets a minimum for
// the length and none for what may stand behind the last known field, so Rest
// can be longer than the fields of t.
func ParseErrorChunk(t ChunkType, b []byte) (e ErrorChunk, err error) {
	fixed, clause := 6, "chunk.error.length"
	if t == ChunkErrorOffset {
		fixed, clause = 14, "chunk.error-offset.length"
	}
	if len(b) < fixed {
		return e, malformed(clause, "%v has length %d, at least %d is due", t, len(b), fixed)
	}
	e.Error = Errno(be.Uint32(b))
	n := int(be.Uint16(b[4:]))
	if n > len(b)-fixed {
		return e, malformed(clause, "%v announces a message of %d bytes, %d are left", t, n, len(b)-fixed)
	}
	e.Message, e.Rest = string(b[6:6+n]), b[6+n:]
	return e, nil
}

// Offset is where the error happened. It means something for
// NBD_REPLY_TYPE_ERROR_OFFSET only; ok is false where there is no room for one.
func (e ErrorChunk) Offset() (offset uint64, ok bool) {
	if len(e.Rest) < 8 {
		return 0, false
	}
	return be.Uint64(e.Rest), true
}

// Validate reports an error of zero and a message that is no string.
func (e ErrorChunk) Validate() error {
	if e.Error == OK {
		return malformed("chunk.error.nonzero", "error chunk has error 0")
	}
	if len(e.Message) > MaxString {
		return malformed("chunk.error.message-length", "the message of an error chunk is %d bytes long, at most %d are allowed", len(e.Message), MaxString)
	}
	return server.text("error message", e.Message)
}
