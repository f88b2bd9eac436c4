package server

import "nbdconform/reference/wire"

// cmdFlush is section "NBD_CMD_FLUSH".
var cmdFlush = command{
	flag: wire.FlagSendFlush, unadvertised: "cmd.flush.needs-flag",
	check: (*transmission).checkFlush,
	do:    (*transmission).flush,
}

func (t *transmission) checkFlush(q *wire.Request) (wire.Errno, string) {
	if !t.enforce("cmd.flush.zero", q.Offset == 0 && q.Length == 0) {
		return wire.EINVAL, "offset and length of a flush have to be zero"
	}
	return wire.OK, ""
}

// flush makes all writes permanent that were replied to.
func (t *transmission) flush(*request) error { return t.disk.Flush() }

// persist is what NBD_CMD_FLAG_FUA adds to a command that writes: the reply
// waits for permanent storage.
func (t *transmission) persist(r *request) error {
	if r.Flags&wire.CmdFlagFUA == 0 {
		return nil
	}
	return t.disk.Flush()
}
