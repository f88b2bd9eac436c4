package server

import "nbdconform/reference/wire"

// cmdWrite is section "NBD_CMD_WRITE".
var cmdWrite = command{
	readOnly: "err.write.read-only",
	align:    "err.write.align",
	bounds:   "err.write.bounds", beyond: wire.ENOSPC,
	payload: (*transmission).checkWriteAnnounced,
	check:   (*transmission).checkWriteLength,
	memory:  (*transmission).dataMemory,
	do:      (*transmission).write,
}

// checkWriteAnnounced demands NBD_CMD_FLAG_PAYLOAD_LEN of a write with extended
// headers. Without it there is no payload.
func (t *transmission) checkWriteAnnounced(q *wire.Request) (wire.Errno, string) {
	if !t.enforce("trans.extended.write-payload", q.Flags&wire.CmdFlagPayloadLen != 0) {
		return wire.EINVAL, "a write comes without a payload"
	}
	return wire.OK, ""
}

// checkWriteLength refuses what the server would have to hold in memory and is
// too long.
func (t *transmission) checkWriteLength(q *wire.Request) (wire.Errno, string) {
	if q.Length > t.maxPayload {
		return wire.EINVAL, "the request is longer than the maximum payload size"
	}
	return wire.OK, ""
}

// write stores the payload.
func (t *transmission) write(r *request) error {
	if r.pages == nil && len(r.payload.Data) == 0 {
		return nil
	}
	if err := t.store(r); err != nil {
		return err
	}
	return t.persist(r)
}
