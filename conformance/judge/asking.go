package judge

import (
	"nbdconform/reference/wire"
)

// judgeRequest holds a request against what the server offered, and notes the
// faults that the server should answer with an error.
func (j *Judge) judgeRequest(r *request) {
	p, e := r.place, &j.export
	if j.disc != nil {
		j.accuse(p, discSilence, "%v is sent after NBD_CMD_DISC", r.Type)
	}
	if j.isLBAStatus(r) {
		j.judgeAskingLBA(r)
		return
	}
	if !r.Type.Known() {
		r.faults |= unknownCmd
		j.accuse(p, requestNegotiated, "%v is no command of the document", r.Type)
		return
	}
	j.broken(requestNegotiated, true)
	j.judgeCommandFlags(r)
	j.judgeZero(r)
	has := func(c check, flag wire.TransmissionFlags) {
		if j.broken(c, e.flags&flag != 0 || e.unknown) {
			j.accuse(p, c, "%v is sent, the transmission flags are %v", r.Type, e.flags)
			r.faults |= unadvertised
		}
	}
	switch r.Type {
	case wire.CmdDisc:
		if !r.announced && j.broken(discZero, r.Offset == 0 && r.Length == 0) {
			j.accuse(p, discZero, "NBD_CMD_DISC has offset %d and length %d, both must be zero", r.Offset, r.Length)
		}
		if j.broken(discInflight, j.waiting == 0) {
			j.accuse(p, discInflight, "NBD_CMD_DISC is sent while %d requests are pending", j.waiting)
		}
		return
	case wire.CmdFlush:
		has(flushAdvertised, wire.FlagSendFlush)
		if !r.announced && j.broken(flushZero, r.Offset == 0 && r.Length == 0) {
			j.accuse(p, flushZero, "NBD_CMD_FLUSH has offset %d and length %d, both must be zero", r.Offset, r.Length)
		}
		return
	case wire.CmdTrim:
		has(trimAdvertised, wire.FlagSendTrim)
	case wire.CmdWriteZeroes:
		has(zeroesAdvertised, wire.FlagSendWriteZeroes)
	case wire.CmdBlockStatus:
		if j.broken(statusNeedsContext, len(j.selected.ids) > 0 || j.selected.unknown) {
			j.accuse(p, statusNeedsContext, "NBD_CMD_BLOCK_STATUS is sent, no metadata context is selected for the export in use")
			r.faults |= unselected
		}
	case wire.CmdResize: // its length is no range
		has(resizeAdvertised, wire.FlagSendResize)
		j.judgeResize(r)
		return
	}
	if r.writes() && e.flags&wire.FlagReadOnly != 0 {
		r.faults |= writesRO
	}
	j.judgeRange(r)
}

// writes reports whether the command is a write command, section "Ordering of messages and writes".
func (r *request) writes() bool {
	return r.Type == wire.CmdWrite || r.Type == wire.CmdWriteZeroes || r.Type == wire.CmdTrim
}

// ranged reports whether the command is about a range of the export.
func (r *request) ranged() bool {
	if r.announced && !r.filtered && r.Type != wire.CmdWrite {
		return false // Length is that of the payload
	}
	switch r.Type {
	case wire.CmdRead, wire.CmdWrite, wire.CmdTrim, wire.CmdCache, wire.CmdWriteZeroes, wire.CmdBlockStatus:
		return true
	}
	return false
}

// judgeCommandFlags judges the flags of a known command.
func (j *Judge) judgeCommandFlags(r *request) {
	p, f, e := r.place, r.Flags, &j.export
	allowed := j.opts.Dialect.AllowedFlags(r.Type)
	if !j.extended {
		allowed &^= wire.CmdFlagPayloadLen
	}
	const known = wire.CmdFlagPayloadLen<<1 - 1
	if j.broken(flagDocumented, f&^allowed == 0) {
		j.accuse(p, flagDocumented, "%v has the flags %v, of which %v are documented for it", r.Type, f, allowed)
		switch extra := f &^ allowed; {
		case f&^known != 0:
			r.faults |= unknownFlag
		case r.announced && extra == wire.CmdFlagPayloadLen:
			r.faults |= strayPayload
		default:
			r.faults |= strayFlag
		}
	}
	if f&wire.CmdFlagFUA != 0 {
		if j.broken(flagFUAAdvertised, e.flags&wire.FlagSendFUA != 0 || e.unknown) {
			j.accuse(p, flagFUAAdvertised, "%v has NBD_CMD_FLAG_FUA, the transmission flags are %v", r.Type, e.flags)
		}
		if j.broken(flagFUAOnlyWrites, r.writes()) {
			j.accuse(p, flagFUAOnlyWrites, "%v has NBD_CMD_FLAG_FUA and writes nothing", r.Type)
		}
	}
	if r.Type == wire.CmdRead && f&wire.CmdFlagDF != 0 && j.broken(flagDFAdvertised, e.flags&wire.FlagSendDF != 0 || e.unknown) {
		j.accuse(p, flagDFAdvertised, "NBD_CMD_READ has NBD_CMD_FLAG_DF, the transmission flags are %v", e.flags)
	}
	if r.Type == wire.CmdWriteZeroes && f&wire.CmdFlagFastZero != 0 && j.broken(flagFastZeroAdvertised, e.flags&wire.FlagSendFastZero != 0 || e.unknown) {
		j.accuse(p, flagFastZeroAdvertised, "NBD_CMD_WRITE_ZEROES has NBD_CMD_FLAG_FAST_ZERO, the transmission flags are %v", e.flags)
		r.faults |= blindFast
	}
}

// zeroLength gives the checks for a length of zero: of the client, and of the
// server that should bear it.
var zeroLength = map[wire.Command]struct{ ask, stay check }{
	wire.CmdRead:        {readZeroLength, readZeroStay},
	wire.CmdWrite:       {writeZeroLength, writeZeroStay},
	wire.CmdTrim:        {trimZeroLength, trimZeroStay},
	wire.CmdWriteZeroes: {zeroesZeroLength, zeroesZeroStay},
	wire.CmdBlockStatus: {statusZeroLength, statusZeroStay},
}

func (j *Judge) judgeZero(r *request) {
	if c, ok := zeroLength[r.Type]; ok && r.ranged() && j.broken(c.ask, r.Length > 0) {
		j.accuse(r.place, c.ask, "%v has length 0", r.Type)
	}
}

// judgeRange judges offset and length.
func (j *Judge) judgeRange(r *request) {
	p, e := r.place, &j.export
	if !r.ranged() || e.unknown {
		return
	}
	if j.resizes.pending > 0 && j.judgeMeanwhile(r) {
		return
	}
	end := r.Offset + r.Length
	if j.broken(boundsClient, end >= r.Offset && end <= e.size) {
		j.accuse(p, boundsClient, "%v reaches from %d over %d bytes, the export has %d", r.Type, r.Offset, r.Length, e.size)
		if r.faults |= beyondEnd; end >= r.Offset && end <= j.resizes.old {
			r.faults = r.faults&^beyondEnd | shrunk
		}
	}
	payload := r.Type == wire.CmdWrite || r.Type == wire.CmdRead && !j.structured && !j.extended
	if payload && e.sizes != nil && r.Length > uint64(e.sizes.MaxPayload) {
		r.faults |= oversized
	}
	if payload && r.Length > wire.DefaultMaxPayload {
		j.unsized = true
	}
	if !e.committed {
		return
	}
	if payload && j.broken(maxPayloadClient, r.faults&oversized == 0) {
		j.accuse(p, maxPayloadClient, "%v has length %d, the maximum payload size is %d", r.Type, r.Length, e.sizes.MaxPayload)
	}
	// Whether the other two have to be aligned is disputed.
	if m := uint64(e.sizes.Minimum); m > 0 && r.Type != wire.CmdCache && r.Type != wire.CmdBlockStatus {
		if j.broken(alignClient, r.Offset%m == 0 && r.Length%m == 0) {
			j.accuse(p, alignClient, "%v has offset %d and length %d, the minimum block size is %d", r.Type, r.Offset, r.Length, m)
			r.faults |= unaligned
		}
	}
}
