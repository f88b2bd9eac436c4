package client

import (
	"fmt"
	"slices"

	"nbdconform/reference/wire"
)

// A reply gathers the chunks of one structured reply and holds them against
// the request and each other.
type reply struct {
	chunks      int   // of any type
	errors      int   // error chunks
	contents    int   // content chunks
	covered     spans // what content chunks described
	statusBytes uint64
	status      map[uint32][]wire.Extent // by context id
	lba         wire.LBAStatus
	err         *RequestError

	// Of a client that breaks rules:
	arrived  uint64 // bytes of content so far
	forgiven bool   // an error was overlooked
}

func (r *reply) reset() { *r = reply{covered: r.covered[:0]} }

// content takes note of a content chunk.
func (r *reply) content(q wire.Request, t wire.ChunkType, offset, length uint64) *SessionError {
	clause := "chunk.offset-data."
	if t == wire.ChunkOffsetHole {
		clause = "chunk.offset-hole."
	}
	if offset < q.Offset || offset-q.Offset > q.Length || length > q.Length-(offset-q.Offset) {
		return violation(clause+"bounds", "reply to a read of %d bytes at %d: %v describes %d at %d", q.Length, q.Offset, t, length, offset)
	}
	if r.contents++; r.contents > 1 && q.Flags&wire.CmdFlagDF != 0 {
		return violation("cmdflag.df.one-content", "reply to a read with NBD_CMD_FLAG_DF: it has a second content chunk")
	}
	overlap := !r.covered.add(offset, offset+length)
	if r.err != nil {
		for _, e := range r.err.Offsets {
			overlap = overlap || offset <= e.Offset && e.Offset-offset < length
		}
	}
	if overlap {
		return violation(clause+"overlap", "reply to a read of %d bytes at %d: %v with %d at %d overlaps an earlier chunk", q.Length, q.Offset, t, length, offset)
	}
	if len(r.covered) > maxSpans {
		return &SessionError{Err: fmt.Errorf("reply to a read of %d bytes at %d: it comes in too many pieces", q.Length, q.Offset)}
	}
	return nil
}

// extents takes note of a block status chunk.
func (r *reply) extents(q wire.Request, s wire.BlockStatus) *SessionError {
	if _, twice := r.status[s.ContextID]; twice {
		return violation("chunk.block-status.per-context", "reply to NBD_CMD_BLOCK_STATUS: context id %d comes twice", s.ContextID)
	}
	last := s.Extents[len(s.Extents)-1]
	if q.Flags&wire.CmdFlagReqOne != 0 {
		if len(s.Extents) > 1 {
			return violation("cmdflag.req-one.one-extent", "reply to NBD_CMD_BLOCK_STATUS with NBD_CMD_FLAG_REQ_ONE: %d extents", len(s.Extents))
		}
		if last.Length > q.Length {
			return violation("cmdflag.req-one.length", "reply to NBD_CMD_BLOCK_STATUS with NBD_CMD_FLAG_REQ_ONE: an extent of %d bytes for a length of %d", last.Length, q.Length)
		}
	}
	left := q.Length
	for _, e := range s.Extents[:len(s.Extents)-1] {
		if e.Length >= left {
			return violation("chunk.block-status.sum", "reply to NBD_CMD_BLOCK_STATUS: extents go on behind the %d bytes asked for", q.Length)
		}
		left -= e.Length
	}
	if r.status == nil {
		r.status = make(map[uint32][]wire.Extent)
	}
	r.status[s.ContextID] = s.Extents
	return nil
}

// refuse takes note of an error chunk.
func (r *reply) refuse(q wire.Request, t wire.ChunkType, e wire.ErrorChunk) *SessionError {
	if r.err == nil {
		r.err = &RequestError{Request: q, Errno: e.Error, Message: e.Message}
	}
	offset, ok := e.Offset()
	if t != wire.ChunkErrorOffset || !ok || q.Type == wire.CmdFlush {
		r.err.General = true // of a type that is not known, or not expected, only the error is
		return nil
	}
	if offset < q.Offset || offset-q.Offset >= q.Length {
		return violation("chunk.error-offset.bounds", "reply to %v of %d bytes at %d: an error is at %d", q.Type, q.Length, q.Offset, offset)
	}
	r.err.Offsets = append(r.err.Offsets, OffsetError{Errno: e.Error, Message: e.Message, Offset: offset})
	return nil
}

// complete holds the whole reply against the request, of which there are
// contexts to tell about. The final chunk came.
func (r *reply) complete(q wire.Request, contexts int) *SessionError {
	if r.err != nil {
		if r.err.Errno == wire.EOVERFLOW && q.Flags&wire.CmdFlagDF != 0 && r.contents > 0 {
			return violation("cmdflag.df.eoverflow.no-content", "reply to a read with NBD_CMD_FLAG_DF: it has content and NBD_EOVERFLOW")
		}
		return nil
	}
	switch {
	case r.forgiven:
	case q.Type == wire.CmdRead && !r.covered.all(q.Offset, q.Offset+q.Length):
		return violation("cmd.read.cover", "reply to a read of %d bytes at %d: it is no error, and part of the data is missing", q.Length, q.Offset)
	case q.Type == wire.CmdBlockStatus && len(r.status) != contexts:
		return violation("chunk.block-status.per-context", "reply to NBD_CMD_BLOCK_STATUS: %d of %d contexts came", len(r.status), contexts)
	}
	return nil
}

// spans are sorted ranges of bytes that neither overlap nor touch.
type spans []span

type span struct{ from, to uint64 }

// add adds a range, which is not empty. It returns false if the range overlaps one.
func (s *spans) add(from, to uint64) bool {
	i, _ := slices.BinarySearchFunc(*s, from, func(x span, from uint64) int {
		if x.to <= from {
			return -1
		}
		return 1
	}) // the first that ends behind from
	if i < len(*s) && (*s)[i].from < to {
		return false
	}
	left := i > 0 && (*s)[i-1].to == from
	right := i < len(*s) && (*s)[i].from == to
	switch {
	case left && right:
		(*s)[i-1].to = (*s)[i].to
		*s = slices.Delete(*s, i, i+1)
	case left:
		(*s)[i-1].to = to
	case right:
		(*s)[i].from = from
	default:
		*s = slices.Insert(*s, i, span{from, to})
	}
	return true
}

// all reports whether nothing between from and to is missing.
func (s spans) all(from, to uint64) bool { return len(s) == 1 && s[0] == span{from, to} }
