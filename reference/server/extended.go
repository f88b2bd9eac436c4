package server

import (
	"fmt"
	"slices"

	"nbdconform/reference/wire"
)

// checkAnnounced hangs up on a client that announces, with extended headers, a
// payload beyond what it may rely on. Section "Request message".
func (t *transmission) checkAnnounced(n uint64) error {
	limit := uint64(t.Export.Constraints.MaxPayload)
	if t.Extended && !t.enforce("trans.extended.payload-too-long", n <= limit) {
		return violation("trans.extended.payload-too-long", "a payload of %d bytes is announced, the limit is %d", n, limit)
	}
	return nil
}

// checkPayloadFlag looks at NBD_CMD_FLAG_PAYLOAD_LEN where the command has it.
func (t *transmission) checkPayloadFlag(q *wire.Request) (wire.Errno, string) {
	announced := q.Flags&wire.CmdFlagPayloadLen != 0
	switch {
	case !t.Extended:
	case q.Type == wire.CmdWrite && !t.enforce("trans.extended.write-payload", announced):
		return wire.EINVAL, "a write comes without a payload"
	case q.Type == wire.CmdBlockStatus && announced &&
		!t.enforce("cmd.block-status.payload.unsupported", t.Flags&wire.FlagBlockStatusPayload != 0):
		return wire.EINVAL, "a payload of NBD_CMD_BLOCK_STATUS was not advertised"
	}
	return wire.OK, ""
}

// hasFilter reports whether q is NBD_CMD_BLOCK_STATUS with a payload that
// this server understands.
func (t *transmission) hasFilter(q *wire.Request) bool {
	return t.Extended && q.Type == wire.CmdBlockStatus && q.Flags&wire.CmdFlagPayloadLen != 0 &&
		t.Flags&wire.FlagBlockStatusPayload != 0
}

// mostFilter is the longest payload of NBD_CMD_BLOCK_STATUS that is looked at,
// in bytes, unless there are contexts enough for a longer one.
const mostFilter = 4096

// filter reads the n bytes of payload that say which range and which contexts
// NBD_CMD_BLOCK_STATUS is about, all of them whatever is wrong with them.
func (t *transmission) filter(r *request, n uint64) (wire.Errno, string, error) {
	if n > uint64(max(mostFilter, 8+4*len(t.Contexts))) { // more ids than there can be
		return wire.EINVAL, "the payload is too long", t.discard("request payload", n)
	}
	if err := t.readPayload(r, int(n)); err != nil {
		return 0, "", err
	}
	if len(r.data) == 0 {
		return wire.EINVAL, "there is no payload", nil
	}
	f, err := wire.ParseStatusFilter(r.data)
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
