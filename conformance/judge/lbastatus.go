package judge

import (
	"encoding/binary"
	"fmt"

	"nbdconform/reference/wire"
)

// isLBAStatus reports whether r is NBD_CMD_GET_LBA_STATUS, in the dialect that
// has it.
func (j *Judge) isLBAStatus(r *request) bool {
	return j.opts.Dialect == wire.GetLBAStatus && r.Type == wire.CmdGetLBAStatus
}

// judgeAskingLBA judges NBD_CMD_GET_LBA_STATUS. Its flags are a type, of which
// any is fine; what comes of a faulty request is open.
func (j *Judge) judgeAskingLBA(r *request) {
	j.log.say(r.msg, fmt.Sprintf("NBD_CMD_GET_LBA_STATUS %v cookie %#x offset %d length %d",
		wire.LBAType(r.Flags), r.Cookie, r.Offset, r.Length))
	if j.broken(requestNegotiated, j.export.flags&wire.FlagSendGetLBAStatus != 0 || j.export.unknown) {
		j.accuse(r.place, requestNegotiated, "lba-status-unadvertised",
			j.opts.Dialect.FlagNames(j.export.flags))
		r.faults |= unadvertised
	}
	j.judgeRange(r)
	if r.faults != 0 {
		r.faults |= unadvertised
	}
}

// lbaData follows what is behind the reply to NBD_CMD_GET_LBA_STATUS.
type lbaData struct {
	judge *Judge
	r     *request // nil: nothing of the data is judged
	place place

	head   []byte // of the length, and then of a descriptor, as far as it came
	whole  bool   // the length came
	length uint32 // of the parameter data
	count  int    // descriptors
	first  wire.LBADescriptor
	stray  *wire.LBADescriptor // the first that is not about the range
	state  *wire.LBADescriptor // the first with a status that is not defined
}

const lbaLength = 4

// lbaFollows makes the data of NBD_CMD_GET_LBA_STATUS the payload of the
// server's current message.
func (j *Judge) lbaFollows(r *request, judged bool) {
	d := &lbaData{judge: j, place: j.server.here()}
	if judged {
		d.r = r
	}
	j.server.rest, j.server.sink = lbaLength, d
	j.log.grow(j.server.msg, lbaLength)
}

func (d *lbaData) data(b []byte) int {
	n := len(b)
	for len(b) > 0 {
		want := wire.LBADescriptorSize
		if !d.whole {
			want = lbaLength
		}
		k := min(want-len(d.head), len(b))
		d.head, b = append(d.head, b[:k]...), b[k:]
		if len(d.head) < want {
			break
		}
		if d.whole {
			d.descriptor(d.head)
		} else {
			d.whole, d.length = true, binary.BigEndian.Uint32(d.head)
			d.judge.server.rest += uint64(d.length) // n is taken off it yet
			d.judge.log.grow(d.place.msg, uint64(d.length))
		}
		d.head = d.head[:0]
	}
	return n
}

// descriptor notes what is wrong with one of them, if it is the first.
func (d *lbaData) descriptor(b []byte) {
	list, err := wire.ParseLBAStatus(b)
	if err != nil || d.r == nil {
		return
	}
	e := list[0]
	if d.count++; d.count == 1 {
		d.first = e
	}
	from, n := d.r.Offset, d.r.Length
	overlaps := e.Offset-from < n || from-e.Offset < uint64(e.Length)
	if d.stray == nil && !overlaps && n > 0 && e.Length > 0 {
		d.stray = &e
	}
	if d.state == nil && e.Status > most(wire.LBAType(d.r.Flags)) {
		d.state = &e
	}
}

// most is the largest status that the draft defines for a type.
func most(kind wire.LBAType) uint16 {
	switch kind {
	case wire.LBAAllocated:
		return wire.LBAStateDeallocated
	case wire.LBADirty:
		return wire.LBAStateClean
	}
	return ^uint16(0)
}

// end judges the data as a whole.
func (d *lbaData) end() {
	j, r, p := d.judge, d.r, d.place
	if r == nil {
		return
	}
	if j.broken(lbaDescriptors, d.length%wire.LBADescriptorSize == 0) {
		j.accuse(p, lbaDescriptors, "lba-data-length", d.length, expect(wire.LBADescriptorSize))
		return
	}
	if j.broken(lbaRange, d.stray == nil) {
		j.accuse(p, lbaRange, "lba-descriptor-outside-request",
			d.stray.Length, d.stray.Offset, expect(r.Length), expect(r.Offset))
	}
	switch kind := wire.LBAType(r.Flags); kind {
	case wire.LBAAllocated, wire.LBADirty:
		c := lbaAllocated
		if kind == wire.LBADirty {
			c = lbaDirty
		}
		if j.broken(c, d.state == nil) {
			j.accuse(p, c, "lba-status-undefined", *d.state, expect(most(kind)))
		}
	default: // nobody knows what it stands for, so that nobody can tell
		want := wire.LBADescriptor{Offset: r.Offset, Length: uint32(r.Length)}
		if j.broken(lbaUnimplemented, d.count == 1 && d.first == want) {
			j.accuse(p, lbaUnimplemented, "lba-descriptor-of-unknown-type",
				kind, d.count, d.first, expect(want))
		}
	}
}
