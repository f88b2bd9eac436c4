package judge

import (
	"slices"

	"nbdconform/reference/wire"
)

// outcome judges whether r was due to succeed or fail, and with which error.
// Errors other than those that the document wants, or does not want, are free.
func (j *Judge) outcome(p place, r *request, failed bool, e wire.Errno) {
	if j.eshut && failed && e != wire.OK && j.broken(shutdownErrors, e == wire.ESHUTDOWN) {
		j.accuse(p, shutdownErrors, "error-other-than-shutdown", r.Type, e)
	}
	j.eshut = j.eshut || failed && e == wire.ESHUTDOWN
	if r.Type == wire.CmdResize {
		j.resized(r, failed)
	}
	if r.quiet || r.ambiguous || j.export.unknown || zeroOf(r) {
		return
	}
	if r.faults&writesRO != 0 && j.broken(readOnlyWrites, failed) {
		j.accuse(p, readOnlyWrites, "write-to-read-only-export-succeeds", r.Type)
		return
	}
	if failed && r.faults == 0 {
		j.unlucky(r.Request, e)
	}
	if failed && j.broken(errENOMEM, e != wire.ENOMEM) {
		j.accuse(p, errENOMEM, "enomem-in-reply", r.Type)
		return
	}
	switch {
	case r.faults&(unadvertised|oversized|tooLong|unannounced|badFilter) != 0: // anything may come of it
	case r.faults == noFilter && !failed: // the server may have what it does not advertise
	case r.faults != 0:
		j.judgeFaults(p, r, failed, e)
	case failed:
		j.judgeError(p, r, e)
	}
}

// zeroOf reports whether r is about no bytes, so that its outcome is unspecified.
func zeroOf(r *request) bool {
	_, ok := zeroLength[r.Type]
	return r.Length == 0 && (ok || r.Type == wire.CmdCache)
}

// A due is a fault with the check that it takes to answer it, and the errors that do.
type due struct {
	fault  fault
	check  check
	errors []wire.Errno
}

// dues lists what the document wants for the faults of r.
func (j *Judge) dues(r *request) []due {
	einval := []wire.Errno{wire.EINVAL}
	eperm := []wire.Errno{wire.EPERM}
	readOnly := map[wire.Command]check{
		wire.CmdWrite: errWriteReadOnly, wire.CmdTrim: errTrimReadOnly, wire.CmdWriteZeroes: errZeroesReadOnly,
	}
	bounds := map[wire.Command]check{
		wire.CmdRead: errReadBounds, wire.CmdWrite: errWriteBounds, wire.CmdTrim: errTrimBounds,
		wire.CmdWriteZeroes: errZeroesBounds, wire.CmdCache: errCacheBounds, wire.CmdBlockStatus: errStatusBounds,
	}
	beyond := einval
	if r.Type == wire.CmdWrite || r.Type == wire.CmdWriteZeroes { // the document wants both
		beyond = []wire.Errno{wire.ENOSPC, wire.EINVAL}
	}
	align := errOtherAlign
	switch r.Type {
	case wire.CmdRead:
		align = errReadAlign
	case wire.CmdWrite:
		align = errWriteAlign
	}
	unknown := errUnknownFlag
	if r.Type == wire.CmdCache && j.export.flags&wire.FlagSendCache != 0 {
		unknown = cacheFlags
	}
	return []due{
		{writesRO, readOnly[r.Type], eperm},
		{beyondEnd, bounds[r.Type], beyond},
		{shrunk, resizeENOSPC, []wire.Errno{wire.ENOSPC}},
		{unaligned, align, einval},
		{unknownCmd, errUnknownCommand, einval},
		{unknownFlag, unknown, einval},
		{strayFlag, errInapplicableFlag, einval},
		{strayPayload, payloadEINVAL, einval},
		{noFilter, filterUnsupported, einval},
		{unknownID, filterUnknown, einval},
		{duplicateID, filterDuplicate, einval},
		{unselected, statusUnselected, einval},
		{blindFast, fastZeroUnadvertised, einval},
	}
}

// judgeFaults judges the answer to a request with faults: any error will do
// that is due for one of them.
func (j *Judge) judgeFaults(p place, r *request, failed bool, e wire.Errno) {
	ok := failed && (e == wire.ESHUTDOWN || e == wire.OK ||
		e == wire.EOVERFLOW && r.Type == wire.CmdRead && j.mayOverflow(r) && r.Length > j.export.maxPayload())
	var first *due
	for _, d := range j.dues(r) {
		if r.faults&d.fault == 0 {
			continue
		}
		if first == nil {
			first = &d
		}
		j.broken(d.check, true)
		for _, want := range d.errors {
			ok = ok || failed && e == want
		}
		ok = ok || failed && d.check == cacheFlags // any rejection
	}
	flags := j.export.flags
	if r.Flags&wire.CmdFlagDF != 0 && flags&wire.FlagSendDF == 0 || r.Flags&wire.CmdFlagFUA != 0 && flags&wire.FlagSendFUA == 0 {
		ok = ok || failed && e == wire.EINVAL // for a flag that was not advertised
	}
	if flags&wire.FlagSendResize != 0 { // another client may have changed the size
		ok = ok || !failed && r.faults&(beyondEnd|shrunk) != 0 || e == wire.ENOSPC && r.ranged()
	}
	switch {
	case ok || first == nil:
	case failed:
		j.accuse(p, first.check, "error-other-than-documented", r.Request, e, expect(first.errors[0]))
		j.judgeRare(p, r, e)
	default:
		j.accuse(p, first.check, "faulty-request-succeeds", r.Request, expect(first.errors[0]))
	}
}

// judgeError judges the error that a request without faults fails with.
func (j *Judge) judgeError(p place, r *request, e wire.Errno) {
	if r.Type == wire.CmdResize && j.broken(resizeErrors, e == wire.OK || slices.Contains(errorsOfResize, e)) {
		j.accuse(p, resizeErrors, "resize-error-undocumented", e, expect(errorsOfResize))
		return
	}
	flags := j.export.flags
	fast := r.Flags&wire.CmdFlagFastZero != 0
	advertised := flags&wire.FlagSendFastZero != 0
	if r.Type == wire.CmdWriteZeroes {
		c := zeroesENOTSUP
		if !advertised {
			c = zeroesENOTSUPUnadvertised
		}
		if (!fast || !advertised) && j.broken(c, e != wire.ENOTSUP) {
			j.accuse(p, c, "write-zeroes-enotsup", r.Flags, flags)
		}
		if fast && advertised && j.broken(fastZeroEOVERFLOW, e != wire.EOVERFLOW) {
			j.accuse(p, fastZeroEOVERFLOW, "fast-zero-eoverflow")
			return
		}
	} else if j.broken(errENOTSUP, e != wire.ENOTSUP) {
		j.accuse(p, errENOTSUP, "enotsup-in-reply", r.Type)
	}
	df := r.Type == wire.CmdRead && r.Flags&wire.CmdFlagDF != 0
	if df && r.Length <= min(wire.UnfragmentedRead, j.export.maxPayload()) && j.broken(dfMinimum, e != wire.EOVERFLOW) {
		j.accuse(p, dfMinimum, "df-read-eoverflow", r.Length)
		return
	}
	if j.broken(errEOVERFLOW, e != wire.EOVERFLOW || j.mayOverflow(r)) {
		j.accuse(p, errEOVERFLOW, "eoverflow-in-reply", r.Type, r.Length)
	}
}

// judgeRare judges the errors that the document keeps for one purpose, where a
// request has faults and another error is due.
func (j *Judge) judgeRare(p place, r *request, e wire.Errno) {
	switch {
	case e == wire.ENOTSUP && r.Type != wire.CmdWriteZeroes:
		j.accuse(p, errENOTSUP, "enotsup-in-reply", r.Type)
	case e == wire.EOVERFLOW && !j.mayOverflow(r):
		j.accuse(p, errEOVERFLOW, "eoverflow-in-reply", r.Type, r.Length)
	}
}

// mayOverflow reports whether NBD_EOVERFLOW is documented for r.
func (j *Judge) mayOverflow(r *request) bool {
	long := r.Length > j.export.maxPayload()
	switch r.Type {
	case wire.CmdRead:
		return long || j.export.flags&wire.FlagSendDF != 0
	case wire.CmdWrite:
		return long
	}
	return long // a command without payload
}
