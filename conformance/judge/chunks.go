package judge

import (
	"nbdconform/reference/wire"
	"nbdconform/reports/result"
)

// An answer is what came of a structured reply so far.
type answer struct {
	chunks   int
	content  int        // content chunks
	covered  coverage   // by content chunks
	errors   int        // error chunks
	generic  int        // of them, NBD_REPLY_TYPE_ERROR
	first    wire.Errno // of the first error chunk
	offsets  []uint64   // of NBD_REPLY_TYPE_ERROR_OFFSET
	statuses []contextCount
	coarse   bool // there was more than the judge keeps
}

const maxOffsets = 1024

// chunkData collects the payload of a small chunk.
type chunkData struct {
	judge  *Judge
	place  place
	header wire.ChunkHeader
	r      *request // or nil
	over   bool     // r had its whole answer before
	b      []byte
}

const maxChunkData = 1<<16 + 32

// chunkReply handles a chunk of a structured or extended reply.
func (j *Judge) chunkReply(magic uint32, h wire.ChunkHeader, b []byte) int {
	s := &j.server
	kind := KindChunk
	if magic == wire.ExtendedReply {
		kind = KindExtendedChunk
	}
	j.open(s, kind, b, h.Length, nil)
	p := s.here()
	r, over := j.match(p, h.Cookie, false)
	if c := structuredUnnegotiated; !j.structured && !j.extended || magic == wire.ExtendedReply && !j.extended {
		if magic == wire.ExtendedReply {
			c = replyMagic
		}
		j.accuse(p, c, "chunk-magic-not-negotiated", magic)
		if r != nil {
			r.quiet = true
		}
	} else {
		j.broken(structuredUnnegotiated, true)
	}
	if j.extended {
		j.judgeExtendedHeader(p, magic, h, r, over)
	}
	if r != nil {
		r.answer.chunks++
	}
	d := &j.chunk
	*d = chunkData{judge: j, place: p, header: h, r: r, over: over, b: d.b[:0]}
	s.sink = d
	if j.broken(chunkUnknownFlag, h.Flags&^wire.ReplyFlagDone == 0) {
		j.accuse(p, chunkUnknownFlag, "chunk-flags-undefined", h.Flags)
	}
	j.judgeMaxPayload(p, h)
	silent := r == nil || r.quiet || over || r.ambiguous
	switch {
	case h.Type == wire.ChunkNone:
		if j.broken(noneLength, h.Length == 0) {
			j.accuse(p, noneLength, "none-chunk-length-not-zero", h.Length)
		}
		if j.broken(noneDone, h.Flags&wire.ReplyFlagDone != 0) {
			j.accuse(p, noneDone, "none-chunk-without-done", h.Flags)
		}
	case h.Type.IsError() || silent:
	case h.Type == wire.ChunkOffsetData && r.Type == wire.CmdRead:
		j.read.start(d)
		s.sink = &j.read
	case h.Type == wire.ChunkOffsetHole && r.Type == wire.CmdRead:
	case h.Type == statusType(j.extended) && r.Type == wire.CmdBlockStatus:
		if j.extended {
			j.broken(extAlways, true)
		}
		j.statuses.start(d)
		s.sink = &j.statuses
	case h.Type == statusType(!j.extended) && r.Type == wire.CmdBlockStatus:
		j.judgeStatusType(p, h.Type)
		r.quiet = true
	default:
		j.accuse(p, chunkUnexpected, "chunk-type-of-other-command", h.Type, r.Type)
		r.quiet = true // and what it means for the reply is open
	}
	return len(b)
}

// statusType is the chunk type that carries block status.
func statusType(extended bool) wire.ChunkType {
	if extended {
		return wire.ChunkBlockStatusExt
	}
	return wire.ChunkBlockStatus
}

// judgeMaxPayload holds the variable part of a chunk against the maximum
// payload size that was advertised.
func (j *Judge) judgeMaxPayload(p place, h wire.ChunkHeader) {
	const borne = wire.DefaultMaxPayload + 8 // by everybody, size.dos.client
	j.overlong = j.overlong || h.Length > borne
	if j.export.sizes == nil {
		return
	}
	var fixed uint64
	switch h.Type {
	case wire.ChunkOffsetData, wire.ChunkBlockStatusExt:
		fixed = 8
	case wire.ChunkBlockStatus:
		fixed = 4
	default:
		return
	}
	limit := uint64(j.export.sizes.MaxPayload)
	if j.broken(chunkMaxPayload, h.Length <= limit+fixed) {
		j.accuse(p, chunkMaxPayload, "chunk-payload-beyond-maximum", h.Type, h.Length-fixed, expect(limit))
	}
}

func (d *chunkData) data(b []byte) int {
	d.b = append(d.b, b[:min(len(b), maxChunkData-len(d.b))]...)
	return len(b)
}

func (d *chunkData) end() {
	j, h, r := d.judge, d.header, d.r
	if h.Type.IsError() {
		j.errorChunk(d)
	} else if h.Type == wire.ChunkOffsetHole && r != nil && r.Type == wire.CmdRead && !r.quiet && !d.over && !r.ambiguous {
		j.hole(d)
	}
	j.chunkEnds(d)
}

// chunkEnds ends the reply if the chunk was the last one.
func (j *Judge) chunkEnds(d *chunkData) {
	r := d.r
	if r == nil || d.over {
		return
	}
	if d.header.Flags&wire.ReplyFlagDone == 0 {
		j.broken(chunkDoneClear, true)
		return
	}
	j.broken(chunkDoneLast, true)
	defer j.drop(r)
	if r.quiet || r.ambiguous {
		return
	}
	failed := r.answer.errors > 0
	switch r.Type {
	case wire.CmdRead:
		j.readEnds(d.place, r)
	case wire.CmdBlockStatus:
		j.statusEnds(d.place, r)
	}
	j.outcome(d.place, r, failed, r.answer.first)
}

// errorChunk judges an error chunk, of a known type or not.
func (j *Judge) errorChunk(d *chunkData) {
	t, p, r := d.header.Type, d.place, d.r
	length, minimum := errorLength, uint64(6)
	if t == wire.ChunkErrorOffset {
		length, minimum = errorOffsetLength, 14
	}
	silent := r == nil || r.quiet || d.over || r.ambiguous
	if r != nil {
		r.answer.errors++
	}
	if j.broken(length, d.header.Length >= minimum) {
		j.accuse(p, length, "error-chunk-too-short", t, d.header.Length, expect(minimum))
		return
	}
	const common wire.ChunkType = 1 << 15 // no type: what stands behind the message is left alone
	e, err := wire.ParseErrorChunk(common, d.b)
	if err == nil && t == wire.ChunkErrorOffset {
		if len(e.Rest) < 8 {
			j.accuse(p, length, "error-offset-missing", t, len(e.Rest), len(e.Message))
			return
		}
		e.Rest = e.Rest[:8]
	}
	if err != nil {
		j.accuse(p, length, "error-chunk-layout", err)
		return
	}
	nonzero := errorNonzero
	if t == wire.ChunkErrorOffset {
		nonzero = errorOffsetNonzero
	}
	if j.broken(nonzero, e.Error != wire.OK) {
		j.accuse(p, nonzero, "error-chunk-with-error-zero", t)
	}
	if j.broken(errorMessageLength, len(e.Message) <= wire.MaxString) {
		j.accuse(p, errorMessageLength, "error-message-too-long", len(e.Message), expect(wire.MaxString))
	} else if e.Message != "" {
		j.judgeString(p, result.Term("error-message"), e.Message)
	}
	if silent {
		return
	}
	if r.answer.errors == 1 {
		r.answer.first = e.Error
	}
	if r.Type == wire.CmdRead && t == wire.ChunkError && j.broken(errorMixed, len(r.answer.offsets) == 0) ||
		r.Type == wire.CmdRead && t == wire.ChunkErrorOffset && j.broken(errorMixed, r.answer.generic == 0) {
		j.accuse(p, errorMixed, "errors-with-and-without-offset")
	}
	switch t {
	case wire.ChunkError:
		r.answer.generic++
		if j.broken(errorOnce, r.answer.generic == 1) {
			j.accuse(p, errorOnce, "second-error-without-offset")
		}
	case wire.ChunkErrorOffset:
		if offset, ok := e.Offset(); ok {
			j.errorOffset(p, r, offset)
		}
	}
}

// errorOffset judges where an error is said to have happened.
func (j *Judge) errorOffset(p place, r *request, offset uint64) {
	a := &r.answer
	if r.Type == wire.CmdFlush || r.ranged() && r.Length > 0 {
		if j.broken(errorOffsetBounds, offset-r.Offset < r.Length) {
			j.accuse(p, errorOffsetBounds, "error-offset-outside-request", offset, expect(r.Length), expect(r.Offset))
		}
	}
	again, within := false, false
	span, inside := a.covered.find(offset)
	for _, o := range a.offsets {
		again = again || o == offset
		within = within || inside && o >= span.from && o < span.to
	}
	if j.broken(errorOffsetSame, !again) {
		j.accuse(p, errorOffsetSame, "second-error-at-offset", offset)
	} else if inside && j.broken(errorOffsetWithin, !within) {
		j.accuse(p, errorOffsetWithin, "second-error-in-content-chunk", span.from, span.to, offset)
	}
	if inside && j.broken(readPaddingZero, span.quiet <= offset) {
		j.accuse(p, readPaddingZero, "content-behind-error-not-zero",
			offset, span.from, span.to, span.quiet)
	}
	if len(a.offsets) < maxOffsets && j.keep() {
		a.offsets = append(a.offsets, offset)
	} else {
		a.coarse = true
	}
}
