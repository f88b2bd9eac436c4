package judge

import "nbdconform/reference/wire"

// resizes is what the judge remembers of NBD_CMD_RESIZE. The size of an export
// that can be resized is only what the connection knows of it: other clients
// may change it.
type resizes struct {
	pending int    // without a reply
	old     uint64 // size before the last resize that succeeded, bytes
}

var errorsOfResize = []wire.Errno{wire.EPERM, wire.EIO, wire.ENOSPC, wire.ESHUTDOWN}

// judgeResize judges a resize against the requests that are pending.
func (j *Judge) judgeResize(r *request) {
	j.resizes.pending++
	j.broken(resizeOutstanding, true)
	if j.export.unknown || j.waiting > maxKept {
		return
	}
	for _, same := range j.pending {
		for _, q := range same {
			if q.Type != wire.CmdResize && j.between(q, r.Offset) {
				j.accuse(r.place, resizeOutstanding, "resize-while-request-pending", j.export.size, r.Offset, q.Request)
				q.quiet = true
				return
			}
		}
	}
}

// between reports whether a request touches what is between the size of the
// export and another.
func (j *Judge) between(q *request, size uint64) bool {
	end := q.Offset + min(q.Length, ^uint64(0)-q.Offset)
	return q.ranged() && q.Length > 0 && end > min(size, j.export.size) && q.Offset < max(size, j.export.size)
}

// judgeMeanwhile judges a request while a resize is pending. It returns whether
// what comes of the request is undefined.
func (j *Judge) judgeMeanwhile(r *request) bool {
	if j.waiting > maxKept {
		return true
	}
	for _, same := range j.pending {
		for _, q := range same {
			if q.Type != wire.CmdResize {
				continue
			}
			if j.broken(resizeBetween, !j.between(r, q.Offset)) {
				j.accuse(r.place, resizeBetween, "request-while-resize-pending", r.Request, j.export.size, q.Offset)
				r.quiet = true
				return true
			}
			end := r.Offset + min(r.Length, ^uint64(0)-r.Offset)
			if smaller := min(q.Offset, j.export.size); j.broken(resizeBeyond, end <= smaller) {
				j.accuse(r.place, resizeBeyond, "request-while-resize-pending", r.Request, j.export.size, q.Offset)
				r.quiet = true
				return true
			}
		}
	}
	return false
}

// resized takes note of what came of a resize.
func (j *Judge) resized(r *request, failed bool) {
	j.resizes.pending--
	if r.quiet || r.ambiguous {
		j.export.unknown = true
		return
	}
	if !failed {
		j.resizes.old, j.export.size = j.export.size, r.Offset
	}
}
