package server

import (
	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// cmdResize is section "NBD_CMD_RESIZE", of the resize extension. The offset of a
// request is the new size, and its length has no meaning. Without
// NBD_FLAG_SEND_RESIZE the command is unknown, see check.
var cmdResize = command{
	check: (*transmission).checkResize,
	do:    (*transmission).resize,
}

func (t *transmission) checkResize(q *wire.Request) (wire.Errno, string) {
	t.largest = max(t.largest, t.disk.Size()) // which other connections may have changed
	if !t.enforce("resize.errors", q.Offset%t.minimum == 0) {
		return wire.EPERM, "the new size is not aligned to the minimum block size"
	}
	return wire.OK, ""
}

// resize changes the size of the disk, for all connections.
func (t *transmission) resize(r *request) error {
	d, ok := t.Export.Disk.(export.Resizer)
	if !ok {
		return wire.EPERM
	}
	return d.Resize(r.Offset)
}
