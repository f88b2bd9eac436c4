package client

import (
	"context"
	"slices"

	"nbdconform/reference/wire"
)

// BlockStatusOf is BlockStatus for some of the negotiated contexts, by their
// names. The server has to advertise NBD_FLAG_BLOCK_STATUS_PAYLOAD, which it
// does only if extended headers were negotiated.
func (c *Client) BlockStatusOf(ctx context.Context, offset, length uint64, flags wire.CommandFlags, names ...string) (map[string][]wire.Extent, error) {
	if c.export.Flags&wire.FlagBlockStatusPayload == 0 {
		return nil, usage("cmdflag.payload-len.needs-flag", "%v for some contexts needs NBD_FLAG_BLOCK_STATUS_PAYLOAD, which the server does not advertise", wire.CmdBlockStatus)
	}
	if len(names) == 0 {
		return nil, usage("", "%v for no context at all", wire.CmdBlockStatus)
	}
	filter := make([]uint32, 0, len(names))
	for _, name := range names {
		i := slices.IndexFunc(c.contexts, func(m wire.MetaContext) bool { return m.Name == name })
		if i < 0 {
			return nil, usage("cmd.block-status.needs-context", "%v for %q, which was not negotiated", wire.CmdBlockStatus, name)
		}
		if slices.Contains(filter, c.contexts[i].ID) {
			return nil, usage("", "%v for %q twice", wire.CmdBlockStatus, name)
		}
		filter = append(filter, c.contexts[i].ID)
	}
	return c.blockStatus(ctx, wire.Request{Type: wire.CmdBlockStatus, Flags: flags, Offset: offset, Length: length}, filter)
}

// statusType is the type of chunk that block status comes in.
func (c *Client) statusType() wire.ChunkType {
	if c.extended {
		return wire.ChunkBlockStatusExt
	}
	return wire.ChunkBlockStatus
}

// asked is how many metadata contexts the reply to t has to tell about.
func (c *Client) asked(t *transaction) int {
	if t.filter != nil {
		return len(t.filter)
	}
	return len(c.names)
}

// checkStatus holds a chunk of block status, of the context name, against the
// filter of its request and the width of the context.
func (c *Client) checkStatus(t *transaction, name string, s wire.BlockStatus) *SessionError {
	if t.filter != nil && !slices.Contains(t.filter, s.ContextID) {
		return violation("cmd.block-status.payload.limited", "reply to NBD_CMD_BLOCK_STATUS: context %q was not asked for", name)
	}
	if !c.extended || name != AllocationContext {
		return nil
	}
	for _, e := range s.Extents {
		if e.Status>>32 != 0 {
			return violation("chunk.block-status-ext.high-bits", "reply to NBD_CMD_BLOCK_STATUS: context %q has the status %#x", name, e.Status)
		}
	}
	return nil
}
