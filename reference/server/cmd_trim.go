package server

import "nbdconform/reference/wire"

// cmdTrim is section "NBD_CMD_TRIM".
var cmdTrim = command{
	flag: wire.FlagSendTrim, unadvertised: "cmd.trim.needs-flag",
	readOnly: "err.trim.read-only",
	align:    "size.align.server",
	bounds:   "err.trim.bounds", beyond: wire.EINVAL,
	do: (*transmission).trim,
}

func (t *transmission) trim(r *request) error {
	if r.Length == 0 {
		return nil
	}
	if err := t.disk.Trim(r.Offset, r.Length); err != nil {
		return err
	}
	return t.persist(r)
}
