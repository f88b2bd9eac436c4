package server

import (
	"errors"

	"nbdconform/reference/export"
	"nbdconform/reference/server/internal/engine"
	"nbdconform/reference/wire"
)

// newReply begins the reply to r, with room for n bytes.
func (t *transmission) newReply(r *request, n int) *engine.Reply {
	return t.engine.NewReply(n, r.inline)
}

// newDataReply begins the reply to r, with room for headers, and for data unless
// that is sent directly; both in bytes.
func (t *transmission) newDataReply(r *request, headers, data int, direct bool) *engine.Reply {
	if direct {
		data = 0
	}
	return t.newReply(r, headers+data)
}

// appendData appends n bytes of the disk to a reply, which has room for them;
// directly, without a copy.
func (t *transmission) appendData(b *engine.Reply, off uint64, n int, direct bool) error {
	switch {
	case n == 0:
		return nil
	case direct:
		b.Borrow(t.memory, off, uint64(n))
		return nil
	}
	return t.disk.ReadAt(b.Extend(n), off)
}

// status makes the reply to a request that has no data in its reply.
func (t *transmission) status(r *request, err error) *engine.Reply {
	if err != nil {
		return t.failure(r, err)
	}
	b := t.newReply(r, wire.ExtendedChunkSize)
	if t.Structured && !t.simpleSuccess(r) {
		b.Bytes = t.chunk(b.Bytes, r, wire.ChunkHeader{Flags: wire.ReplyFlagDone, Type: wire.ChunkNone})
	} else {
		b.Bytes = wire.SimpleReply{Cookie: r.Cookie}.Append(b.Bytes)
	}
	return b
}

// simpleSuccess reports whether success of r, which has no payload in its reply, is a
// simple reply although structured replies were negotiated. Section "Structured
// reply chunk message": not that of a read.
func (t *transmission) simpleSuccess(r *request) bool {
	return t.srv.cfg.SimpleSuccess && !t.Extended && r.Type != wire.CmdRead && r.Type != wire.CmdBlockStatus
}

// failure makes the reply for an error of the disk.
func (t *transmission) failure(r *request, err error) *engine.Reply {
	return t.failureAs(r, errno(&r.Request, err), err)
}

// failureAs makes the reply for an error that clients are told as e. It has the
// offset of the error, where that is known and structured replies were negotiated.
func (t *transmission) failureAs(r *request, e wire.Errno, err error) *engine.Reply {
	if at := (*export.Error)(nil); t.Structured && errors.As(err, &at) &&
		at.Offset-r.Offset < r.Length && r.Type != wire.CmdFlush {
		return t.errorChunk(r, wire.ChunkErrorOffset, wire.ErrorOffset(e, err.Error(), at.Offset))
	}
	return t.errorReply(r, e, err.Error())
}

// errorReply makes a reply that is an error as a whole.
func (t *transmission) errorReply(r *request, e wire.Errno, text string) *engine.Reply {
	if t.Structured {
		return t.errorChunk(r, wire.ChunkError, wire.ErrorChunk{Error: e, Message: text})
	}
	b := t.newReply(r, wire.SimpleReplySize)
	b.Bytes = wire.SimpleReply{Error: e, Cookie: r.Cookie}.Append(b.Bytes)
	b.Bytes = append(b.Bytes, t.afterError(r.Type)...)
	return b
}

// errorChunk makes a structured or extended reply that is one error chunk.
func (t *transmission) errorChunk(r *request, c wire.ChunkType, e wire.ErrorChunk) *engine.Reply {
	e.Message = shorten(e.Message)
	payload := e.Append(nil)
	b := t.newReply(r, wire.ExtendedChunkSize+len(payload))
	b.Bytes = t.chunk(b.Bytes, r, wire.ChunkHeader{Flags: wire.ReplyFlagDone, Type: c, Length: uint64(len(payload))})
	b.Bytes = append(b.Bytes, payload...)
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
// NBD_EOVERFLOW are used only where the specification has a meaning for them.
// Section "Error values".
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
