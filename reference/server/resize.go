package server

import (
	"nbdconform/reference/export"
	"nbdconform/reference/wire"
)

// checkResize holds NBD_CMD_RESIZE against what can be known without doing it.
// Its offset is the new size, and its length means nothing.
func (t *transmission) checkResize(q *wire.Request) (wire.Errno, string) {
	t.most = max(t.most, t.disk.Size()) // which other connections may have changed
	if !t.enforce("resize.errors", q.Offset%t.minimum == 0) {
		return wire.EPERM, "the new size is not aligned to the minimum block size"
	}
	return wire.OK, ""
}

// resize does NBD_CMD_RESIZE. All connections see the new size.
func (t *transmission) resize(r *request) error {
	d, ok := t.Export.Disk.(export.Resizer)
	if !ok {
		return wire.EPERM
	}
	return d.Resize(r.Offset)
}
