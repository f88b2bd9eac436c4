package server

import (
	"errors"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// status makes the reply to a request that has no data in its reply.
func (t *transmission) status(r *request, err error) *buffer {
	if err != nil {
		return t.failure(r, err)
	}
	b := t.room(r, wire.ExtendedChunkSize)
	if t.Structured && !t.simply(r) {
		b.b = t.chunk(b.b, r, wire.ChunkHeader{Flags: wire.ReplyFlagDone, Type: wire.ChunkNone})
	} else {
		b.b = wire.SimpleReply{Cookie: r.Cookie}.Append(b.b)
	}
	return b
}

// simply reports whether the success of r, which has no payload, is told by a
// simple reply, although structured replies were negotiated. Section "Structured
// reply chunk message": not that of a read.
func (t *transmission) simply(r *request) bool {
	return t.srv.cfg.SimpleSuccess && !t.Extended && r.Type != wire.CmdRead && r.Type != wire.CmdBlockStatus
}

// failure makes the reply for an error of the disk.
func (t *transmission) failure(r *request, err error) *buffer {
	return t.failureAs(r, errno(&r.Request, err), err)
}

// failureAs makes the reply for an error that clients are told as e.
func (t *transmission) failureAs(r *request, e wire.Errno, err error) *buffer {
	if at := (*export.Error)(nil); t.Structured && errors.As(err, &at) &&
		at.Offset-r.Offset < r.Length && r.Type != wire.CmdFlush {
		return t.errorChunk(r, wire.ChunkErrorOffset, wire.ErrorOffset(e, err.Error(), at.Offset))
	}
	return t.errorReply(r, e, err.Error())
}

// errorReply makes a reply that is an error as a whole.
func (t *transmission) errorReply(r *request, e wire.Errno, text string) *buffer {
	if t.Structured {
		return t.errorChunk(r, wire.ChunkError, wire.ErrorChunk{Error: e, Message: text})
	}
	b := t.room(r, wire.SimpleReplySize)
	b.b = wire.SimpleReply{Error: e, Cookie: r.Cookie}.Append(b.b)
	b.b = append(b.b, t.behindError(&r.Request)...)
	return b
}

// errorChunk makes a structured or extended reply that is one error chunk.
func (t *transmission) errorChunk(r *request, c wire.ChunkType, e wire.ErrorChunk) *buffer {
	e.Message = shorten(e.Message)
	payload := e.Append(nil)
	b := t.room(r, wire.ExtendedChunkSize+len(payload))
	b.b = t.chunk(b.b, r, wire.ChunkHeader{Flags: wire.ReplyFlagDone, Type: c, Length: uint64(len(payload))})
	b.b = append(b.b, payload...)
	return b
}

// chunk appends the header of a chunk of the reply to r, of the size that was
// negotiated. Its cookie and offset are those of r.
func (t *transmission) chunk(b []byte, r *request, h wire.ChunkHeader) []byte {
	h.Cookie = r.Cookie
	if !t.Extended {
		return h.Append(b)
	}
	h.Offset = r.received.Offset
	return h.AppendExtended(b)
}

// errno is the error value for an error of the disk. NBD_ENOTSUP and
// NBD_EOVERFLOW are left for what the document has them for. Section "Error values".
func errno(q *wire.Request, err error) wire.Errno {
	e := wire.EIO
	if !errors.As(err, &e) || !e.Known() || e == wire.OK {
		return wire.EIO
	}
	switch {
	case e == wire.EOVERFLOW, e == wire.ENOTSUP && q.Flags&wire.CmdFlagFastZero == 0:
		return wire.EINVAL
	}
	return e
}
