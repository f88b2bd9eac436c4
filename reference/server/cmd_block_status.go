package server

import (
	"fmt"
	"math"
	"slices"

	"nbdconform/reference/server/internal/engine"
	"nbdconform/reference/wire"
)

// cmdBlockStatus is section "NBD_CMD_BLOCK_STATUS".
var cmdBlockStatus = command{
	align:  "size.align.server.other",
	bounds: "cmd.block-status.bounds", beyond: wire.EINVAL,
	payload: (*transmission).checkFilterAllowed,
	check:   (*transmission).checkBlockStatus,
	memory:  (*transmission).extentsMemory,
	reply:   (*transmission).blockStatus,
}

// checkFilterAllowed checks that a payload was advertised.
func (t *transmission) checkFilterAllowed(q *wire.Request) (wire.Errno, string) {
	if q.Flags&wire.CmdFlagPayloadLen != 0 &&
		!t.enforce("cmd.block-status.payload.unsupported", t.Flags&wire.FlagBlockStatusPayload != 0) {
		return wire.EINVAL, "a payload of NBD_CMD_BLOCK_STATUS was not advertised"
	}
	return wire.OK, ""
}

func (t *transmission) checkBlockStatus(q *wire.Request) (wire.Errno, string) {
	if !t.enforce("meta.block-status.unselected", len(t.Contexts) > 0) {
		return wire.EINVAL, "no metadata context was selected"
	}
	if q.Length == 0 { // no descriptor can have a length of 0
		return wire.EINVAL, "the length of a block status has to be positive"
	}
	return wire.OK, ""
}

// hasFilter reports whether q is NBD_CMD_BLOCK_STATUS with a payload that
// this server understands.
func (t *transmission) hasFilter(q *wire.Request) bool {
	return t.Extended && q.Type == wire.CmdBlockStatus && q.Flags&wire.CmdFlagPayloadLen != 0 &&
		t.Flags&wire.FlagBlockStatusPayload != 0
}

// maxFilter is the longest payload of NBD_CMD_BLOCK_STATUS that is parsed, in
// bytes, unless there are so many contexts that a longer one makes sense.
const maxFilter = 4096

// filter reads the n bytes of payload that say which range and which contexts r
// is about, always all of them.
func (t *transmission) filter(r *request, n uint64) (wire.Errno, string, error) {
	if n > uint64(max(maxFilter, 8+4*len(t.Contexts))) { // more ids than there can be
		return wire.EINVAL, "the payload is too long", t.discardPayload(n)
	}
	if err := t.readPayload(r, int(n)); err != nil {
		return 0, "", err
	}
	if len(r.payload.Data) == 0 {
		return wire.EINVAL, "there is no payload", nil
	}
	f, err := wire.ParseStatusFilter(r.payload.Data)
	if err != nil {
		return wire.EINVAL, err.Error(), nil
	}
	r.Length, r.contexts = f.Length, nil
	for i, id := range f.ContextIDs {
		k := slices.IndexFunc(t.Contexts, func(m wire.MetaContext) bool { return m.ID == id })
		again := slices.Contains(f.ContextIDs[:i], id)
		switch {
		case !t.enforce("cmd.block-status.payload.unknown-id", k >= 0):
			return wire.EINVAL, fmt.Sprintf("metadata context %d was not negotiated", id), nil
		case !t.enforce("cmd.block-status.payload.duplicate-id", !again):
			return wire.EINVAL, fmt.Sprintf("metadata context %d is there twice", id), nil
		case k >= 0 && !again:
			r.contexts = append(r.contexts, t.Contexts[k])
		}
	}
	if len(r.contexts) == 0 {
		return wire.EINVAL, "the payload names no metadata context", nil
	}
	return wire.OK, "", nil
}

// blockStatus replies with one chunk for each context that is asked for, with
// descriptors for the range that is asked for or its beginning.
func (t *transmission) blockStatus(r *request) *engine.Reply {
	if len(r.contexts) == 0 { // hooks accept that
		return t.status(r, nil)
	}
	limit := min(t.srv.cfg.MaxExtents, int(max(t.maxPayload/16, 1)))
	if r.Flags&wire.CmdFlagReqOne != 0 {
		limit = 1
	}
	most := uint64(math.MaxUint32)
	if t.Extended {
		most = math.MaxUint64
	}
	b := t.newReply(r, len(r.contexts)*(wire.ExtendedChunkSize+24))
	for i, m := range r.contexts {
		list, err := t.disk.Extents(r.extents[:0], m.Name, r.Offset, r.Length, limit)
		r.extents = list
		if err != nil || len(list) == 0 {
			t.engine.Abandon(b)
			if err == nil {
				err = wire.EIO
			}
			return t.failure(r, err)
		}
		list = alignExtents(list, t.minimum, mixer(m.Name), most)
		var flags wire.ReplyFlags
		if i == len(r.contexts)-1 {
			flags = wire.ReplyFlagDone
		}
		b.Bytes = t.statusChunk(b.Bytes, r, flags, wire.BlockStatus{ContextID: m.ID, Extents: list})
	}
	return b
}

// statusChunk appends a chunk of block status, of the type that was negotiated.
func (t *transmission) statusChunk(b []byte, r *request, flags wire.ReplyFlags, s wire.BlockStatus) []byte {
	n := uint64(len(s.Extents))
	if t.Extended {
		return s.AppendExtended(t.chunk(b, r, wire.ChunkHeader{Flags: flags, Type: wire.ChunkBlockStatusExt, Length: 8 + 16*n}))
	}
	return s.Append(t.chunk(b, r, wire.ChunkHeader{Flags: flags, Type: wire.ChunkBlockStatus, Length: 4 + 8*n}))
}
