package judge

import (
	"sort"

	"nbdconform/reference/wire"
)

// A span is a run of bytes of the export. What it holds from quiet on is zero,
// as far as is known.
type span struct{ from, to, quiet uint64 }

// coverage is the content chunks of one reply, sorted, none overlapping.
type coverage struct {
	spans []span
	total uint64
}

const maxSpans = 8192

// at returns the index of the first span that ends behind offset.
func (c *coverage) at(offset uint64) int {
	if n := len(c.spans); n == 0 || c.spans[n-1].to <= offset { // content in order is the rule
		return n
	}
	return sort.Search(len(c.spans), func(i int) bool { return c.spans[i].to > offset })
}

// find returns the span that offset is in.
func (c *coverage) find(offset uint64) (span, bool) {
	if i := c.at(offset); i < len(c.spans) && c.spans[i].from <= offset {
		return c.spans[i], true
	}
	return span{}, false
}

// add adds a span unless it overlaps one, which it returns.
func (c *coverage) add(s span) (span, bool) {
	i := c.at(s.from)
	if i < len(c.spans) && c.spans[i].from < s.to {
		return c.spans[i], false
	}
	c.spans = append(c.spans, span{})
	copy(c.spans[i+1:], c.spans[i:])
	c.spans[i] = s
	c.total += s.to - s.from
	return s, true
}

// hush notes that the content that starts at from is zero behind its first loud bytes.
func (c *coverage) hush(from, loud uint64) {
	if i := c.at(from); i < len(c.spans) && c.spans[i].from == from {
		c.spans[i].quiet = from + loud
	}
}

// readData looks at the payload of NBD_REPLY_TYPE_OFFSET_DATA: at its first bytes.
type readData struct {
	chunkData
	first [9]byte
	n     int
	seen  uint64 // bytes of content
	loud  uint64 // of them, up to the last that is not zero
}

func (d *readData) start(c *chunkData) {
	d.chunkData, d.n, d.seen, d.loud = *c, 0, 0, 0
	d.chunkData.b = nil
}

func (d *readData) data(b []byte) int {
	const offset = 8
	before := d.n
	if d.n < len(d.first) {
		d.n += copy(d.first[d.n:], b)
		if d.n == len(d.first) {
			d.offset()
		}
	}
	content := b[min(len(b), max(0, offset-before)):]
	d.seen += uint64(len(content))
	for i := len(content) - 1; i >= 0; i-- {
		if content[i] != 0 {
			d.loud = d.seen - uint64(len(content)-1-i)
			break
		}
	}
	return len(b)
}

// offset judges the range of the data as soon as it is known.
func (d *readData) offset() {
	c, err := wire.ParseOffsetData(d.first[:])
	if err != nil {
		return
	}
	d.judge.broken(dataLength, true)
	d.judge.content(d.place, d.r, c.Offset, d.header.Length-8, dataBounds, dataOverlap)
}

func (d *readData) end() {
	if d.n < len(d.first) && !d.r.unspecified() {
		d.judge.accuse(d.place, dataLength, "offset-data-too-short", d.header.Length)
	}
	if c, err := wire.ParseOffsetData(d.first[:]); err == nil && d.n == len(d.first) {
		d.r.answer.covered.hush(c.Offset, d.loud)
	}
	d.judge.chunkEnds(&d.chunkData)
}

// hole judges NBD_REPLY_TYPE_OFFSET_HOLE.
func (j *Judge) hole(d *chunkData) {
	p := d.place
	if j.broken(holeLength, d.header.Length == 12) {
		j.accuse(p, holeLength, "hole-chunk-length", d.header.Length)
		return
	}
	h, err := wire.ParseOffsetHole(d.b)
	if j.broken(holeNonzero, err == nil && h.Size > 0) {
		j.accuse(p, holeNonzero, "hole-chunk-empty")
		return
	}
	j.content(p, d.r, h.Offset, uint64(h.Size), holeBounds, holeOverlap)
}

// content judges the range of a content chunk.
func (j *Judge) content(p place, r *request, offset, n uint64, bounds, overlap check) {
	a := &r.answer
	a.content++
	if r.Flags&wire.CmdFlagDF != 0 && j.broken(dfOneContent, a.content == 1) {
		j.accuse(p, dfOneContent, "several-content-chunks-with-df", a.content)
	}
	at := offset - r.Offset
	if j.broken(bounds, offset >= r.Offset && at <= r.Length && n <= r.Length-at) {
		j.accuse(p, bounds, "content-outside-request", n, offset, expect(r.Length), expect(r.Offset))
		return
	}
	for _, o := range a.offsets {
		if j.broken(contentBeforeError, o < offset || o-offset >= n) {
			j.accuse(p, contentBeforeError, "content-over-earlier-error", n, offset, o)
			break
		}
	}
	if len(a.covered.spans) >= maxSpans || !j.keep() {
		a.coarse = true
		return
	}
	if other, ok := a.covered.add(span{from: offset, to: offset + n}); j.broken(overlap, ok) {
		j.accuse(p, overlap, "content-overlaps", n, offset, other.to-other.from, other.from)
	}
}

// readEnds judges a structured reply to NBD_CMD_READ as a whole.
func (j *Judge) readEnds(p place, r *request) {
	a := &r.answer
	if a.errors > 0 {
		if r.Flags&wire.CmdFlagDF != 0 && a.first == wire.EOVERFLOW && j.broken(dfNoContent, a.content == 0) {
			j.accuse(p, dfNoContent, "content-with-df-eoverflow", a.content)
		}
		return
	}
	if a.coarse || r.Length == 0 {
		return
	}
	if j.broken(readCover, a.covered.total == r.Length) {
		j.accuse(p, readCover, "content-incomplete", a.covered.total, expect(r.Length))
	}
}
