package judge

import (
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"nbdconform/reference/wire"
)

// judgeExtHeaderReqd judges NBD_REP_ERR_EXT_HEADER_REQD where it has no place.
func (j *Judge) judgeExtHeaderReqd(p place, o *option, t wire.ReplyType) {
	base := o.whole && !o.faulty && len(o.meta.Queries) > 0 &&
		!slices.ContainsFunc(o.meta.Queries, func(q string) bool { return !strings.HasPrefix(q, "base:") })
	var c check
	switch {
	case j.extended && o.option == wire.OptListMetaContext:
		c = listMetaExtended
	case j.extended && slices.Contains([]wire.Option{
		wire.OptList, wire.OptStartTLS, wire.OptInfo, wire.OptGo, wire.OptSetMetaContext, wire.OptExtendedHeaders,
	}, o.option):
		c = extHeaderReqdUse
	case !j.structured || j.extended || !base:
		return
	case o.option == wire.OptListMetaContext:
		c = listMetaExtendedBase
	case o.option == wire.OptSetMetaContext:
		c = setMetaExtendedBase
	default:
		return
	}
	if j.broken(c, t != wire.RepErrExtHeaderReqd) {
		j.accuse(p, c, "ext-header-reqd-without-reason", o.option, t, j.extended)
	}
}

// judgePayloadFlag holds NBD_FLAG_BLOCK_STATUS_PAYLOAD in reply to NBD_OPT_GO
// against the metadata contexts that were selected.
func (j *Judge) judgePayloadFlag(p place, o *option, f wire.TransmissionFlags) {
	if !j.extended || o.option != wire.OptGo || !o.whole || o.faulty || j.selected.unknown {
		return
	}
	selected := len(j.selected.ids) > 0 && j.selected.export == o.info.Export
	if j.broken(payloadFlagContexts, selected || f&wire.FlagBlockStatusPayload == 0) {
		j.accuse(p, payloadFlagContexts, "status-payload-flag-without-context", f, clip(o.info.Export))
	}
}

// judgeAnnounced holds what an extended request says of its payload against
// the command.
func (j *Judge) judgeAnnounced(r *request) {
	p, e := r.place, &j.export
	if r.Type == wire.CmdWrite && j.broken(writeAnnounced, r.announced) {
		j.accuse(p, writeAnnounced, "write-without-payload-flag")
		r.faults |= unannounced
		j.unframed = true
	}
	if r.Type == wire.CmdRead && !r.announced && j.broken(readNarrow, r.Length <= math.MaxUint32) {
		j.accuse(p, readNarrow, "read-longer-than-32-bits", r.Length)
	}
	if !r.announced {
		return
	}
	if r.Type != wire.CmdWrite && j.broken(payloadNonzero, r.Length > 0) { // a write about nothing has a rule of its own
		j.accuse(p, payloadNonzero, "payload-flag-with-length-zero", r.Type)
	}
	if r.Type == wire.CmdBlockStatus && j.broken(filterAdvertised, e.flags&wire.FlagBlockStatusPayload != 0 || e.unknown) {
		j.accuse(p, filterAdvertised, "status-payload-unadvertised", e.flags)
		r.faults |= noFilter
	}
	if r.Length > e.maxPayload() {
		r.faults |= tooLong
		j.unsized = true
	}
}

// filterData collects the payload of NBD_CMD_BLOCK_STATUS.
type filterData struct {
	judge *Judge
	r     *request
	b     []byte
	n     int
}

func (d *filterData) data(b []byte) int {
	if d.n += len(b); d.n <= maxOption {
		d.b = append(d.b, b...)
	}
	return len(b)
}

// end judges the request by what it turned out to be about.
func (d *filterData) end() {
	j, r := d.judge, d.r
	r.faults |= badFilter // unless it proves good
	if d.n == 0 || d.n > maxOption {
		return
	}
	f, err := wire.ParseStatusFilter(d.b)
	if j.broken(filterLength, err == nil) {
		j.accuse(r.place, filterLength, "status-filter-layout", err)
		return
	}
	r.faults &^= badFilter
	r.filtered, r.filter, r.Length = true, f.ContextIDs, f.Length
	ids := slices.Sorted(slices.Values(f.ContextIDs))
	if len(slices.Compact(ids)) < len(f.ContextIDs) {
		r.faults |= duplicateID
	}
	for _, id := range f.ContextIDs {
		if _, ok := j.selected.ids[id]; !ok && !j.selected.unknown {
			r.faults |= unknownID
		}
	}
	if len(f.ContextIDs) == 0 { // what comes of that is open
		r.faults |= badFilter
	}
	j.judgeZero(r)
	j.judgeRange(r)
}

// judgeExtendedHeader judges the header of a chunk where extended headers are
// negotiated.
func (j *Judge) judgeExtendedHeader(p place, magic uint32, h wire.ChunkHeader, r *request, over bool) {
	j.broken(extendedNoSimple, true)
	if j.broken(extendedReply, magic == wire.ExtendedReply) {
		j.accuse(p, extendedReply, "chunk-magic-not-extended", magic)
		return
	}
	if r == nil || over || r.quiet || r.ambiguous {
		return
	}
	if j.broken(extendedOffset, h.Offset == r.Offset) {
		j.accuse(p, extendedOffset, "chunk-offset-not-of-request", h.Offset, expect(r.Offset))
	}
}

// judgeStatusType accuses a server of the chunk type for block status that
// was not negotiated.
func (j *Judge) judgeStatusType(p place, t wire.ChunkType) {
	c := extUnnegotiated
	if j.extended {
		c = extAlways
	}
	j.accuse(p, c, "status-chunk-type-not-negotiated", t, j.extended)
}

// judgeCount holds the descriptor count of NBD_REPLY_TYPE_BLOCK_STATUS_EXT
// against the length of the chunk.
func (d *statusData) judgeCount() {
	d.counted = true
	j, n := d.judge, (d.header.Length-uint64(d.head))/uint64(2*d.head)
	count := uint64(binary.BigEndian.Uint32(d.part[4:]))
	if j.broken(extCountNonzero, count > 0) {
		j.accuse(d.place, extCountNonzero, "extent-count-zero", n)
	} else if j.broken(extCount, count == n) {
		j.accuse(d.place, extCount, "extent-count-wrong", n, count)
	}
}

// judgeFiltered judges a reply to NBD_CMD_BLOCK_STATUS with a payload as a whole.
func (j *Judge) judgeFiltered(p place, r *request) {
	if r.faults&(badFilter|unknownID|duplicateID|noFilter) != 0 {
		return
	}
	j.broken(filterLimited, true)
	for _, s := range r.answer.statuses {
		if !slices.Contains(r.filter, s.id) {
			j.accuse(p, filterLimited, "chunk-for-unrequested-context", s.id, expect(r.filter))
			return
		}
	}
	j.broken(statusPerContext, true)
	if n := len(r.answer.statuses); n < len(r.filter) {
		j.accuse(p, statusPerContext, "requested-context-without-chunk", n, expect(r.filter))
		return
	}
	for _, s := range r.answer.statuses {
		if s.chunks > 1 {
			j.accuse(p, statusPerContext, "several-chunks-for-requested-context", s.chunks, s.id)
			return
		}
	}
}
