package client

import (
	"errors"

	"nbdconform/reference/wire"
)

// chunk takes one chunk of the reply to t. All that is wrong with one is
// "inconsistent contents", which a client has to disconnect on (chunk.inconsistent).
func (c *Client) chunk(t *transaction, h wire.ChunkHeader) *SessionError {
	t.reply.chunks++
	q := t.request
	switch {
	case h.Type.IsError():
		return c.errorChunk(t, h)
	case h.Type == wire.ChunkNone:
		if h.Length != 0 {
			return violation("chunk.none.length", "reply to %v: NBD_REPLY_TYPE_NONE has length %d", q.Type, h.Length)
		}
		if h.Flags&wire.ReplyFlagDone == 0 {
			return violation("chunk.none.done", "reply to %v: NBD_REPLY_TYPE_NONE lacks NBD_REPLY_FLAG_DONE", q.Type)
		}
		return nil
	case h.Type.IsContent() && q.Type == wire.CmdRead:
		return c.contentChunk(t, h)
	case h.Type == c.statusType() && q.Type == wire.CmdBlockStatus:
		return c.statusChunk(t, h)
	case h.Type == wire.ChunkBlockStatus && q.Type == wire.CmdBlockStatus:
		return violation("chunk.block-status-ext.always", "reply to %v: %v comes although extended headers are negotiated", q.Type, h.Type)
	case h.Type == wire.ChunkBlockStatusExt && q.Type == wire.CmdBlockStatus:
		return violation("chunk.block-status-ext.unnegotiated", "reply to %v: %v comes, and extended headers are not negotiated", q.Type, h.Type)
	}
	return violation("chunk.unknown-type", "reply to %v: a chunk of type %v is not expected", q.Type, h.Type)
}

func (c *Client) contentChunk(t *transaction, h wire.ChunkHeader) *SessionError {
	var offset, length uint64
	if h.Type == wire.ChunkOffsetHole {
		if h.Length != 12 {
			return violation("chunk.offset-hole.length", "reply to NBD_CMD_READ: NBD_REPLY_TYPE_OFFSET_HOLE has length %d, 12 is due", h.Length)
		}
		b, err := c.r.Peek(12)
		if err != nil {
			return sessionError("reading NBD_REPLY_TYPE_OFFSET_HOLE", unexpected(err))
		}
		hole, err := wire.ParseOffsetHole(b)
		if err == nil {
			err = hole.Validate()
		}
		if err != nil {
			return sessionError("reply to NBD_CMD_READ", err)
		}
		_, _ = c.r.Discard(12)
		offset, length = hole.Offset, uint64(hole.Size)
	} else {
		if h.Length < 9 {
			return violation("chunk.offset-data.length", "reply to NBD_CMD_READ: NBD_REPLY_TYPE_OFFSET_DATA has length %d, at least 9 is due", h.Length)
		}
		b, err := c.r.Peek(9) // the offset and a first byte of data are the shortest payload that parses
		if err != nil {
			return sessionError("reading NBD_REPLY_TYPE_OFFSET_DATA", unexpected(err))
		}
		data, err := wire.ParseOffsetData(b)
		if err != nil {
			return sessionError("reply to NBD_CMD_READ", err)
		}
		_, _ = c.r.Discard(8)
		offset, length = data.Offset, h.Length-8
	}
	if err := t.reply.content(t.request, h.Type, offset, length); err != nil {
		return err
	}
	at := offset - t.request.Offset
	if c.cfg.breaks("cmd.read.reassemble") { // as if chunks came in order
		at, t.reply.arrived = t.reply.arrived, t.reply.arrived+length
	}
	if h.Type == wire.ChunkOffsetHole {
		t.zero(at, length)
		return nil
	}
	if err := c.fill(t, at, length); err != nil {
		return sessionError("reading the data of NBD_REPLY_TYPE_OFFSET_DATA", err)
	}
	return nil
}

// zero writes n zeroes at at into the data of t.
func (t *transaction) zero(at, n uint64) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.given {
		clear(t.data[at : at+n])
	}
}

func (c *Client) statusChunk(t *transaction, h wire.ChunkHeader) *SessionError {
	m, fixed, parse := uint64(c.export.Constraints.MaxPayload), uint64(4), wire.ParseBlockStatus
	if c.extended {
		fixed, parse = 8, wire.ParseBlockStatusExt
	}
	if c.export.Advertised && h.Length > m+fixed {
		return violation("chunk.max-payload", "reply to NBD_CMD_BLOCK_STATUS: the chunk has length %d, the maximum payload size is %d", h.Length, m)
	}
	lim := c.cfg.Limits
	if t.reply.statusBytes += h.Length; t.reply.statusBytes > 4*uint64(lim.Payload) {
		return sessionError("reading the reply to NBD_CMD_BLOCK_STATUS",
			&wire.TooLongError{What: "the reply", Length: t.reply.statusBytes, Limit: 4 * uint64(lim.Payload)})
	}
	k, err := wire.ReadChunkPayload(c.r, h, lim)
	if err != nil {
		return sessionError("reading the reply to NBD_CMD_BLOCK_STATUS", unexpected(err))
	}
	s, err := parse(k.Payload)
	if err == nil {
		err = s.Validate()
	}
	if err != nil {
		return sessionError("reply to NBD_CMD_BLOCK_STATUS", err)
	}
	if c.cfg.breaks("opt.set-meta.opaque-id") { // as if ids were small numbers
		s.ContextID &= 0xff
	}
	if c.cfg.breaks("meta.allocation.unknown") { // as if any flag said that there are zeroes
		for i := range s.Extents {
			if s.Extents[i].Status&^3 != 0 {
				s.Extents[i].Status |= 2
			}
		}
	}
	if c.cfg.breaks("meta.allocation.unknown.fatal") {
		for _, e := range s.Extents {
			if e.Status&^3 != 0 {
				return violation("meta.allocation.reserved", "reply to NBD_CMD_BLOCK_STATUS: flags %#x", e.Status)
			}
		}
	}
	if c.cfg.breaks("cmd.block-status.same-status") {
		for i := range len(s.Extents) - 1 {
			if s.Extents[i].Status == s.Extents[i+1].Status {
				return violation("cmd.block-status.distinct", "reply to NBD_CMD_BLOCK_STATUS: status %#x comes twice", s.Extents[i].Status)
			}
		}
	}
	name, known := c.names[s.ContextID]
	if !known {
		return violation("chunk.block-status.per-context", "reply to NBD_CMD_BLOCK_STATUS: context id %d was not negotiated", s.ContextID)
	}
	if err := c.checkStatus(t, name, s); err != nil {
		return err
	}
	return t.reply.extents(t.request, s)
}

func (c *Client) errorChunk(t *transaction, h wire.ChunkHeader) *SessionError {
	doing := "reading the reply to " + t.request.Type.String()
	if t.reply.errors++; t.reply.errors > maxErrorChunks {
		return sessionError(doing, errors.New("error chunks without end"))
	}
	k, err := wire.ReadChunkPayload(c.r, h, c.cfg.Limits) // a type to come may add to the text
	if err != nil {
		return sessionError(doing, unexpected(err))
	}
	e, err := wire.ParseErrorChunk(h.Type, k.Payload)
	if err == nil {
		err = e.Validate()
	}
	if err != nil {
		return sessionError("reply to "+t.request.Type.String(), err)
	}
	if h.Type != wire.ChunkError && h.Type != wire.ChunkErrorOffset && c.cfg.breaks("chunk.error.unknown-type") {
		t.reply.forgiven = true
		return nil
	}
	return t.reply.refuse(t.request, h.Type, e)
}
