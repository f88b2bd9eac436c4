package server

import "nbdconform/reference/wire"

// knownFlags are the command flags that this server knows. With extended
// headers there is NBD_CMD_FLAG_PAYLOAD_LEN as well.
const knownFlags = wire.CmdFlagFUA | wire.CmdFlagNoHole | wire.CmdFlagDF | wire.CmdFlagReqOne | wire.CmdFlagFastZero

// A demand is what a command needs to be allowed at all.
type demand struct {
	flag         wire.TransmissionFlags // that has to be advertised
	unadvertised string                 // clause
	readOnly     string                 // clause; "": read-only exports don't mind
	align        string                 // clause
	bounds       string                 // clause
	beyond       wire.Errno             // the error for a range that ends beyond the export
}

var demands = [...]demand{
	wire.CmdRead: {align: "err.read.align", bounds: "err.read.bounds", beyond: wire.EINVAL},
	wire.CmdWrite: {
		readOnly: "err.write.read-only",
		align:    "err.write.align", bounds: "err.write.bounds", beyond: wire.ENOSPC,
	},
	wire.CmdFlush: {flag: wire.FlagSendFlush, unadvertised: "cmd.flush.needs-flag"},
	wire.CmdTrim: {
		flag: wire.FlagSendTrim, unadvertised: "cmd.trim.needs-flag", readOnly: "err.trim.read-only",
		align: "size.align.server", bounds: "err.trim.bounds", beyond: wire.EINVAL,
	},
	wire.CmdCache: {
		flag: wire.FlagSendCache, unadvertised: "flag.transmission.client-use",
		align: "size.align.server.other", bounds: "size.bounds.cache", beyond: wire.EINVAL,
	},
	wire.CmdWriteZeroes: {
		flag: wire.FlagSendWriteZeroes, unadvertised: "cmd.write-zeroes.needs-flag",
		readOnly: "cmd.write-zeroes.read-only", align: "size.align.server",
		bounds: "cmd.write-zeroes.bounds", beyond: wire.ENOSPC,
	},
	wire.CmdBlockStatus: {align: "size.align.server.other", bounds: "cmd.block-status.bounds", beyond: wire.EINVAL},
	wire.CmdResize:      {},
}

// check holds a request against all that can be known without doing it. It
// returns the error to reply with and a text for people, or OK.
func (t *transmission) check(q *wire.Request) (wire.Errno, string) {
	if t.srv.stopping.Load() {
		return wire.ESHUTDOWN, "the server is shutting down"
	}
	if t.isLBAStatus(q) {
		return t.checkLBAStatus(q)
	}
	if int(q.Type) >= len(demands) || q.Type == wire.CmdDisc || q.Type == wire.CmdResize && t.Flags&wire.FlagSendResize == 0 {
		if t.enforce("err.unknown-command", false) {
			return wire.OK, ""
		}
		return wire.EINVAL, "unknown command"
	}
	d := &demands[q.Type]
	if e, text := t.checkFlags(q, d); e != wire.OK {
		return e, text
	}
	if q.Type == wire.CmdFlush {
		if !t.enforce("cmd.flush.zero", q.Offset == 0 && q.Length == 0) {
			return wire.EINVAL, "offset and length of a flush have to be zero"
		}
		return wire.OK, ""
	}
	if q.Type == wire.CmdResize {
		return t.checkResize(q)
	}
	if e, text := t.checkRange(q, d); e != wire.OK {
		return e, text
	}
	switch q.Type {
	case wire.CmdRead, wire.CmdWrite:
		return t.checkPayload(q)
	case wire.CmdBlockStatus:
		if !t.enforce("meta.block-status.unselected", len(t.Contexts) > 0) {
			return wire.EINVAL, "no metadata context was selected"
		}
		if q.Length == 0 { // no descriptor can have a length of 0
			return wire.EINVAL, "a block status of nothing can't be told"
		}
	}
	return wire.OK, ""
}

// checkFlags looks at the command, its flags and what was advertised. A
// read-only export has no flags for what only writes, and NBD_EPERM says more
// than NBD_EINVAL.
func (t *transmission) checkFlags(q *wire.Request, d *demand) (wire.Errno, string) {
	known := knownFlags
	if t.Extended {
		known |= wire.CmdFlagPayloadLen
	}
	if !t.enforce("err.unknown-flag", q.Flags&^known == 0) {
		return wire.EINVAL, "unknown command flag"
	}
	if !t.enforce("err.inapplicable-flag", q.Flags&known&^t.Dialect().AllowedFlags(q.Type) == 0) {
		return wire.EINVAL, "the command does not have this flag"
	}
	if e, text := t.checkPayloadFlag(q); e != wire.OK {
		return e, text
	}
	if d.readOnly != "" && !t.enforce(d.readOnly, t.Flags&wire.FlagReadOnly == 0) {
		return wire.EPERM, "the export is read-only"
	}
	if !t.enforce("err.inapplicable-flag",
		(q.Flags&wire.CmdFlagFUA == 0 || t.Flags&wire.FlagSendFUA != 0) &&
			(q.Flags&wire.CmdFlagDF == 0 || t.Flags&wire.FlagSendDF != 0)) {
		return wire.EINVAL, "the flag was not advertised"
	}
	if !t.enforce("cmd.write-zeroes.fast-zero.unadvertised",
		q.Flags&wire.CmdFlagFastZero == 0 || t.Flags&wire.FlagSendFastZero != 0) {
		return wire.EINVAL, "fast zero was not advertised"
	}
	if d.flag != 0 && !t.enforce(d.unadvertised, t.Flags&d.flag != 0) {
		return wire.EINVAL, "the command was not advertised"
	}
	return wire.OK, ""
}

// checkRange looks at offset and length; their sum may be beyond 2^64.
func (t *transmission) checkRange(q *wire.Request, d *demand) (wire.Errno, string) {
	if !t.enforce(d.align, (q.Offset|q.Length)%t.minimum == 0) {
		return wire.EINVAL, "the request is not aligned to the minimum block size"
	}
	size := t.disk.Size()
	t.most = max(t.most, size)
	within := func(size uint64) bool { return q.Offset <= size && q.Length <= size-q.Offset }
	switch {
	case within(size):
	case within(t.most) && t.enforce("resize.shrunk.enospc", false):
	case within(t.most):
		return wire.ENOSPC, "the request ends beyond the export, which has shrunk"
	case !t.enforce(d.bounds, false):
		return d.beyond, "the request ends beyond the export"
	}
	return wire.OK, ""
}

// checkPayload refuses what the server would have to hold in memory and is
// too long. A structured reply could be split, but need not be: see clause
// cmd.read.large.eoverflow.
func (t *transmission) checkPayload(q *wire.Request) (wire.Errno, string) {
	switch {
	case q.Length <= t.maxPayload:
		return wire.OK, ""
	case q.Type == wire.CmdRead && t.Structured:
		return wire.EOVERFLOW, "the read is longer than the maximum payload size"
	default:
		return wire.EINVAL, "the request is longer than the maximum payload size"
	}
}
