package server

import (
	"math"
	"strings"

	"nbdconform/reference/export"
	"nbdconform/reference/server/internal/engine"
	"nbdconform/reference/wire"
)

// cmdGetLBAStatus is NBD_CMD_GET_LBA_STATUS of the draft of that name, which has
// the number of NBD_CMD_BLOCK_STATUS.
var cmdGetLBAStatus = command{
	align:  "size.align.server.other",
	bounds: "get-lba-status.error", beyond: wire.EINVAL,
	memory: (*transmission).extentsMemory,
	reply:  (*transmission).lbaStatus,
}

// isLBAStatus reports whether c is NBD_CMD_GET_LBA_STATUS.
func (s *Session) isLBAStatus(c wire.Command) bool {
	return s.Dialect() == wire.GetLBAStatus && c == wire.CmdGetLBAStatus
}

// checkLBAStatus is check for this command, whose flags are a type of
// information. All types are allowed.
func (t *transmission) checkLBAStatus(q *wire.Request) (wire.Errno, string) {
	if t.Flags&wire.FlagSendGetLBAStatus == 0 && !t.enforce("err.unknown-command", false) {
		return wire.EINVAL, "unknown command"
	}
	return t.checkRange(q, &cmdGetLBAStatus)
}

// afterError is what follows a simple reply with an error to the command: in the
// draft the length of parameter data, of which there is none.
func (s *Session) afterError(c wire.Command) []byte {
	if s.isLBAStatus(c) {
		return wire.LBAData(nil).Append(nil)
	}
	return nil
}

// lbaStatus makes a simple reply with descriptors for the range, or its beginning.
func (t *transmission) lbaStatus(r *request) *engine.Reply {
	context, state := t.lbaSource(wire.LBAType(r.Flags))
	var s wire.LBAStatus
	switch {
	case state == nil: // "MUST NOT return an error"
		s = wire.LBAStatus{{Offset: r.Offset, Length: uint32(r.Length)}}
	case r.Length > 0:
		limit := min(t.srv.cfg.MaxExtents, int(max(t.maxPayload/16, 1)))
		list, err := t.disk.Extents(r.extents[:0], context, r.Offset, r.Length, limit)
		r.extents = list
		if err != nil {
			return t.failure(r, err)
		}
		at := r.Offset
		for _, e := range alignExtents(list, t.minimum, mixer(context), math.MaxUint32) {
			s = append(s, wire.LBADescriptor{Offset: at, Length: uint32(e.Length), Status: state(e.Status)})
			at += e.Length
		}
	}
	b := t.newReply(r, wire.SimpleReplySize+4+len(s)*wire.LBADescriptorSize)
	b.Bytes = wire.SimpleReply{Cookie: r.Cookie}.Append(b.Bytes)
	b.Bytes = wire.LBAData(s.Append(nil)).Append(b.Bytes)
	return b
}

// lbaSource returns the metadata context that has the information of a type, and
// how its status translates to the draft's. The latter is nil where the disk does
// not know.
func (t *transmission) lbaSource(kind wire.LBAType) (context string, state func(uint64) uint16) {
	switch kind {
	case wire.LBAAllocated:
		return export.BaseAllocation, provisioning
	case wire.LBADirty:
		for _, name := range t.Export.Contexts {
			if strings.HasPrefix(name, export.DirtyBitmap) {
				return name, dirtiness
			}
		}
	}
	return "", nil
}

// provisioning is the state of an extent with the status of base:allocation. A
// hole is deallocated, whatever it reads as.
func provisioning(status uint64) uint16 {
	switch f := wire.StateFlags(status); {
	case f&wire.StateHole != 0:
		return wire.LBAStateDeallocated
	case f&wire.StateZero != 0:
		return wire.LBAStateZeroed
	}
	return wire.LBAStateAllocated
}

// dirtiness is the state of an extent with the status of a dirty bitmap.
func dirtiness(status uint64) uint16 {
	if status != 0 {
		return wire.LBAStateDirty
	}
	return wire.LBAStateClean
}
