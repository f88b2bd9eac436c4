package client

import (
	"context"

	"nbdconform/reference/wire"
)

// LBAStatus asks for the state of the extents from offset on, with
// NBD_CMD_GET_LBA_STATUS. It takes [wire.GetLBAStatus] for Config.Dialect, and
// a server that was told to speak it. The draft says nothing of the order of
// the descriptors, nor that they cover the range; of a type that the server
// can't tell about comes one of the whole range, with the status 0.
func (c *Client) LBAStatus(ctx context.Context, offset, length uint64, kind wire.LBAType) (wire.LBAStatus, error) {
	if c.cfg.Dialect != wire.GetLBAStatus {
		return nil, usage("", "NBD_CMD_GET_LBA_STATUS needs the dialect %v, this session speaks %v", wire.GetLBAStatus, c.cfg.Dialect)
	}
	q := wire.Request{
		Type: wire.CmdGetLBAStatus, Flags: wire.CommandFlags(kind), Offset: offset, Length: min(length, c.maxEffect),
	}
	if err := c.check(q); err != nil || q.Length == 0 {
		return nil, err
	}
	t, err := c.start(ctx, q, nil)
	if err != nil {
		return nil, err
	}
	var got reply
	if err := c.wait(ctx, t, &got); err != nil {
		return nil, err
	}
	return got.lba, nil
}

// isLBAStatus reports whether q is NBD_CMD_GET_LBA_STATUS.
func (c *Client) isLBAStatus(q wire.Request) bool {
	return c.cfg.Dialect == wire.GetLBAStatus && q.Type == wire.CmdGetLBAStatus
}

func (c *Client) checkLBAStatus(q wire.Request) error {
	if c.export.Flags&wire.FlagSendGetLBAStatus == 0 {
		return usage("", "NBD_CMD_GET_LBA_STATUS is not advertised by the server")
	}
	return c.checkRange(q)
}

// lbaReply takes the reply to NBD_CMD_GET_LBA_STATUS. Behind an error the
// server may have hung up.
func (c *Client) lbaReply(t *transaction, p wire.SimpleReply) *SessionError {
	const doing = "reading the reply to NBD_CMD_GET_LBA_STATUS"
	if p.Error != wire.OK {
		c.refusal(t, &RequestError{Request: t.request, Errno: p.Error, General: true})
	}
	d, err := wire.ReadLBAData(c.r, c.cfg.Limits)
	if err != nil {
		return sessionError(doing, unexpected(err))
	}
	if p.Error != wire.OK {
		return nil // the data "MAY be invalid"
	}
	if t.reply.lba, err = wire.ParseLBAStatus(d); err != nil {
		return sessionError(doing, err)
	}
	c.finish(t, nil)
	return nil
}
