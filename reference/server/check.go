package server

import "nbdconform/reference/wire"

// knownFlags are the command flags that this server knows. With extended
// headers there is NBD_CMD_FLAG_PAYLOAD_LEN as well.
const knownFlags = wire.CmdFlagFUA | wire.CmdFlagNoHole | wire.CmdFlagDF | wire.CmdFlagReqOne | wire.CmdFlagFastZero

// check checks all of a request that can be known without serving it; c is nil
// if its command is unknown. It returns the error to reply with and a text for
// people, or OK. The first check that fails decides which error it is.
func (t *transmission) check(q *wire.Request, c *command) (wire.Errno, string) {
	switch {
	case t.srv.stopping.Load():
		return wire.ESHUTDOWN, "the server is shutting down"
	case c == &cmdGetLBAStatus:
		return t.checkLBAStatus(q)
	case c == nil || c == &cmdResize && t.Flags&wire.FlagSendResize == 0:
		if t.enforce("err.unknown-command", false) {
			return wire.OK, ""
		}
		return wire.EINVAL, "unknown command"
	}
	if e, text := t.checkFlags(q, c); e != wire.OK {
		return e, text
	}
	if c.bounds != "" {
		if e, text := t.checkRange(q, c); e != wire.OK {
			return e, text
		}
	}
	if c.check != nil {
		return c.check(t, q)
	}
	return wire.OK, ""
}

// checkFlags checks the flags of a request, and what was advertised. A read-only
// export does not advertise the commands that only write, and NBD_EPERM says
// more than NBD_EINVAL. Section "Command flags".
func (t *transmission) checkFlags(q *wire.Request, c *command) (wire.Errno, string) {
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
	if t.Extended && c.payload != nil {
		if e, text := c.payload(t, q); e != wire.OK {
			return e, text
		}
	}
	if c.readOnly != "" && !t.enforce(c.readOnly, t.Flags&wire.FlagReadOnly == 0) {
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
	if c.flag != 0 && !t.enforce(c.unadvertised, t.Flags&c.flag != 0) {
		return wire.EINVAL, "the command was not advertised"
	}
	return wire.OK, ""
}

// checkRange checks offset and length; their sum may exceed 2^64. Section "Size
// constraints".
func (t *transmission) checkRange(q *wire.Request, c *command) (wire.Errno, string) {
	if !t.enforce(c.align, (q.Offset|q.Length)%t.minimum == 0) {
		return wire.EINVAL, "the request is not aligned to the minimum block size"
	}
	size := t.disk.Size()
	t.largest = max(t.largest, size)
	within := func(size uint64) bool { return q.Offset <= size && q.Length <= size-q.Offset }
	switch {
	case within(size):
	case within(t.largest) && t.enforce("resize.shrunk.enospc", false):
	case within(t.largest):
		return wire.ENOSPC, "the request ends beyond the export, which has shrunk"
	case !t.enforce(c.bounds, false):
		return c.beyond, "the request ends beyond the export"
	}
	return wire.OK, ""
}

// checkAnnounced ends the session of a client that announces, with extended
// headers, a payload of more than the n bytes that it may rely on. Section
// "Request message".
func (t *transmission) checkAnnounced(n uint64) error {
	limit := uint64(t.Export.Constraints.MaxPayload)
	if t.Extended && !t.enforce("trans.extended.payload-too-long", n <= limit) {
		return violation("trans.extended.payload-too-long", "a payload of %d bytes is announced, the limit is %d", n, limit)
	}
	return nil
}
