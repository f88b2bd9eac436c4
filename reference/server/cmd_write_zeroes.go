package server

import "nbdconform/reference/wire"

// cmdWriteZeroes is section "NBD_CMD_WRITE_ZEROES".
var cmdWriteZeroes = command{
	flag: wire.FlagSendWriteZeroes, unadvertised: "cmd.write-zeroes.needs-flag",
	readOnly: "cmd.write-zeroes.read-only",
	align:    "size.align.server",
	bounds:   "cmd.write-zeroes.bounds", beyond: wire.ENOSPC,
	do: (*transmission).writeZeroes,
}

// writeZeroes makes the range read as zeroes. With NBD_CMD_FLAG_NO_HOLE it is
// allocated, else it may become a hole; with NBD_CMD_FLAG_FAST_ZERO the disk
// fails with NBD_ENOTSUP unless that is faster than writing. In the
// write-zeroes draft there are no holes.
func (t *transmission) writeZeroes(r *request) error {
	if r.Length == 0 {
		return nil
	}
	noHole := r.Flags&wire.CmdFlagNoHole != 0 || t.Dialect() == wire.WriteZeroesRFC
	fast := r.Flags&wire.CmdFlagFastZero != 0
	if err := t.disk.Zero(r.Offset, r.Length, noHole, fast); err != nil {
		return err
	}
	return t.persist(r)
}
