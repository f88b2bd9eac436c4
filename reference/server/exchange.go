package server

import "nbdconform/reference/wire"

// An Exchange is a request and its reply.
type Exchange struct {
	Answer
	Session *Session
	Request wire.Request // as received
	Payload []byte       // of NBD_CMD_WRITE or a filter, if it was within the limits; valid until the hook returns
	Replies []Message
}

// A Message is a simple reply, with data if it answers NBD_CMD_READ, or a
// chunk of a structured or extended reply.
type Message struct {
	Structured bool             // a chunk
	Extended   bool             // of an extended reply; Structured is set too
	Simple     wire.SimpleReply // if it is not Structured
	Data       []byte           // after Simple: of a read, or wire.LBAData
	Chunk      wire.Chunk       // if it is Structured
	Raw        []byte           // if not nil, sent instead
}

// Append appends the encoded message to b.
func (m Message) Append(b []byte) []byte {
	switch {
	case m.Raw != nil:
		return append(b, m.Raw...)
	case m.Extended:
		return m.Chunk.AppendExtended(b)
	case m.Structured:
		return m.Chunk.Append(b)
	}
	return append(m.Simple.Append(b), m.Data...)
}

// Bytes are the encoded messages.
func (x *Exchange) Bytes() (b []byte) {
	for _, m := range x.Replies {
		b = m.Append(b)
	}
	return b
}

// Is reports whether the request is one of these commands.
func (x *Exchange) Is(commands ...wire.Command) bool {
	for _, c := range commands {
		if x.Request.Type == c {
			return true
		}
	}
	return false
}

// Err is the error that the reply carries, or OK.
func (x *Exchange) Err() wire.Errno {
	for _, m := range x.Replies {
		if !m.Structured && m.Simple.Error != wire.OK {
			return m.Simple.Error
		}
		if m.Structured && m.Chunk.Type.IsError() {
			if e, err := wire.ParseErrorChunk(m.Chunk.Type, m.Chunk.Payload); err == nil {
				return e.Error
			}
		}
	}
	return wire.OK
}

// Fail replaces the reply by an error, in the form that was negotiated.
func (x *Exchange) Fail(e wire.Errno, text string) {
	if !x.Session.Structured {
		x.Replies = []Message{{
			Simple: wire.SimpleReply{Error: e, Cookie: x.Request.Cookie}, Data: x.Session.afterError(x.Request.Type),
		}}
		return
	}
	x.Replies = []Message{x.Chunk(wire.ChunkError, wire.ErrorChunk{Error: e, Message: text}.Append(nil))}
	x.Done()
}

// Succeed replaces the reply by one of success without data, in the form that was negotiated.
func (x *Exchange) Succeed() {
	if !x.Session.Structured {
		x.Replies = []Message{{Simple: wire.SimpleReply{Cookie: x.Request.Cookie}}}
		return
	}
	x.Replies = []Message{x.Chunk(wire.ChunkNone, nil)}
	x.Done()
}

// Chunk makes a chunk of the reply, without NBD_REPLY_FLAG_DONE.
func (x *Exchange) Chunk(t wire.ChunkType, payload []byte) Message {
	m := Message{Structured: true, Chunk: wire.Chunk{Type: t, Cookie: x.Request.Cookie, Payload: payload}}
	if x.Session.Extended {
		m.Extended, m.Chunk.Offset = true, x.Request.Offset
	}
	return m
}

// Chunks replaces the reply by chunks, the last of them with NBD_REPLY_FLAG_DONE.
func (x *Exchange) Chunks(chunks ...Message) {
	x.Replies = chunks
	x.Done()
}

// Done sets NBD_REPLY_FLAG_DONE in the last chunk and clears it in all others.
func (x *Exchange) Done() {
	last := len(x.Replies) - 1
	for i := range x.Replies {
		c := &x.Replies[i].Chunk
		if c.Flags &^= wire.ReplyFlagDone; i == last {
			c.Flags |= wire.ReplyFlagDone
		}
	}
}

// EachChunk calls f for every chunk of the type.
func (x *Exchange) EachChunk(t wire.ChunkType, f func(*wire.Chunk)) {
	for i := range x.Replies {
		if m := &x.Replies[i]; m.Structured && m.Chunk.Type == t {
			f(&m.Chunk)
		}
	}
}

// EachError calls f for every error chunk, with its fields, and encodes what f leaves.
func (x *Exchange) EachError(f func(*wire.ErrorChunk)) {
	for i := range x.Replies {
		m := &x.Replies[i]
		if !m.Structured || !m.Chunk.Type.IsError() {
			continue
		}
		if e, err := wire.ParseErrorChunk(m.Chunk.Type, m.Chunk.Payload); err == nil {
			f(&e)
			m.Chunk.Payload = e.Append(nil)
		}
	}
}

// EachStatus calls f for every NBD_REPLY_TYPE_BLOCK_STATUS and
// NBD_REPLY_TYPE_BLOCK_STATUS_EXT, and encodes what f leaves.
func (x *Exchange) EachStatus(f func(*wire.BlockStatus)) {
	x.EachChunk(wire.ChunkBlockStatus, func(c *wire.Chunk) {
		if s, err := wire.ParseBlockStatus(c.Payload); err == nil {
			f(&s)
			c.Payload = s.Append(nil)
		}
	})
	x.EachChunk(wire.ChunkBlockStatusExt, func(c *wire.Chunk) {
		if s, err := wire.ParseBlockStatusExt(c.Payload); err == nil {
			f(&s)
			c.Payload = s.AppendExtended(nil)
		}
	})
}

// StatusChunk makes a chunk of block status, of the type that was negotiated.
func (x *Exchange) StatusChunk(s wire.BlockStatus) Message {
	if x.Session.Extended {
		return x.Chunk(wire.ChunkBlockStatusExt, s.AppendExtended(nil))
	}
	return x.Chunk(wire.ChunkBlockStatus, s.Append(nil))
}

// Content returns the data that a successful reply to NBD_CMD_READ describes,
// from the offset of the request on, or nil.
func (x *Exchange) Content() []byte {
	if !x.Is(wire.CmdRead) || x.Err() != wire.OK || len(x.Replies) == 0 {
		return nil
	}
	if m := x.Replies[0]; !m.Structured {
		return m.Data
	}
	data := make([]byte, x.Request.Length)
	x.EachChunk(wire.ChunkOffsetData, func(c *wire.Chunk) {
		if d, err := wire.ParseOffsetData(c.Payload); err == nil && d.Offset-x.Request.Offset < uint64(len(data)) {
			copy(data[d.Offset-x.Request.Offset:], d.Data)
		}
	})
	return data
}

// DataChunk makes a chunk of data at an offset of the export.
func (x *Exchange) DataChunk(offset uint64, data []byte) Message {
	return x.Chunk(wire.ChunkOffsetData, wire.OffsetData{Offset: offset, Data: data}.Append(nil))
}

// HoleChunk makes a chunk of a hole at an offset of the export.
func (x *Exchange) HoleChunk(offset uint64, size uint32) Message {
	return x.Chunk(wire.ChunkOffsetHole, wire.OffsetHole{Offset: offset, Size: size}.Append(nil))
}

// parseMessages parses an encoded reply. What follows a simple reply is its data. Payloads alias b.
func parseMessages(b []byte) (list []Message) {
	for len(b) > 0 {
		p, n, err := wire.ParseReply(b)
		switch {
		case err != nil:
			return append(list, Message{Raw: b})
		case p.Magic == wire.SimpleReplyMagic:
			return append(list, Message{Simple: p.Simple, Data: b[n:]})
		}
		end := n + int(p.Chunk.Length)
		list = append(list, Message{Structured: true, Extended: p.Magic == wire.ExtendedReply, Chunk: wire.Chunk{
			Flags: p.Chunk.Flags, Type: p.Chunk.Type, Cookie: p.Chunk.Cookie, Offset: p.Chunk.Offset, Payload: b[n:end:end],
		}})
		b = b[end:]
	}
	return list
}
