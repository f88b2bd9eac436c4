package judge

import (
	"nbdconform/reference/wire"
)

// judgeRequest holds a request against what the server offered, and notes the
// faults that the server should answer with an error.
func (j *Judge) judgeRequest(r *request) {
	p, e := r.place, &j.export
	if j.disc != nil {
		j.accuse(p, discSilence, "request-after-disc", r.Type)
	}
	if j.isLBAStatus(r) {
		j.judgeAskingLBA(r)
		return
	}
	if !r.Type.Known() {
		r.faults |= unknownCmd
		j.accuse(p, requestNegotiated, "command-undefined", r.Type)
		return
	}
	j.broken(requestNegotiated, true)
	j.judgeCommandFlags(r)
	j.judgeZero(r)
	has := func(c check, flag wire.TransmissionFlags) {
		if j.broken(c, e.flags&flag != 0 || e.unknown) {
			j.accuse(p, c, "command-unadvertised", r.Type, e.flags)
			r.faults |= unadvertised
		}
	}
	switch r.Type {
	case wire.CmdDisc:
		if !r.announced && j.broken(discZero, r.Offset == 0 && r.Length == 0) {
			j.accuse(p, discZero, "disc-fields-not-zero", r.Offset, r.Length)
		}
		if j.broken(discInflight, j.waiting == 0) {
			j.accuse(p, discInflight, "disc-while-requests-pending", j.waiting)
		}
		return
	case wire.CmdFlush:
		has(flushAdvertised, wire.FlagSendFlush)
		if !r.announced && j.broken(flushZero, r.Offset == 0 && r.Length == 0) {
			j.accuse(p, flushZero, "flush-fields-not-zero", r.Offset, r.Length)
		}
		return
	case wire.CmdTrim:
		has(trimAdvertised, wire.FlagSendTrim)
	case wire.CmdWriteZeroes:
		has(zeroesAdvertised, wire.FlagSendWriteZeroes)
	case wire.CmdBlockStatus:
		if j.broken(statusNeedsContext, len(j.selected.ids) > 0 || j.selected.unknown) {
			j.accuse(p, statusNeedsContext, "block-status-without-context")
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
		j.accuse(p, flagDocumented, "command-flags-undocumented", r.Type, f, expect(allowed))
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
			j.accuse(p, flagFUAAdvertised, "fua-unadvertised", r.Type, e.flags)
		}
		if j.broken(flagFUAOnlyWrites, r.writes()) {
			j.accuse(p, flagFUAOnlyWrites, "fua-on-command-that-does-not-write", r.Type)
		}
	}
	if r.Type == wire.CmdRead && f&wire.CmdFlagDF != 0 && j.broken(flagDFAdvertised, e.flags&wire.FlagSendDF != 0 || e.unknown) {
		j.accuse(p, flagDFAdvertised, "df-unadvertised", e.flags)
	}
	if r.Type == wire.CmdWriteZeroes && f&wire.CmdFlagFastZero != 0 && j.broken(flagFastZeroAdvertised, e.flags&wire.FlagSendFastZero != 0 || e.unknown) {
		j.accuse(p, flagFastZeroAdvertised, "fast-zero-unadvertised", e.flags)
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
		j.accuse(r.place, c.ask, "request-of-length-zero", r.Type)
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
		j.accuse(p, boundsClient, "request-beyond-export", r.Type, r.Offset, r.Length, expect(e.size))
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
		j.accuse(p, maxPayloadClient, "request-payload-beyond-maximum", r.Type, r.Length, expect(e.sizes.MaxPayload))
	}
	// Whether the other two have to be aligned is disputed.
	if m := uint64(e.sizes.Minimum); m > 0 && r.Type != wire.CmdCache && r.Type != wire.CmdBlockStatus {
		if j.broken(alignClient, r.Offset%m == 0 && r.Length%m == 0) {
			j.accuse(p, alignClient, "request-not-aligned", r.Type, r.Offset, r.Length, expect(m))
			r.faults |= unaligned
		}
	}
}
