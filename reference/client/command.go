package client

import (
	"context"

	"nbdconform/reference/wire"
)

// ReadAt reads len(p) bytes at offset. NBD_CMD_FLAG_DF is the only flag.
//
// If it fails, what is in p is undefined; the errors of a [*RequestError] with
// offsets alone say which parts are good. When ReadAt returned, p is not
// written to any more, also if the context ended first.
//
// This method and those below split what is larger than the size constraints
// or a request header allow: flags then hold for each part, and on an error
// others may have been carried out. Nothing is sent for a length of 0.
func (c *Client) ReadAt(ctx context.Context, p []byte, offset uint64, flags wire.CommandFlags) error {
	return c.do(ctx, wire.Request{Type: wire.CmdRead, Flags: flags, Offset: offset, Length: uint64(len(p))}, p)
}

// WriteAt writes p at offset. NBD_CMD_FLAG_FUA is the only flag. p must not
// change before WriteAt returns.
func (c *Client) WriteAt(ctx context.Context, p []byte, offset uint64, flags wire.CommandFlags) error {
	return c.do(ctx, wire.Request{Type: wire.CmdWrite, Flags: flags, Offset: offset, Length: uint64(len(p))}, p)
}

// Flush has all writes that were answered before persist.
func (c *Client) Flush(ctx context.Context) error {
	return c.do(ctx, wire.Request{Type: wire.CmdFlush}, nil)
}

// Trim says that length bytes at offset are not needed any more.
// NBD_CMD_FLAG_FUA is the only flag.
func (c *Client) Trim(ctx context.Context, offset, length uint64, flags wire.CommandFlags) error {
	return c.do(ctx, wire.Request{Type: wire.CmdTrim, Flags: flags, Offset: offset, Length: length}, nil)
}

// Cache announces that length bytes at offset will be accessed.
func (c *Client) Cache(ctx context.Context, offset, length uint64) error {
	return c.do(ctx, wire.Request{Type: wire.CmdCache, Offset: offset, Length: length}, nil)
}

// WriteZeroes zeroes length bytes at offset. Flags are NBD_CMD_FLAG_FUA,
// NBD_CMD_FLAG_NO_HOLE and NBD_CMD_FLAG_FAST_ZERO.
func (c *Client) WriteZeroes(ctx context.Context, offset, length uint64, flags wire.CommandFlags) error {
	return c.do(ctx, wire.Request{Type: wire.CmdWriteZeroes, Flags: flags, Offset: offset, Length: length}, nil)
}

// BlockStatus asks for the extents of each negotiated context from offset on,
// by the context's name. NBD_CMD_FLAG_REQ_ONE is the only flag. The length is a
// hint, of which never more than 32 bits are sent without extended headers: the
// extents of a context are one or more, without a gap, and may end before the
// range does or, without the flag, after it.
func (c *Client) BlockStatus(ctx context.Context, offset, length uint64, flags wire.CommandFlags) (map[string][]wire.Extent, error) {
	return c.blockStatus(ctx, wire.Request{Type: wire.CmdBlockStatus, Flags: flags, Offset: offset, Length: length}, nil)
}

// blockStatus asks for the extents of all contexts or, if there is a filter, of those in it.
func (c *Client) blockStatus(ctx context.Context, q wire.Request, filter []uint32) (map[string][]wire.Extent, error) {
	if err := c.check(q); err != nil || q.Length == 0 {
		return nil, err
	}
	q.Length = min(q.Length, c.maxEffect)
	var p []byte
	if filter != nil {
		q.Flags |= wire.CmdFlagPayloadLen
		p = wire.StatusFilter{Length: q.Length, ContextIDs: filter}.Append(nil)
	}
	t, err := c.start(ctx, q, p)
	if err != nil {
		return nil, err
	}
	var got reply
	if err := c.wait(ctx, t, &got); err != nil {
		return nil, err
	}
	named := make(map[string][]wire.Extent, len(got.status))
	for id, extents := range got.status {
		named[c.names[id]] = extents
	}
	return named, nil
}

// exposed are the transmission flags that a client needs to see before it uses
// a command, and the clauses that say so.
var exposed = map[wire.Command]struct {
	flag   wire.TransmissionFlags
	clause string
}{
	wire.CmdFlush:       {wire.FlagSendFlush, "cmd.flush.needs-flag"},
	wire.CmdTrim:        {wire.FlagSendTrim, "cmd.trim.needs-flag"},
	wire.CmdCache:       {wire.FlagSendCache, ""},
	wire.CmdWriteZeroes: {wire.FlagSendWriteZeroes, "cmd.write-zeroes.needs-flag"},
	wire.CmdResize:      {wire.FlagSendResize, "resize.needs-flag"},
}

func writes(t wire.Command) bool {
	return t == wire.CmdWrite || t == wire.CmdTrim || t == wire.CmdWriteZeroes
}

// check holds q against the document, the export and what was negotiated. It
// looks at no length limit: do splits.
func (c *Client) check(q wire.Request) error {
	if c.isLBAStatus(q) {
		return c.checkLBAStatus(q)
	}
	if err := q.Validate(); err != nil {
		return usageOf(err)
	}
	if x, ok := exposed[q.Type]; ok && c.export.Flags&x.flag == 0 {
		return usage(x.clause, "%v needs %v, which the server does not advertise", q.Type, x.flag)
	}
	if writes(q.Type) && c.export.Flags&wire.FlagReadOnly != 0 {
		return usage("", "%v: the export is read-only", q.Type)
	}
	if q.Type == wire.CmdBlockStatus && len(c.contexts) == 0 {
		return usage("cmd.block-status.needs-context", "%v needs a metadata context, and none was negotiated", q.Type)
	}
	if err := c.checkCommandFlags(q); err != nil {
		return err
	}
	if q.Type == wire.CmdResize { // which has a size in place of a range
		return nil
	}
	return c.checkRange(q)
}

func (c *Client) checkCommandFlags(q wire.Request) error {
	if extra := q.Flags &^ c.cfg.Dialect.AllowedFlags(q.Type); extra != 0 {
		return usage("cmdflag.documented", "%v with %v, which dialect %v does not have", q.Type, extra, c.cfg.Dialect)
	}
	for _, x := range [...]struct {
		flag   wire.CommandFlags
		needs  wire.TransmissionFlags
		clause string
	}{
		{wire.CmdFlagFUA, wire.FlagSendFUA, "flag.transmission.client-use"},
		{wire.CmdFlagDF, wire.FlagSendDF, "cmdflag.df.needs-flag"},
		{wire.CmdFlagFastZero, wire.FlagSendFastZero, "cmdflag.fast-zero.needs-flag"},
	} {
		if q.Flags&x.flag != 0 && c.export.Flags&x.needs == 0 {
			return usage(x.clause, "%v with %v needs %v, which the server does not advertise", q.Type, x.flag, x.needs)
		}
	}
	if q.Flags&wire.CmdFlagFUA != 0 && !writes(q.Type) {
		return usage("cmdflag.fua.only-writes", "%v with FUA: the command writes nothing", q.Type)
	}
	if q.Flags&wire.CmdFlagPayloadLen != 0 {
		return usage("cmdflag.documented", "%v with PAYLOAD_LEN: the client sets that flag by itself", q.Type)
	}
	return nil
}

func (c *Client) checkRange(q wire.Request) error {
	least := uint64(c.export.Constraints.Minimum)
	if q.Offset%least != 0 || q.Length%least != 0 {
		clause := "size.align.client"
		if q.Type == wire.CmdCache || q.Type == wire.CmdBlockStatus {
			clause = "size.align.client.other"
		}
		return usage(clause, "%v at offset %d, length %d: the minimum block size is %d", q.Type, q.Offset, q.Length, least)
	}
	if size := c.size.Load(); q.Offset > size || q.Length > size-q.Offset {
		return usage("size.bounds.client", "%v at offset %d, length %d: the size of the export is %d", q.Type, q.Offset, q.Length, size)
	}
	return nil
}
