package judge

import (
	"encoding/binary"
	"math"
	"strings"

	"nbdconform/reference/wire"
)

// contextCount says how many chunks of a reply were about a metadata context.
type contextCount struct {
	id     uint32
	chunks int
}

// statusData looks at the payload of a block status chunk as it passes.
type statusData struct {
	chunkData
	extended bool
	id       uint32
	part     []byte // a piece of the payload that is not decoded yet
	head     int    // bytes in front of the extents
	extents  uint64
	sum      uint64 // bytes in the extents so far
	counted  bool   // the descriptor count was looked at
	told     [5]bool
}

const (
	toldZero = iota
	toldSum
	toldMultiple
	toldReserved
	toldHigh
)

func (d *statusData) start(c *chunkData) {
	*d = statusData{chunkData: *c, extended: c.judge.extended, head: 4, part: d.part[:0]}
	d.chunkData.b = nil
	if d.extended {
		d.head = 8
	}
	j, h := d.judge, d.header
	size := uint64(2 * d.head)
	n := (h.Length - min(h.Length, uint64(d.head))) / size
	if j.broken(statusMaxExtents, n <= wire.MaxExtents) {
		j.accuse(d.place, statusMaxExtents, "too-many-extents", n, expect(wire.MaxExtents))
	}
	if !d.judgeLength(n) {
		return
	}
	if d.r.Flags&wire.CmdFlagReqOne != 0 && j.broken(reqOneExtent, n <= 1) {
		j.accuse(d.place, reqOneExtent, "several-extents-with-req-one", h.Type, n)
	}
}

// judgeLength judges the length of the chunk, which has room for n extents. It
// returns false where nothing more can be said of their number.
func (d *statusData) judgeLength(n uint64) bool {
	j, h, head, size := d.judge, d.header, uint64(d.head), uint64(2*d.head)
	whole := h.Length >= head && (h.Length-head)%size == 0
	switch {
	case whole && n == 0 && d.r.unspecified():
		return false
	case d.extended:
		if j.broken(extLength, whole && n > 0) {
			j.accuse(d.place, extLength, "extended-status-chunk-length", h.Type, h.Length)
			d.counted = true // to no use
		}
	case j.broken(statusLength, whole):
		j.accuse(d.place, statusLength, "status-chunk-length", h.Type, h.Length, expect(head), expect(size))
	case j.broken(statusAtLeastOne, n > 0):
		j.accuse(d.place, statusAtLeastOne, "status-chunk-without-extent", h.Type)
	}
	return true
}

// data decodes the extents in slabs: the fixed front part is kept, so that each
// slab is a payload of its own.
func (d *statusData) data(b []byte) int {
	const slab = 256
	limit := d.head + slab*2*d.head
	took := len(b)
	for len(b) > 0 {
		n := min(len(b), limit-len(d.part))
		d.part = append(d.part, b[:n]...)
		b = b[n:]
		if d.extended && !d.counted && len(d.part) >= d.head {
			d.judgeCount()
		}
		if len(d.part) == limit {
			d.decode()
		}
	}
	return took
}

// decode judges the extents in part and leaves the front part and what is not
// a whole extent.
func (d *statusData) decode() {
	size := 2 * d.head
	if len(d.part) < d.head+size {
		return
	}
	whole := d.head + (len(d.part)-d.head)/size*size
	parse := wire.ParseBlockStatus
	if d.extended {
		parse = wire.ParseBlockStatusExt
		binary.BigEndian.PutUint32(d.part[4:], uint32((whole-d.head)/size)) // the count of this slab
	}
	s, err := parse(d.part[:whole])
	if err != nil {
		return
	}
	d.id = s.ContextID
	for _, e := range s.Extents {
		d.extent(e)
	}
	d.part = append(d.part[:d.head], d.part[whole:]...)
}

// extent judges the next extent. Of each kind of fault the first is told.
func (d *statusData) extent(e wire.Extent) {
	j, r, p := d.judge, d.r, d.place
	tell := func(i int, c check, ok bool) bool {
		if j.broken(c, ok) && !d.told[i] {
			d.told[i] = true
			return true
		}
		return false
	}
	nonzero := statusExtentNonzero
	if d.extended {
		nonzero = extExtentNonzero
	}
	if !r.unspecified() && tell(toldZero, nonzero, e.Length != 0) {
		j.accuse(p, nonzero, "extent-empty", d.extents)
	}
	switch {
	case r.announced && !r.filtered: // the length that was asked for is unknown
	case r.Flags&wire.CmdFlagReqOne != 0:
		if d.extents == 0 && r.Length > 0 && j.broken(reqOneLength, e.Length <= r.Length) {
			j.accuse(p, reqOneLength, "req-one-extent-longer-than-request", e.Length, expect(r.Length))
		}
	case d.extents > 0 && r.Length > 0:
		if tell(toldSum, statusSum, d.sum < r.Length) {
			j.accuse(p, statusSum, "extent-beyond-request", d.extents, d.sum, expect(r.Length))
		}
	}
	d.extents++
	d.sum += min(e.Length, ^uint64(0)-d.sum)
	end := r.Offset + min(d.sum, ^uint64(0)-r.Offset)
	if s := j.export.sizes; s != nil && s.Minimum > 0 && r.Offset%uint64(s.Minimum) == 0 && end < j.export.size {
		if tell(toldMultiple, statusMultiple, e.Length%uint64(s.Minimum) == 0) {
			j.accuse(p, statusMultiple, "extent-not-multiple-of-minimum", d.extents-1, e.Length, expect(s.Minimum))
		}
	}
	if j.selected.unknown {
		return
	}
	if d.extended && strings.HasPrefix(j.selected.ids[d.id], "base:") {
		if tell(toldHigh, extHighBits, e.Status>>32 == 0) {
			j.accuse(p, extHighBits, "status-beyond-32-bits", d.extents-1, e.Status, j.selected.ids[d.id])
		}
		e.Status &= math.MaxUint32
	}
	if j.selected.ids[d.id] == "base:allocation" {
		const known = wire.StateHole | wire.StateZero
		if tell(toldReserved, statusReserved, wire.StateFlags(e.Status)&^known == 0) {
			j.accuse(p, statusReserved, "status-flags-undefined", d.extents-1, wire.StateFlags(e.Status), expect(known))
		}
	}
}

func (d *statusData) end() {
	d.decode()
	if d.extents > 0 {
		d.count()
	}
	d.judge.chunkEnds(&d.chunkData)
}

// count notes that the reply has a chunk for the context.
func (d *statusData) count() {
	a := &d.r.answer
	for i := range a.statuses {
		if a.statuses[i].id == d.id {
			a.statuses[i].chunks++
			return
		}
	}
	if len(a.statuses) >= maxKept || !d.judge.keep() {
		a.coarse = true
		return
	}
	a.statuses = append(a.statuses, contextCount{d.id, 1})
}

// statusEnds judges a reply to NBD_CMD_BLOCK_STATUS as a whole.
func (j *Judge) statusEnds(p place, r *request) {
	a := &r.answer
	if a.errors > 0 || a.coarse || j.selected.unknown || r.Length == 0 || r.faults&unselected != 0 || r.announced && !r.filtered {
		return
	}
	if r.filtered {
		j.judgeFiltered(p, r)
		return
	}
	j.broken(statusPerContext, true)
	found := 0
	for _, s := range a.statuses {
		name, ok := j.selected.ids[s.id]
		switch {
		case !ok:
			j.accuse(p, statusPerContext, "chunk-for-unselected-context", s.id)
			return
		case s.chunks > 1:
			j.accuse(p, statusPerContext, "several-chunks-for-selected-context", s.chunks, s.id, clip(name))
			return
		}
		found++
	}
	if found < len(j.selected.ids) {
		j.accuse(p, statusPerContext, "selected-context-without-chunk", found, expect(len(j.selected.ids)))
	}
}
