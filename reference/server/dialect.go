package server

import (
	"math"
	"strings"

	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// Dialect is what the server speaks, to all of its clients.
func (s *Session) Dialect() wire.Dialect { return s.conn.srv.cfg.Dialect }

// dialectFlags makes of transmission flags for clients of today what they are
// in the dialect.
func (s *Session) dialectFlags(f wire.TransmissionFlags, e *Export) wire.TransmissionFlags {
	switch s.Dialect() {
	case wire.GetLBAStatus:
		f |= wire.FlagSendGetLBAStatus &^ e.Omit // NBD_FLAG_SEND_DF is not there without chunks
	case wire.WriteZeroesRFC:
		f &^= wire.FlagSendFastZero
	}
	return f
}

// isLBAStatus reports whether q is NBD_CMD_GET_LBA_STATUS.
func (s *Session) isLBAStatus(q *wire.Request) bool {
	return s.Dialect() == wire.GetLBAStatus && q.Type == wire.CmdGetLBAStatus
}

// checkLBAStatus holds NBD_CMD_GET_LBA_STATUS against what can be known
// without doing it. All types of information are fine.
func (t *transmission) checkLBAStatus(q *wire.Request) (wire.Errno, string) {
	if t.Flags&wire.FlagSendGetLBAStatus == 0 && !t.enforce("err.unknown-command", false) {
		return wire.EINVAL, "unknown command"
	}
	return t.checkRange(q, &demand{align: "size.align.server.other", bounds: "get-lba-status.error", beyond: wire.EINVAL})
}

// behindError is what follows a simple reply with an error: the draft wants to
// know how much parameter data there is, and there is none.
func (s *Session) behindError(q *wire.Request) []byte {
	if s.isLBAStatus(q) {
		return wire.LBAData(nil).Append(nil)
	}
	return nil
}

// lbaStatus does NBD_CMD_GET_LBA_STATUS.
func (t *transmission) lbaStatus(r *request) *buffer {
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
	b := t.room(r, wire.SimpleReplySize+4+len(s)*wire.LBADescriptorSize)
	b.b = wire.SimpleReply{Cookie: r.Cookie}.Append(b.b)
	b.b = wire.LBAData(s.Append(nil)).Append(b.b)
	return b
}

// lbaSource is the metadata context that has the information of a type, and
// what its status is called in the draft. The latter is nil where the disk has
// no means to tell.
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

// provisioning is the state of an extent with the status of base:allocation.
// What is not there is not there, whatever it reads as.
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
